// no-syscalls.test.ts: while both ends are awake a message costs no system call: counted from outside, by strace.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import t from "tap"
import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { mapFrame, newFrame, peerCommand, peerEnvironment, SECOND_NS, vspace } from "../../helpers/ring.ts"
import { AWAKE_BEGIN, AWAKE_END, awakeCount, awakeWarmUp } from "./counts.ts"

const STRACE = "/usr/bin/strace"

for (const form of ["index", "slot"] as const) {
  t.test(
    `${form}: ${awakeCount} messages without a system call of either end`,
    { skip: existsSync(STRACE) ? false : "strace is not installed" },
    async t => {
      const folder = mkdtempSync(join(tmpdir(), "kaal-strace-"))
      t.teardown(() => rmSync(folder, { recursive: true }))
      const trace = join(folder, "trace")
      const frame = newFrame(t, PAGE_BYTES)
      const address = mapFrame(t, frame, PAGE_BYTES)
      SharedRing.create(vspace, address, PAGE_BYTES, { capacity: 8, slotBytes: 64, form })
      const consumer = SharedRing.consumer(vspace, address, PAGE_BYTES, { wait: { park: false } })
      // Of the peer's threads the one that sends: V8's own may well make system calls.
      const { pid, pidfd } = native.spawn({
        file: STRACE,
        argv: [STRACE, "-o", trace, ...peerCommand(t, "produce-awake")],
        env: Object.entries(peerEnvironment).map(([name, value]) => `${name}=${value}`),
        fds: [0, 1, 2, frame],
      })
      t.teardown(() => native.closeFd(pidfd))
      for (let item = 0; item < awakeWarmUp + awakeCount; item++) {
        const message = consumer.pop(20 * SECOND_NS)
        if (typeof message === "string") {
          native.sendSignal(pidfd, "SIGKILL")
          return t.fail(`item ${item}: ${message}`)
        }
      }
      while (native.reap(pid) === undefined) await new Promise(resolve => setTimeout(resolve, 5))
      const calls = readFileSync(trace, "utf8").split("\n")
      const [begin, end] = [AWAKE_BEGIN, AWAKE_END].map(name => calls.findIndex(call => call.includes(name)))
      if (begin === undefined || end === undefined || begin < 0 || end < begin) return t.fail("the marks are not there")
      const between = calls.slice(begin + 1, end)
      // A futex of this process alone is V8's, which wakes its threads by them; the ring's are in shared memory.
      const ofTheRing = between.filter(call => call.startsWith("futex") && !call.includes("_PRIVATE"))
      t.same(ofTheRing, [], "neither slept nor woke anybody")
      // Not one for a message: what is left is V8's housekeeping, the more of it the busier the processors are.
      t.ok(between.length <= awakeCount / 100, `${between.length} system calls: ${between.slice(0, 5).join("; ")}`)
      t.match(consumer.stats(), { popped: awakeWarmUp + awakeCount, sleeps: 0, wakes: 0 })
    },
  )
}
