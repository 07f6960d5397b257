// main.ts: bench-ring: one end of a trial, as its arguments say. The leader measures and reports, the follower follows.

import { BenchArg, BenchForm, BenchMode, type BenchReport, BenchRole, BenchWait } from "../../protocols/bench.ts"
import { latencyGeometry } from "../plan/latency-steps.ts"
import { logHistogram, percentiles, scaled } from "../plan/percentiles.ts"
import { PARK, PingPong, SPIN } from "../plan/ping-pong.ts"
import { probeCycles, timerCycles } from "../plan/probe.ts"
import { component, processors, tsc, tscInfo } from "../runtime/index.ts"
import { SignalPair } from "./signals.ts"
import { receiveStream, sendStream } from "./stream.ts"

/** Medians of spinning trips come from blocks: a stamp resolves 26 cycles only. */
const BLOCK_ROUNDS = 1_000
/** Trips before anything is measured, so that both ends run optimised code. */
const WARM_UP_ROUNDS = 20_000
const PARKED_WARM_UP_ROUNDS = 500

const NOTHING = {
  rttNs: null,
  histogram: null,
  onewayCyclesP50: null,
  messagesPerSecond: null,
  signalNs: null,
} as const
const STRATEGIES = { [BenchWait.spin]: SPIN, [BenchWait.park]: PARK, [BenchWait.default]: {} } as const

component(self => {
  const leader = self.argument(BenchArg.role) === BenchRole.leader
  const mode = self.argument(BenchArg.mode)
  const wait = self.argument(BenchArg.wait) as keyof typeof STRATEGIES
  const samples = self.argument(BenchArg.samples)
  const frame = self.frame(self.argument(0))
  const form = self.argument(BenchArg.form) === BenchForm.slot ? "slot" : "index"
  const geometry = latencyGeometry(frame.address, self.argument(BenchArg.slots), self.argument(BenchArg.bytes), form)
  const { hz } = tscInfo()
  // Before it is pinned: afterwards every component has one processor.
  const spins = wait === BenchWait.spin || (wait === BenchWait.default && processors().length > 1)
  const strategy = wait === BenchWait.default && spins ? { spinNs: 50_000 } : STRATEGIES[wait]
  self.pin(self.argument(BenchArg.cpu))
  const timer = timerCycles()
  const probe = (): number => {
    const cycles = probeCycles(self.vspace, geometry.probeLeader, geometry.probeFollower, leader)
    return (cycles * 1e9) / hz
  }

  if (mode === BenchMode.stream) {
    const work = {
      count: samples,
      batch: self.argument(BenchArg.batch),
      inPlace: self.argument(BenchArg.inPlace) === 1,
      payload: self.argument(BenchArg.payload),
    }
    const before = probe()
    if (leader) sendStream(self.vspace, frame, geometry, work)
    const messagesPerSecond = leader ? null : receiveStream(self.vspace, frame, geometry, work)
    const after = probe()
    const report: BenchReport = { ...NOTHING, hz, probeNs: { before, after }, messagesPerSecond }
    return self.report(report)
  }

  const pair =
    mode === BenchMode.signals
      ? new SignalPair(self, leader, strategy)
      : new PingPong(self.vspace, frame, geometry, leader, strategy)
  const trip = leader ? () => pair.roundTrip() : () => pair.answer()
  repeat(spins ? WARM_UP_ROUNDS : PARKED_WARM_UP_ROUNDS, trip)
  const before = probe()
  const blocks = spins ? new Float64Array(Math.ceil(samples / BLOCK_ROUNDS)) : new Float64Array(0)
  for (let block = 0; block < blocks.length; block++) {
    const begun = tsc()
    repeat(BLOCK_ROUNDS, trip)
    blocks[block] = (tsc() - begun) / BLOCK_ROUNDS
  }
  const stamped = new Float64Array(samples)
  for (let round = 0; round < samples; round++) {
    stamped[round] = leader ? pair.stampedRoundTrip() : pair.stampedAnswer()
  }
  const signalNs = leader && pair instanceof SignalPair ? (pair.unheardSignalCycles() * 1e9) / hz : null
  const after = probe()

  const cycles = scaled(percentiles(stamped), 1, timer)
  const p50 = spins ? percentiles(blocks).p50 : cycles.p50
  const report: BenchReport = {
    ...NOTHING,
    hz,
    probeNs: { before, after },
    rttNs: scaled({ ...cycles, p50 }, 1e9 / hz),
    histogram: logHistogram(stamped, 1e9 / hz, timer),
    onewayCyclesP50: p50 / 2,
    signalNs,
  }
  self.report(report)
})

function repeat(rounds: number, work: () => void): void {
  for (let round = 0; round < rounds; round++) work()
}
