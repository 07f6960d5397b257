// statistics.ts: medians and quartiles, and whether trials may be compared at all.

import type { Placement, Trial } from "./row.ts"

/** Probes that differ more than this belong to different placements of the two processors. */
const PROBE_CHANGE = 1.35
/** Upper ends of the placements, ns: two threads of one core, one shared cache, far apart. Beyond: X. */
const PLACEMENTS = [
  ["S", 70],
  ["N", 200],
  ["F", 700],
] as const

type Probed = Pick<Trial, "probe_ns">

/** Middle value; the mean of the two middle ones where the count is even. NaN of nothing. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** Linear between the neighbours; NaN of nothing. @param share 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

/** Half the distance of the quartiles, as a share of the median: what the values differ by without any cause. */
export function noiseOf(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values)
}

/** Mean of a trial's probes, ns; NaN where it had none. */
export function probeOf({ probe_ns }: Probed): number {
  return probe_ns === null ? Number.NaN : (probe_ns.before + probe_ns.after) / 2
}

export function placementOf(probeNs: number): Placement {
  if (Number.isNaN(probeNs)) return "1"
  return PLACEMENTS.find(([, below]) => probeNs < below)?.[0] ?? "X"
}

/** True when every probe, before and after each of the trials, found the same placement. */
export function steady(trials: readonly Probed[]): boolean {
  const probes = trials.flatMap(({ probe_ns }) => (probe_ns === null ? [] : [probe_ns.before, probe_ns.after]))
  return probes.length === 0 || Math.max(...probes) / Math.min(...probes) <= PROBE_CHANGE
}
