// latency.ts: the latency trial, leader's side: messages there and back, both ends spinning.

import type { TaskReport } from "../../protocols/ipc-test.ts"
import { BLOCK_ROUNDS, BLOCKS, latencyGeometry, STAMPED_ROUNDS, WARM_UP_ROUNDS } from "../plan/latency-steps.ts"
import type { Plan } from "../plan/open-plan.ts"
import { histogramOf, percentiles } from "../plan/percentiles.ts"
import { PingPong, SPIN } from "../plan/ping-pong.ts"
import { probeCycles, timerCycles } from "../plan/probe.ts"
import { TaskLog } from "../plan/task-log.ts"
import { tsc, tscInfo } from "../runtime/index.ts"

const HISTOGRAM_BUCKETS = 16

/** The consumer's echoLatency (ipc-consumer/latency.ts) is the other side, step for step. */
export function measureLatency(plan: Plan): TaskReport {
  const log = new TaskLog()
  const { self, frame } = plan
  const geometry = latencyGeometry(frame.address, plan.slots, plan.bytes)
  const { hz } = tscInfo()
  const nsPerCycle = hz === 0 ? 0 : 1e9 / hz
  const timer = timerCycles()
  const pingPong = new PingPong(self.vspace, frame, geometry, true, SPIN)
  const probe = (): number => probeCycles(self.vspace, geometry.probeLeader, geometry.probeFollower, true) * nsPerCycle

  for (let round = 0; round < WARM_UP_ROUNDS; round++) pingPong.roundTrip()
  const before = probe()
  const blocks = new Float64Array(BLOCKS)
  for (let block = 0; block < BLOCKS; block++) {
    const begun = tsc()
    for (let round = 0; round < BLOCK_ROUNDS; round++) pingPong.roundTrip()
    blocks[block] = (tsc() - begun) / BLOCK_ROUNDS / 2
  }
  const stamped = new Float64Array(STAMPED_ROUNDS)
  // Only this end's stamp is subtracted. The follower takes one as well, but part of it overlaps with what is measured.
  for (let round = 0; round < STAMPED_ROUNDS; round++) stamped[round] = (pingPong.stampedRoundTrip() - timer) / 2
  const after = probe()

  const samples = BLOCKS * BLOCK_ROUNDS + STAMPED_ROUNDS
  const oneWay = percentiles(stamped)
  const histogram = histogramOf(stamped, HISTOGRAM_BUCKETS)
  log.countItems(samples)
  return log.report(`p50 ${Math.round(oneWay.p50)} cycles one way`, {
    latency: {
      samples,
      hz,
      timerCycles: timer,
      probeNs: { before, after },
      oneWay,
      blocks: percentiles(blocks),
      histogram,
    },
  })
}
