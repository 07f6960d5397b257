// trend.ts: whether a series of noisy samples rises: a slope that outliers do not move, and between which it lies.

/** Change of y for one of x; with a confidence of 95 % it lies between `low` and `high`. */
export interface Slope {
  readonly slope: number
  readonly low: number
  readonly high: number
}

const CONFIDENCE_95 = 1.96

/**
 * Theil and Sen: the median of the slopes between all pairs of points; its interval from the variance of Kendall's statistic.
 * Points must be independent: of a saw-tooth take one a tooth.
 * @param points [x, y], no two of the same x; fewer than 3 have no slope: 0, between infinities
 */
export function theilSen(points: readonly (readonly [number, number])[]): Slope {
  const count = points.length
  if (count < 3) return { slope: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY }
  const slopes = points
    .flatMap(([x, y], at) => points.slice(at + 1).map(([laterX, laterY]) => (laterY - y) / (laterX - x)))
    .sort((a, b) => a - b)
  const reach = CONFIDENCE_95 * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18)
  const at = (rank: number): number => slopes[Math.min(slopes.length - 1, Math.max(0, Math.round(rank)))] as number
  return { slope: median(slopes), low: at((slopes.length - reach) / 2 - 1), high: at((slopes.length + reach) / 2) }
}

/** NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Median of the last third over that of the first; 1 where there are too few to say. */
export function drift(values: readonly number[]): number {
  const third = Math.floor(values.length / 3)
  return third === 0 ? 1 : median(values.slice(-third)) / median(values.slice(0, third))
}
