// ring-suite.ts: SharedRing beside the C++ reference: latency spinning and parked, and streams, at three sizes.

import { native } from "../../../../native/index.ts"
import type { BenchModeName } from "../../../protocols/bench.ts"
import { median, probeOf, steady } from "./statistics.ts"
import { ourTrial, referenceTrial, type Trial, type TrialConfig } from "./trial.ts"

/** Our figure divided by the reference's, over alternating pairs of fresh processes. */
export interface Ratio {
  readonly what: "ratio"
  readonly mode: BenchModeName
  readonly bytes: number
  readonly variant: string
  /** "oneway_cycles_p50" (less is better) or "msgs_per_s" (more is better). */
  readonly figure: "oneway_cycles_p50" | "msgs_per_s"
  readonly pairs: number
  readonly median: number
  readonly min: number
  readonly max: number
  /** Medians over the pairs. */
  readonly ours: number
  readonly theirs: number
  readonly probe_ns: number
}

/** The host gave too few trials in which the cache-line probe held still. */
export interface Unmeasured {
  readonly what: "unmeasured"
  readonly mode: BenchModeName
  readonly bytes: number
  readonly pairs: number
  readonly reason: string
}

export type Row = Trial | Ratio | Unmeasured

export interface RingSuiteOptions {
  /** Pairs that each ratio rests on, at least 7. */
  readonly pairs: number
  readonly onRow: (row: Row) => void
  readonly progress: (text: string) => void
}

const SIZES = [8, 64, 1024] as const
const SLOTS = 1_024
/** Trials beyond those that count, for when the host moves the processors. */
const SPARE_TRIALS = 3

const MODES: Readonly<Record<BenchModeName, { samples: number; variants: readonly string[] }>> = {
  "spin-pingpong": {
    samples: 100_000,
    variants: [
      "index-release",
      "index-seqcst",
      "slot-release",
      "slot-seqcst",
      "index-seqcst+pause",
      "slot-release+pause",
    ],
  },
  stream: { samples: 2_000_000, variants: ["index-release", "index-seqcst", "slot-release", "slot-seqcst"] },
  "park-pingpong": { samples: 3_000, variants: ["index-seqcst", "futex"] },
}

/** @throws {Error} fewer than two processors, or a trial that failed */
export async function runRingSuite({ pairs, onRow, progress }: RingSuiteOptions): Promise<Row[]> {
  const [first, second] = native.affinity()
  if (first === undefined || second === undefined) {
    throw new Error("bench ring needs two processors: both ends spin; this process may use one (see taskset)")
  }
  const rows: Row[] = []
  const tell = (row: Row): void => {
    rows.push(row)
    onRow(row)
  }
  for (const mode of Object.keys(MODES) as BenchModeName[]) {
    for (const bytes of SIZES) {
      const { samples, variants } = MODES[mode]
      const config: TrialConfig = { mode, bytes, slots: SLOTS, samples, cpus: [first, second] }
      const rounds: Trial[][] = []
      for (let attempt = 0; rounds.length < pairs && attempt < pairs * SPARE_TRIALS; attempt++) {
        progress(`${mode}, ${bytes} bytes: pair ${rounds.length + 1} of ${pairs}`)
        const round = [await ourTrial(config)]
        for (const variant of variants) round.push(await referenceTrial(config, variant))
        for (const trial of round) tell(trial)
        // Figures of different placements do not compare: the host has moved a processor meanwhile.
        if (steady(round)) rounds.push(round)
      }
      if (rounds.length < pairs) {
        const reason = "the bare cache-line round trip kept changing; try again on a quieter host"
        tell({ what: "unmeasured", mode, bytes, pairs: rounds.length, reason })
      } else for (const [index, variant] of variants.entries()) tell(ratio(config, variant, rounds, index + 1))
    }
  }
  return rows
}

function ratio({ mode, bytes }: TrialConfig, variant: string, rounds: readonly Trial[][], index: number): Ratio {
  const figure = mode === "stream" ? "msgs_per_s" : "oneway_cycles_p50"
  const figuresOf = (which: number): number[] => rounds.map(round => round[which]?.[figure] ?? Number.NaN)
  const ours = figuresOf(0)
  const theirs = figuresOf(index)
  const ratios = ours.map((value, round) => value / (theirs[round] ?? Number.NaN))
  return {
    what: "ratio",
    mode,
    bytes,
    variant,
    figure,
    pairs: rounds.length,
    median: median(ratios),
    min: Math.min(...ratios),
    max: Math.max(...ratios),
    ours: median(ours),
    theirs: median(theirs),
    probe_ns: median(rounds.flat().map(probeOf)),
  }
}
