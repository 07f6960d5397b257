// charts.ts: the report's charts as plain data: what the page's script draws.

import type { Contest, Results } from "../results.ts"

export interface Series {
  readonly name: string
  /** Ours, the C++ reference's, or another's: by it the script chooses a colour. */
  readonly kind: "ours" | "reference" | "other"
  /** One for each x; null where there is nothing. */
  readonly values: readonly (number | null)[]
}

export interface Chart {
  readonly x: readonly number[]
  readonly series: readonly Series[]
}

const MESSAGE_BYTES = 64
const BUCKETS_IN_OCTAVE = 8
/** Less than this share of the trips is not drawn: one in a thousand is the tail's, and the table has it. */
const LEAST_PERCENT = 0.05

export function chartsOf(results: Results): { latency: Chart; sizes: Chart; probes: Chart } {
  const contests = Object.values(results).flatMap(suite => suite.contests)
  const probes = Object.values(results).flatMap(suite => suite.probes)
  return {
    latency: latencyChart(contests.filter(({ bytes }) => bytes === MESSAGE_BYTES)),
    sizes: sizesChart(contests.filter(({ suite }) => suite === "sizes")),
    probes: {
      x: probes.map((_, index) => index),
      series: [{ name: "bare round trip", kind: "reference", values: probes }],
    },
  }
}

export function nameOf({ of, variant, work }: Contest): string {
  const parked = work.startsWith("park") ? ", parked" : work.startsWith("spin") ? ", spinning" : ""
  const inPlace = /in place|block/.test(work) ? ", in place" : ""
  return `${of}${variant === null || of !== "C++" ? "" : ` ${variant}`}${parked}${inPlace}`
}

export function kindOf({ of }: Contest): Series["kind"] {
  return of.startsWith("kaal-ipc") ? "ours" : of === "C++" ? "reference" : "other"
}

/** The fastest variant of each contender at each work: more lines would show less. */
export function fastest(contests: readonly Contest[], isBetter: (a: Contest, b: Contest) => boolean): Contest[] {
  const best = new Map<string, Contest>()
  for (const contest of contests) {
    const key = `${contest.of} ${contest.work} ${contest.bytes}`
    const other = best.get(key)
    if (other === undefined || isBetter(contest, other)) best.set(key, contest)
  }
  return [...best.values()]
}

function latencyChart(contests: readonly Contest[]): Chart {
  const measured = fastest(
    contests.filter(({ histogram }) => histogram !== null),
    (a, b) => (a.rttNs ?? 0) < (b.rttNs ?? 0),
  ).sort((a, b) => (a.rttNs ?? 0) - (b.rttNs ?? 0))
  const shares = measured.map(({ histogram }) => {
    const all = (histogram ?? []).reduce((sum, [, count]) => sum + count, 0)
    return new Map((histogram ?? []).map(([bucket, count]) => [bucket, (count / all) * 100]))
  })
  const visible = shares.flatMap(share => [...share].filter(([, percent]) => percent >= LEAST_PERCENT).map(([b]) => b))
  if (visible.length === 0) return { x: [], series: [] }
  const [first, last] = [Math.min(...visible) - 1, Math.max(...visible) + 1]
  const buckets = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  return {
    x: buckets.map(bucket => 2 ** ((bucket + 0.5) / BUCKETS_IN_OCTAVE)),
    series: measured.map((contest, index) => ({
      name: nameOf(contest),
      kind: kindOf(contest),
      values: buckets.map(bucket => shares[index]?.get(bucket) ?? 0),
    })),
  }
}

function sizesChart(contests: readonly Contest[]): Chart {
  const faster = (a: Contest, b: Contest): boolean => (a.messagesPerSecond ?? 0) > (b.messagesPerSecond ?? 0)
  const best = fastest(contests, faster)
  const sizes = [...new Set(best.map(({ bytes }) => bytes))].sort((a, b) => a - b)
  const lines = new Map<string, Contest[]>()
  for (const contest of best) {
    const name = kindOf(contest) === "reference" ? nameOf({ ...contest, variant: null }) : nameOf(contest)
    lines.set(name, [...(lines.get(name) ?? []), contest])
  }
  return {
    x: sizes,
    series: [...lines].map(([name, points]) => ({
      name,
      kind: kindOf(points[0] as Contest),
      values: sizes.map(size => {
        const rates = points.filter(({ bytes }) => bytes === size).map(point => (point.messagesPerSecond ?? 0) * size)
        return rates.length === 0 ? null : Math.max(...rates)
      }),
    })),
  }
}
