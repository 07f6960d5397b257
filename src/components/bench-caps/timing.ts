// timing.ts: how long calls take, in microseconds.

import type { Latency } from "../../protocols/bench-caps.ts"
import { percentiles } from "../plan/percentiles.ts"
import { monotonicNs } from "../runtime/index.ts"

/** Microseconds that `work` takes. */
export function timed(work: () => void): number {
  const begun = monotonicNs()
  work()
  return (monotonicNs() - begun) / 1e3
}

/** @param samples microseconds, at least one; sorted in place */
export function latencyOf(samples: Float64Array): Latency {
  const { p50, p99, max } = percentiles(samples)
  return { p50, p99, max }
}
