// latency.ts: makes latency trials until some say something, and puts the two sides' figures together.

import {
  type LatencySummary,
  type Percentiles,
  type Placement,
  Task,
  type TaskReport,
} from "../../protocols/ipc-test.ts"
import { latencyGeometry } from "../plan/latency-steps.ts"
import { type Component, monotonicNs, PAGE_BYTES, processors, SharedRing } from "../runtime/index.ts"
import { runTask, type TaskConfig } from "./pair.ts"
import type { Steps } from "./steps.ts"
import type { Options } from "./tests.ts"

/** A trial says nothing about this software when the bare cache-line round trip alone takes longer. */
const PROBE_LIMIT_NS = 200
/** A probe that differs more than this before and after means that the host has moved a processor meanwhile. */
const PROBE_CHANGE = 1.3
/** How long a trial that says something is looked for. */
const PATIENCE_NS = 60e9
/** Trials from the first that says something on. Whoever else uses the machine only makes them slower: the fastest counts. */
const TRIALS = 5

/** Bounds of the placements, ns of the probe: two threads of one core; one shared cache. Farther apart than that: F. */
const PLACEMENT_S_NS = 70
const PLACEMENT_N_NS = 200

/** Latency is measured at the plan's message size, whatever Test 3 used. */
const MESSAGE = { slots: 32, bytes: 64 }

export type LatencyOutcome = LatencySummary & { readonly failures: readonly string[]; readonly reason: string | null }

/** `reason` says why there is no latency; `failures` what went wrong, as against what could not be measured. */
export function measure(self: Component, options: Options, steps: Steps): LatencyOutcome {
  const cpus = processors()
  const wakes = steps.run("Latency with a sleeping peer", () => {
    const config = { task: Task.wake, frameBytes: PAGE_BYTES, ...MESSAGE, items: 0, cpus: options.pin ? cpus : [] }
    return runTask(self, config)
  })
  const { wake } = wakes.producer
  const { wakeEcho } = wakes.consumer
  const base = {
    ringOp: wake?.ringOp ?? NOTHING,
    signalNoWake: wake?.signalNoWake ?? NOTHING,
    signalWake: wakeEcho?.signalWake ?? NOTHING,
    parkedRoundTrip: wake?.parkedRoundTrip ?? NOTHING,
    hz: wake?.hz ?? 0,
  }
  const failures = [...wakes.producer.failures, ...wakes.consumer.failures]
  if (cpus.length < 2) {
    return { ...base, ...UNMEASURED, failures, reason: "there is a single processor to run on" }
  }
  return {
    ...base,
    ...steps.run("Latency, both ends spinning", () => spinningTrials(self, cpus, options.pin, failures, steps)),
  }
}

const NOTHING: Percentiles = { p50: 0, p99: 0, p999: 0, max: 0 }
const UNMEASURED = {
  samples: 0,
  trials: [],
  probeNs: null,
  placement: null,
  timerCycles: null,
  cycles: null,
  ns: null,
  blocks: null,
  stamp: null,
  histogram: null,
} as const

type Spinning = Omit<LatencyOutcome, "ringOp" | "signalNoWake" | "signalWake" | "parkedRoundTrip">

function spinningTrials(
  self: Component,
  cpus: readonly number[],
  pin: boolean,
  failures: readonly string[],
  steps: Steps,
): Spinning {
  const giveUpAt = monotonicNs() + PATIENCE_NS
  const served: ReturnType<typeof summary>[] = []
  for (let trial = 1, left = TRIALS; left > 0; trial++) {
    const { producer, consumer } = runTask(self, latencyConfig(self, pin ? cpus : []))
    const { latency } = producer
    const { latencyEcho } = consumer
    if (latency === undefined || latencyEcho === undefined) {
      const broken = [...failures, ...producer.failures, ...consumer.failures]
      return { ...UNMEASURED, hz: 0, failures: broken, reason: "the trial failed" }
    }
    if (latency.hz === 0) {
      return { ...UNMEASURED, hz: 0, failures, reason: "the processor has no constant time stamp counter" }
    }
    const { before, after } = latency.probeNs
    const probeNs = Math.max(before, after)
    const steady = probeNs / Math.min(before, after) <= PROBE_CHANGE
    if (steady && probeNs <= PROBE_LIMIT_NS) served.push(summary(latency, latencyEcho, probeNs))
    if (served.length > 0) {
      left--
      continue
    }
    const found =
      `the bare cache-line round trip took ${before.toFixed(0)} ns before the trial and ${after.toFixed(0)} ns after it; ` +
      `it must be at most ${PROBE_LIMIT_NS} ns and hold still`
    if (trial === 1) steps.note(`${found}: trying again for up to ${PATIENCE_NS / 1e9} s (a quieter machine helps)`)
    if (monotonicNs() > giveUpAt) {
      const reason = `${found}, in ${trial} trials`
      return { ...UNMEASURED, probeNs, hz: latency.hz, failures, reason }
    }
  }
  const fastest = served.reduce((best, other) => (other.cycles.p50 < best.cycles.p50 ? other : best))
  return { ...fastest, trials: served.map(({ cycles }) => cycles.p50), failures, reason: null }
}

function latencyConfig(self: Component, cpus: readonly number[]): TaskConfig {
  const { totalBytes } = latencyGeometry(0, MESSAGE.slots, MESSAGE.bytes)
  const ring = { capacity: MESSAGE.slots, slotBytes: MESSAGE.bytes }
  const prepare = (base: number): void => {
    const { there, back, ringBytes } = latencyGeometry(base, MESSAGE.slots, MESSAGE.bytes)
    for (const address of [there, back]) SharedRing.create(self.vspace, address, ringBytes, ring)
  }
  return { task: Task.latency, frameBytes: totalBytes, ...MESSAGE, items: 0, cpus, prepare }
}

function summary(
  latency: NonNullable<TaskReport["latency"]>,
  { stamp }: NonNullable<TaskReport["latencyEcho"]>,
  probeNs: number,
) {
  const { samples, hz, timerCycles, oneWay, blocks, histogram } = latency
  const toNs = (cycles: number): number => (cycles * 1e9) / hz
  const ns = { p50: toNs(oneWay.p50), p99: toNs(oneWay.p99), p999: toNs(oneWay.p999), max: toNs(oneWay.max) }
  const placement: Placement = probeNs < PLACEMENT_S_NS ? "S" : probeNs < PLACEMENT_N_NS ? "N" : "F"
  return { samples, probeNs, placement, hz, timerCycles, cycles: oneWay, ns, blocks, stamp, histogram }
}
