// criteria.ts: the plan's six criteria, each with the figure that it rests on.

import type { CriterionResult } from "../../protocols/ipc-test.ts"
import type { LatencyOutcome } from "./latency.ts"
import type { TestOutcome } from "./tests.ts"

const LATENCY_LIMIT_CYCLES = 500

/** @param tests Tests 1 to 3 first, in order. @param latency null where a test failed, so that nothing was measured */
export function criteriaOf(tests: readonly TestOutcome[], latency: LatencyOutcome | null): CriterionResult[] {
  const [signalling, sharedMemory, ring] = tests
  if (signalling === undefined || sharedMemory === undefined || ring === undefined) {
    throw new Error("Three tests make the criteria")
  }
  const { producer, consumer } = ring.pair
  const intact = producer.checksum !== undefined && producer.checksum === consumer.checksum && consumer.ok
  return [
    {
      name: "Two components spawn simultaneously",
      ok: ring.overlapMs > 0,
      value: round(ring.overlapMs),
      limit: "> 0",
      unit: "ms",
      evidence: "both at work at the same time, by their own first and last time stamps",
      measured: true,
    },
    {
      name: "Shared memory accessible from both",
      ok: sharedMemory.result.ok,
      value: sharedMemory.pair.producer.items - 1 + sharedMemory.pair.consumer.items - 1,
      limit: 2 * sharedMemory.frameBytes,
      unit: "bytes",
      evidence: "written by one and verified by the other, both ways",
      measured: true,
    },
    {
      name: "Notifications across components",
      ok: signalling.result.ok,
      value: signalling.pair.producer.failures.length + signalling.pair.consumer.failures.length,
      limit: 0,
      unit: "wrong",
      evidence: `of ${signalling.pair.producer.items + signalling.pair.consumer.items} waits and polls`,
      measured: true,
    },
    {
      name: "SharedRing functional",
      ok: ring.result.ok,
      value: consumer.items - 1,
      limit: producer.items,
      unit: "items",
      evidence: "arrived once, in order",
      measured: true,
    },
    {
      name: "Data integrity",
      ok: intact,
      value: consumer.failures.length,
      limit: 0,
      unit: "corrupt",
      evidence: `every word checked; checksum ${hex(producer.checksum)} sent, ${hex(consumer.checksum)} received`,
      measured: true,
    },
    latencyCriterion(latency),
  ]
}

function latencyCriterion(latency: LatencyOutcome | null): CriterionResult {
  const base = { name: "IPC latency, p50 one way", limit: LATENCY_LIMIT_CYCLES, unit: "cycles" }
  if (latency === null) return { ...base, ok: false, value: "-", evidence: "a test failed", measured: false }
  if (latency.failures.length > 0) {
    return { ...base, ok: false, value: "-", evidence: latency.failures.join("; "), measured: false }
  }
  if (latency.cycles === null) {
    return { ...base, ok: true, value: "not measurable here", evidence: latency.reason ?? "", measured: false }
  }
  const { p50 } = latency.cycles
  const { samples, trials } = latency
  const spread = `${round(Math.min(...trials))} to ${round(Math.max(...trials))}`
  const evidence = `64-byte messages, ${samples} round trips of two spinning processes, the fastest of ${trials.length} trials, ${spread}`
  return { ...base, ok: p50 < LATENCY_LIMIT_CYCLES, value: round(p50), evidence, measured: true }
}

function hex(checksum: number | undefined): string {
  return checksum === undefined ? "none" : checksum.toString(16).padStart(8, "0")
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
