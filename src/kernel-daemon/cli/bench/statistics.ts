// statistics.ts: medians, and whether trials may be compared at all.

import type { Trial } from "./trial.ts"

/** Probes that differ more than this belong to different placements of the two processors. */
const PROBE_CHANGE = 1.35

/** Middle value; the mean of the two middle ones where the count is even. NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

export function probeOf({ probe_ns }: Trial): number {
  return (probe_ns.before + probe_ns.after) / 2
}

/** True when every probe, before and after each of the trials, found the same placement. */
export function steady(trials: readonly Pick<Trial, "probe_ns">[]): boolean {
  const probes = trials.flatMap(({ probe_ns }) => [probe_ns.before, probe_ns.after])
  return Math.max(...probes) / Math.min(...probes) <= PROBE_CHANGE
}
