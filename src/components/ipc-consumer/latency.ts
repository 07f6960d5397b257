// latency.ts: the latency trial, follower's side: answers, and takes the time from the sender's stamp.

import type { TaskReport } from "../../protocols/ipc-test.ts"
import { BLOCK_ROUNDS, BLOCKS, latencyGeometry, STAMPED_ROUNDS, WARM_UP_ROUNDS } from "../plan/latency-steps.ts"
import type { Plan } from "../plan/open-plan.ts"
import { percentiles, scaled } from "../plan/percentiles.ts"
import { PingPong, SPIN } from "../plan/ping-pong.ts"
import { probeCycles, timerCycles } from "../plan/probe.ts"
import { TaskLog } from "../plan/task-log.ts"

/** The producer's measureLatency (ipc-producer/latency.ts) is the other side, step for step. */
export function echoLatency(plan: Plan): TaskReport {
  const log = new TaskLog()
  const { self, frame } = plan
  const geometry = latencyGeometry(frame.address, plan.slots, plan.bytes)
  const timer = timerCycles()
  const pingPong = new PingPong(self.vspace, frame, geometry, false, SPIN)
  const probe = (): number => probeCycles(self.vspace, geometry.probeLeader, geometry.probeFollower, false)

  for (let round = 0; round < WARM_UP_ROUNDS; round++) pingPong.answer()
  probe()
  for (let round = 0; round < BLOCKS * BLOCK_ROUNDS; round++) pingPong.answer()
  const stamped = new Float64Array(STAMPED_ROUNDS)
  for (let round = 0; round < STAMPED_ROUNDS; round++) stamped[round] = pingPong.stampedAnswer()
  probe()

  log.countItems(BLOCKS * BLOCK_ROUNDS + STAMPED_ROUNDS)
  return log.report("answered every message", { latencyEcho: { stamp: scaled(percentiles(stamped), 1, timer) } })
}
