// gate.ts: `bench gate`: a few ratios to the C++ reference, compared with the committed ones of the same kind of
// machine and the same placement.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { native } from "../../../../native/index.ts"
import { machineKind } from "./machine.ts"
import { root, writeWhole } from "./results.ts"
import { ours, type RingWork, reference } from "./ring-trial.ts"
import { pairsOf, takeTurns } from "./rounds.ts"
import type { Placement, Trial } from "./row.ts"
import { median, noiseOf, placementOf, probeOf } from "./statistics.ts"
import type { Run } from "./suite.ts"

/** Ours divided by the reference's, and by how much such ratios differ without a cause. */
export interface Known {
  readonly ratio: number
  readonly noise: number
}

/** By the figure's key, then by placement. */
export type Baseline = Readonly<Record<string, Readonly<Partial<Record<Placement, Known>>>>>

/** The baselines by what they were measured on: how well V8's code does beside C++'s is the processor's, and V8's. */
type Baselines = Readonly<Record<string, Baseline>>

export interface GateLine {
  readonly what: "gate"
  readonly key: string
  readonly placement: Placement | null
  readonly pairs: number
  readonly now: Known | null
  readonly baseline: Known | null
  /** A share: 0.1 is a tenth worse than the baseline; below 0 it is better. */
  readonly loss: number | null
  /** Without noise ALLOWED_LOSS. */
  readonly allowed: number | null
  readonly verdict: "ok" | "lost" | "no baseline" | "not measurable" | "no figure"
}

interface GateFigure {
  readonly key: string
  readonly moreIsBetter: boolean
  readonly pick: (trial: Trial) => number | null | undefined
  readonly work: Pick<RingWork, "mode" | "wait" | "bytes" | "samples" | "batch">
  readonly variant: string
}

/** What may be lost beyond the noise. */
export const ALLOWED_LOSS = 0.2
/** Ratios that differ more than this among themselves say nothing. */
export const MOST_NOISE = 0.2
export const BASELINE_FILE = join(root, "test", "bench", "baseline.json")
const SLOTS = 1_024

const oneway = (trial: Trial): number | null => trial.oneway_cycles_p50
const rate = (trial: Trial): number | null => trial.msgs_per_s
const FIGURES: readonly GateFigure[] = [
  {
    ...{ key: "one way, spinning, 64 bytes", moreIsBetter: false, pick: oneway, variant: "index-seqcst" },
    work: { mode: "ping-pong", wait: "spin", bytes: 64, samples: 50_000 },
  },
  {
    ...{ key: "stream, 64 bytes", moreIsBetter: true, pick: rate, variant: "index-seqcst" },
    work: { mode: "stream", wait: "spin", bytes: 64, samples: 1_000_000 },
  },
  {
    ...{ key: "stream, 64 bytes, batches of 32", moreIsBetter: true, pick: rate, variant: "index-seqcst" },
    work: { mode: "stream", wait: "spin", bytes: 64, samples: 2_000_000, batch: 32 },
  },
  {
    ...{ key: "parked, one way, 64 bytes", moreIsBetter: false, pick: oneway, variant: "futex" },
    work: { mode: "ping-pong", wait: "park", bytes: 64, samples: 2_000 },
  },
  {
    ...{ key: "signals, spinning", moreIsBetter: false, pick: oneway, variant: "index-seqcst" },
    work: { mode: "signals", wait: "spin", bytes: 8, samples: 50_000 },
  },
]

/** @throws {Error} a trial failed */
export async function runGate(run: Run, baseline: Baseline, tell: (line: GateLine) => void): Promise<GateLine[]> {
  const lines: GateLine[] = []
  for (const figure of FIGURES) {
    const work: RingWork = { suite: "gate", ...figure.work, slots: SLOTS, cpus: run.cpus }
    const other = reference(work, figure.variant)
    const rounds = await takeTurns(run, figure.key, [ours(work)], [other])
    const pairs = pairsOf(rounds, "kaal-ipc", other.name, false)
    const ratios = pairs.map(pair => (figure.pick(pair.ours) ?? Number.NaN) / (figure.pick(pair.theirs) ?? Number.NaN))
    const first = pairs[0]
    const placement = first === undefined ? null : placementOf(probeOf(first.ours))
    const line = judgeGate(figure.key, figure.moreIsBetter, placement, ratios, run.pairs, baseline)
    lines.push(line)
    tell(line)
  }
  return lines
}

