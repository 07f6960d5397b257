// criteria.ts: the plan's six criteria, each with the figure that it rests on.

import type { CriterionResult } from "../../protocols/ipc-test.ts"
import type { LatencyOutcome } from "./latency.ts"
import type { TestOutcome } from "./tests.ts"

const LATENCY_LIMIT_CYCLES = 500

/** @param tests Tests 1 to 3 in order. @param latency null where a test failed, so that nothing was measured */
export function criteriaOf(tests: readonly TestOutcome[], latency: LatencyOutcome | null): CriterionResult[] {
  const [signalling, sharedMemory, ring] = tests
  if (signalling === undefined || sharedMemory === undefined || ring === undefined)
    throw new Error("Three tests make the criteria")
  const { producer, consumer } = ring.pair
  const intact = producer.checksum !== undefined && producer.checksum === consumer.checksum && consumer.ok
  return [
    {
      name: "Two components spawn simultaneously",
      ok: ring.overlapMs > 0,
      value: round(ring.overlapMs),
      limit: "> 0",
      unit: "ms both at work",
    },
    {
      name: "Shared memory accessible from both",
      ok: sharedMemory.result.ok,
      value: sharedMemory.pair.producer.items - 1 + sharedMemory.pair.consumer.items - 1,
      limit: "all",
      unit: "bytes verified",
    },
    {
      name: "Notifications across components",
      ok: signalling.result.ok,
      value: signalling.pair.producer.items + signalling.pair.consumer.items,
      limit: "all",
      unit: "waits and polls as expected",
    },
    {
      name: "SharedRing functional",
      ok: ring.result.ok,
      value: consumer.items - 1,
      limit: producer.items,
      unit: "items in order",
    },
    {
      name: "Data integrity",
      ok: intact,
      value: consumer.failures.length,
      limit: 0,
      unit: `corrupt items; checksum ${(consumer.checksum ?? 0).toString(16).padStart(8, "0")} at both ends`,
    },
    latencyCriterion(latency),
  ]
}

function latencyCriterion(latency: LatencyOutcome | null): CriterionResult {
  const name = "IPC latency, p50 one way"
  if (latency === null)
    return { name, ok: false, value: "not measured: a test failed", limit: LATENCY_LIMIT_CYCLES, unit: "cycles" }
  if (latency.failures.length > 0) {
    return { name, ok: false, value: latency.failures.join("; "), limit: LATENCY_LIMIT_CYCLES, unit: "cycles" }
  }
  if (latency.cycles === null) {
    return {
      name,
      ok: true,
      value: `not measurable here: ${latency.reason}`,
      limit: LATENCY_LIMIT_CYCLES,
      unit: "cycles",
    }
  }
  const { p50 } = latency.cycles
  return { name, ok: p50 < LATENCY_LIMIT_CYCLES, value: round(p50), limit: LATENCY_LIMIT_CYCLES, unit: "cycles" }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
