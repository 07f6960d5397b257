// caps-suite-row.ts: one figure of `bench caps`, and whether it keeps its limit.

import { median } from "./statistics.ts"

export interface CapsRow {
  readonly what: string
  /** Median of the trials. */
  readonly value: number
  /** "ops/s", "ns", "us", "ms", "bytes", or "x" for a ratio. */
  readonly unit: string
  /** Null for a figure that is only shown. For "ops/s" the least that is allowed, for every other unit the most. */
  readonly limit: number | null
  /** Null where there is no limit. */
  readonly ok: boolean | null
  /** Least and greatest trial. */
  readonly spread: readonly [number, number]
  /** Under which circumstances, for people. */
  readonly note: string
}

export interface Figure {
  readonly what: string
  readonly unit: string
  readonly limit?: number
  readonly note?: string
}

/** True for units of which more is better. */
export function wantsMore(unit: string): boolean {
  return unit === "ops/s"
}

/** @param trials one value each, at least one */
export function rowOf({ what, unit, note = "", ...figure }: Figure, trials: readonly number[]): CapsRow {
  const limit = figure.limit ?? null
  const value = median(trials)
  const ok = limit === null ? null : wantsMore(unit) ? value >= limit : value <= limit
  return { what, value, unit, limit, ok, spread: [Math.min(...trials), Math.max(...trials)], note }
}
