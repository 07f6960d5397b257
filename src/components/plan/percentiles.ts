// percentiles.ts: order statistics of a run's samples, exact because all samples are kept.

import type { Percentiles } from "../../protocols/ipc-test.ts"

/** Sorts `samples` in place. Nearest rank; `samples` must not be empty. */
export function percentiles(samples: Float64Array): Percentiles {
  samples.sort()
  const at = (share: number): number => samples[Math.min(samples.length - 1, Math.floor(samples.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}

/** The same figures, each multiplied by `factor` and not below 0. */
export function scaled(figures: Percentiles, factor: number, subtract = 0): Percentiles {
  const scale = (value: number): number => Math.max(0, (value - subtract) * factor)
  return { p50: scale(figures.p50), p99: scale(figures.p99), p999: scale(figures.p999), max: scale(figures.max) }
}

/** Half of what a time stamp advances by: a finer step would show the clock, and not the times. */
const QUANTUM_CYCLES = 13

/** Counts in at most `buckets` steps from the lowest sample to the 99th percentile; what lies beyond is counted in the last. */
export function histogramOf(sorted: Float64Array, buckets: number): { lowest: number; step: number; counts: number[] } {
  const lowest = sorted[0] ?? 0
  const high = sorted[Math.floor(sorted.length * 0.99)] ?? lowest
  const step = Math.max(1, Math.ceil((high - lowest) / buckets / QUANTUM_CYCLES)) * QUANTUM_CYCLES
  const counts = new Array<number>(Math.min(buckets, Math.floor((high - lowest) / step) + 1)).fill(0)
  for (const sample of sorted) {
    const bucket = Math.min(counts.length - 1, Math.floor((sample - lowest) / step))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  return { lowest, step, counts }
}

const BUCKETS_IN_OCTAVE = 8

/**
 * Counts for a log axis, as pairs [b, count]: values of 2^(b/8) up to 2^((b+1)/8). What lies below 1 is counted as 1.
 * @param factor and @param subtract as in `scaled`
 */
export function logHistogram(samples: Float64Array, factor: number, subtract = 0): [bucket: number, count: number][] {
  const counts = new Map<number, number>()
  for (const sample of samples) {
    const bucket = Math.floor(Math.log2(Math.max(1, (sample - subtract) * factor)) * BUCKETS_IN_OCTAVE)
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  return [...counts].sort(([a], [b]) => a - b)
}
