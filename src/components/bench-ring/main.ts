// main.ts: bench-ring: one end of a trial, as its arguments say. The leader measures and reports, the follower follows.

import { BenchArg, BenchMode, type BenchReport, BenchRole } from "../../protocols/bench.ts"
import { latencyGeometry } from "../plan/latency-steps.ts"
import { percentiles, scaled } from "../plan/percentiles.ts"
import { PARK, PingPong, SPIN } from "../plan/ping-pong.ts"
import { probeCycles, timerCycles } from "../plan/probe.ts"
import { component, tsc, tscInfo } from "../runtime/index.ts"
import { receiveStream, sendStream } from "./stream.ts"

/** Medians of spinning trips come from blocks: a stamp resolves 26 cycles only. */
const BLOCK_ROUNDS = 1_000
/** Trips before anything is measured, so that both ends run optimised code. */
const WARM_UP_ROUNDS = 20_000
const PARKED_WARM_UP_ROUNDS = 500

component(self => {
  const leader = self.argument(BenchArg.role) === BenchRole.leader
  const mode = self.argument(BenchArg.mode)
  const samples = self.argument(BenchArg.samples)
  const slots = self.argument(BenchArg.slots)
  const bytes = self.argument(BenchArg.bytes)
  self.pin(self.argument(BenchArg.cpu))
  const frame = self.frame(self.argument(0))
  const geometry = latencyGeometry(frame.address, slots, bytes)
  const { hz } = tscInfo()
  const timer = timerCycles()
  const probe = (): number => {
    const cycles = probeCycles(self.vspace, geometry.probeLeader, geometry.probeFollower, leader)
    return (cycles * 1e9) / hz
  }

  if (mode === BenchMode.stream) {
    const before = probe()
    if (leader) sendStream(self.vspace, frame, geometry, samples)
    const messagesPerSecond = leader ? null : receiveStream(self.vspace, frame, geometry, samples)
    const after = probe()
    return self.report({ hz, probeNs: { before, after }, rttNs: null, onewayCyclesP50: null, messagesPerSecond })
  }

  const spinning = mode === BenchMode["spin-pingpong"]
  const pingPong = new PingPong(self.vspace, frame, geometry, leader, spinning ? SPIN : PARK)
  const trip = leader ? () => pingPong.roundTrip() : () => pingPong.answer()
  repeat(spinning ? WARM_UP_ROUNDS : PARKED_WARM_UP_ROUNDS, trip)
  const before = probe()
  const blocks = spinning ? new Float64Array(Math.ceil(samples / BLOCK_ROUNDS)) : new Float64Array(0)
  for (let block = 0; block < blocks.length; block++) {
    const begun = tsc()
    repeat(BLOCK_ROUNDS, trip)
    blocks[block] = (tsc() - begun) / BLOCK_ROUNDS
  }
  const stamped = new Float64Array(samples)
  for (let round = 0; round < samples; round++) {
    stamped[round] = leader ? pingPong.stampedRoundTrip() : pingPong.stampedAnswer()
  }
  const after = probe()

  const cycles = scaled(percentiles(stamped), 1, timer)
  const p50 = spinning ? percentiles(blocks).p50 : cycles.p50
  const report: BenchReport = {
    hz,
    probeNs: { before, after },
    rttNs: scaled({ ...cycles, p50 }, 1e9 / hz),
    onewayCyclesP50: p50 / 2,
    messagesPerSecond: null,
  }
  self.report(report)
})

function repeat(rounds: number, work: () => void): void {
  for (let round = 0; round < rounds; round++) work()
}
