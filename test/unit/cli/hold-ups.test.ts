// hold-ups.test.ts: who shares a processor is seen by the loop that looks at the clock.

import { spawn } from "node:child_process"
import { once } from "node:events"
import t from "tap"
import { native } from "../../../native/index.ts"
import { judgeCrowd } from "../../../src/kernel-daemon/cli/bench/caps-suite-system.ts"
import { type HoldUps, watchHoldUps, worstOf } from "../../../src/kernel-daemon/cli/bench/hold-ups.ts"
import type { CrowdReport } from "../../../src/protocols/bench-caps.ts"

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

t.test("a row is judged by the trials that were quiet, and not where others hold up as long as its limit", async t => {
  const calls = { calls: 1, p50: 1, p99: 1, max: 9_000 }
  const quiet: CrowdReport = { revokeMs: 1, before: calls, during: { ...calls, max: 20_000 }, after: calls }
  const loud: CrowdReport = { ...quiet, after: { ...calls, max: 10_500 } }
  const [none, long] = [9.9, 10.1].map(longestMs => ({ share: 0.1, longestMs })) as [HoldUps, HoldUps]
  t.same(judgeCrowd([quiet, loud], none), { trials: [quiet], judged: true })
  t.same(judgeCrowd([loud], none), { trials: [loud], judged: false })
  t.same(judgeCrowd([quiet], long), { trials: [quiet], judged: false })
  t.same(worstOf([none, { share: 0.3, longestMs: 1 }]), { share: 0.3, longestMs: 9.9 })
})
