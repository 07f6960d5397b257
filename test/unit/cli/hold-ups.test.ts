// hold-ups.test.ts: who shares a processor is seen by the loop that looks at the clock.

import { spawn } from "node:child_process"
import { once } from "node:events"
import t from "tap"
import { native } from "../../../native/index.ts"
import { watchHoldUps } from "../../../src/kernel-daemon/cli/bench/hold-ups.ts"

const WATCH_MS = 400

t.test("a busy neighbour on the same processor takes its share", async t => {
  const before = native.affinity()
  const [cpu] = before
  if (cpu === undefined) return t.fail("sched_getaffinity named no processor")
  native.setAffinity([cpu])
  t.teardown(() => native.setAffinity(before))
  const neighbour = spawn(process.execPath, ["-e", "console.log(); for (;;);"], { stdio: ["ignore", "pipe", "ignore"] })
  t.teardown(() => neighbour.kill("SIGKILL"))
  await once(neighbour.stdout, "data")
  const { share, longestMs } = watchHoldUps(cpu, WATCH_MS)
  t.ok(share > 0.2 && share < 1, `${share} of the time`)
  t.ok(longestMs > 0.5 && longestMs < WATCH_MS * 10, `${longestMs} ms`)
})