/** @param wanted the least number of ratios to judge by */
export function judgeGate(
  key: string,
  moreIsBetter: boolean,
  placement: Placement | null,
  ratios: readonly number[],
  wanted: number,
  baseline: Baseline,
): GateLine {
  const known = placement === null ? undefined : baseline[key]?.[placement]
  const nothing = { loss: null, allowed: null }
  const of = { what: "gate", key, placement, pairs: ratios.length, baseline: known ?? null } as const
  if (placement === null || ratios.length < wanted) return { ...of, ...nothing, now: null, verdict: "not measurable" }
  if (!ratios.every(ratio => Number.isFinite(ratio) && ratio > 0)) {
    return { ...of, ...nothing, now: null, verdict: "no figure" }
  }
  const now: Known = { ratio: median(ratios), noise: noiseOf(ratios) }
  if (now.noise > MOST_NOISE) return { ...of, ...nothing, now: null, verdict: "not measurable" }
  if (known === undefined) return { ...of, ...nothing, now, verdict: "no baseline" }
  const loss = moreIsBetter ? known.ratio / now.ratio - 1 : now.ratio / known.ratio - 1
  // Two noises that know nothing of each other.
  const allowed = ALLOWED_LOSS + Math.hypot(known.noise, now.noise)
  return { ...of, now, loss, allowed, verdict: loss > allowed ? "lost" : "ok" }
}

/** Whether nothing was lost, and how much of it that says. */
export function concludeGate(lines: readonly GateLine[], kind = machineKind()): { ok: boolean; text: string } {
  const count = (...verdicts: GateLine["verdict"][]): number =>
    lines.filter(({ verdict }) => verdicts.includes(verdict)).length
  const judged = count("ok", "lost")
  const why = [
    count("no baseline") > 0 ? `no baseline of ${kind} in that placement for ${count("no baseline")}` : "",
    count("not measurable") > 0 ? `too noisy for ${count("not measurable")}` : "",
    count("no figure") > 0 ? `no figure came of ${count("no figure")}` : "",
  ].filter(text => text !== "")
  const rest = why.length === 0 ? "" : `: ${why.join(", ")}`
  return { ok: count("lost", "no figure") === 0, text: `gate: judged ${judged} of ${lines.length} figures${rest}` }
}

/** Of this kind of processor and Node; empty where there is none. */
export function loadBaseline(path = BASELINE_FILE, kind = machineKind()): Baseline {
  return loadAll(path)[kind] ?? {}
}

/** Puts what was measured into the baseline; what was not, other placements and other machines stay. */
export function saveBaseline(lines: readonly GateLine[], path = BASELINE_FILE, kind = machineKind()): void {
  const baseline: Record<string, Record<string, Known>> = {
    ...(loadBaseline(path, kind) as Record<string, Record<string, Known>>),
  }
  for (const { key, placement, now } of lines) {
    if (now === null || placement === null) continue
    const rounded = { ratio: Number(now.ratio.toFixed(3)), noise: Number(now.noise.toFixed(3)) }
    baseline[key] = { ...baseline[key], [placement]: rounded }
  }
  writeWhole(path, `${JSON.stringify({ ...loadAll(path), [kind]: baseline }, null, 2)}\n`)
}

function loadAll(path: string): Baselines {
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Baselines) : {}
}

/** The processors of both ends. @throws {Error} there is one only */
export function twoProcessors(): readonly [number, number] {
  const [first, second] = native.affinity()
  if (first !== undefined && second !== undefined) return [first, second]
  throw new Error("bench gate needs two processors: both ends spin; this process may use one (see taskset)")
}
