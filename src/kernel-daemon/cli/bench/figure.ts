// figure.ts: a figure out of rounds: the best of ours beside the best of theirs, and what its limit says.

import { type Pair, pairsOf, type Round } from "./rounds.ts"
import type { Figure, Limit, Placement, Trial, Verdict } from "./row.ts"
import { median, placementOf, probeOf } from "./statistics.ts"
import type { Run } from "./suite.ts"

const BARE_ROUND_TRIP = "the bare round trip alone exceeds the limit: not measurable in this placement"

export interface FigureSpec {
  readonly suite: string
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly moreIsBetter: boolean
  /** Out of a trial; null or NaN: it has none. */
  readonly pick: (trial: Trial) => number | null | undefined
  readonly limit?: Limit
  /** The limit was set for this placement alone. */
  readonly onlyIn?: Placement
  /** The least that this host allows, in the figure's unit: a limit below it cannot be reached by anybody. */
  readonly floor?: (probeNs: number) => number
  /** What to say then; by default that it is the bare cache-line round trip. */
  readonly floorIs?: string
  readonly note?: string
}

/**
 * @param ours   names of contenders; the best counts
 * @param theirs likewise; none: our figure alone
 */
export function figureOf(
  run: Run,
  spec: FigureSpec,
  rounds: readonly Round[],
  ours: readonly string[],
  theirs: readonly string[],
): Figure {
  const candidates = ours.flatMap(our =>
    (theirs.length === 0 ? [our] : theirs).map(their => ({
      our,
      their,
      pairs: pairsOf(rounds, our, their, run.quick),
    })),
  )
  const of = (which: keyof Pair, pairs: readonly Pair[]): number[] =>
    pairs.map(pair => spec.pick(pair[which]) ?? Number.NaN)
  const better = (a: number, b: number): boolean => Number.isNaN(b) || (spec.moreIsBetter ? a > b : a < b)
  let best = candidates[0] as (typeof candidates)[number]
  for (const candidate of candidates) {
    const [mine, bests] = [candidate, best].map(({ pairs }) => [median(of("ours", pairs)), median(of("theirs", pairs))])
    if (
      candidate.our === best.our
        ? better(mine?.[1] as number, bests?.[1] as number)
        : better(mine?.[0] as number, bests?.[0] as number)
    )
      best = candidate
  }
  const { our, their, pairs } = best
  const alone = theirs.length === 0
  const [mine, others] = [of("ours", pairs), of("theirs", pairs)]
  return judged(run, spec, {
    by: our,
    against: alone ? null : their,
    mine,
    others: alone ? [] : others,
    probeNs: median(
      pairs.flatMap(pair => [probeOf(pair.ours), probeOf(pair.theirs)]).filter(probe => !Number.isNaN(probe)),
    ),
  })
}

export interface Measured {
  readonly by: string
  readonly against: string | null
  /** One value for each pair. */
  readonly mine: readonly number[]
  /** Likewise; empty where nobody is beside us. */
  readonly others: readonly number[]
  /** NaN where both ends share a processor. */
  readonly probeNs: number
}

/** The figure of values that are there already, with its verdict. */
export function judged(run: Run, spec: FigureSpec, measured: Measured): Figure {
  const { suite, key, title, unit, moreIsBetter, limit = null } = spec
  const { by, against, mine, others, probeNs } = measured
  const ratios = others.length === 0 ? [] : mine.map((value, index) => value / (others[index] as number))
  const [ours, theirs, ratio] = [mine, others, ratios].map(values => orNull(median(values))) as [
    number | null,
    number | null,
    number | null,
  ]
  const [verdict, why] = verdictOf(run, spec, limit?.of === "ratio" ? ratio : ours, mine.length, probeNs)
  return {
    what: "figure",
    suite,
    key,
    title,
    unit,
    moreIsBetter,
    ours,
    theirs,
    by,
    against,
    ratios,
    ratio,
    limit,
    verdict,
    // Without a probe there is none to name: both ends share a processor, or are left where they are.
    placement: Number.isNaN(probeNs) ? null : placementOf(probeNs),
    probe_ns: orNull(probeNs),
    note: [spec.note, why].filter(Boolean).join("; "),
  }
}

function verdictOf(
  run: Run,
  { limit, onlyIn, floor, floorIs = BARE_ROUND_TRIP }: FigureSpec,
  value: number | null,
  pairs: number,
  probeNs: number,
): [Verdict, string?] {
  if (limit === undefined) return ["shown"]
  if (run.quick) return ["shown", "a quick run judges nothing"]
  if (value === null || pairs < run.pairs) {
    return [
      "not measurable",
      `${pairs} of ${run.pairs} pairs were within one placement: the host kept moving the processors`,
    ]
  }
  if (onlyIn !== undefined && placementOf(probeNs) !== onlyIn) {
    return ["not measurable", `asked of placement ${onlyIn}; not measurable in this placement`]
  }
  const least = floor?.(probeNs) ?? Number.NEGATIVE_INFINITY
  if (limit.atMost !== undefined && least > limit.atMost) {
    return ["not measurable", floorIs]
  }
  const isKept =
    value <= (limit.atMost ?? Number.POSITIVE_INFINITY) && value >= (limit.atLeast ?? Number.NEGATIVE_INFINITY)
  return [isKept ? "ok" : "missed"]
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value
}
