// caps-suite-system.ts: calls of real components on a real daemon: null syscall, map_into, revoke, and a crowded kernel.

import {
  BenchCapsRole,
  type CrowdReport,
  FRAME_COUNTS,
  type Latency,
  type LatencyReport,
  MEASURING,
} from "../../../protocols/bench-caps.ts"
import { benchSession } from "./bench-session.ts"
import { measureInPart } from "./caps-suite-part.ts"
import { idleShare, type Placement, pinned } from "./caps-suite-placement.ts"
import type { Shape } from "./caps-suite-revoke.ts"
import { type CapsRow, rowOf } from "./caps-suite-row.ts"
import { type HoldUps, holdUps, tellHoldUps, worstOf } from "./hold-ups.ts"
import { median } from "./statistics.ts"

export const ECHO_RATIO_LIMIT = 1.3
const MAP_RATIO_LIMIT = 4
const REVOKE_LIMIT_MS = 2
const BYSTANDER_LIMIT_MS = 10
export const SYSCALL_ROUNDS = 3_000
/** Above this share of idle time the processors are said to sleep. */
const ASLEEP_SHARE = 0.1
const CROWD = 1_000_000
/** A maximum differs much from trial to trial. A chain takes a call for each of a million capabilities: it is tried less often. */
const CROWD_TRIALS = { wide: 7, deep: 3 } as const
/** In place of trials in which calls were slow without a revoke. */
const MORE_ATTEMPTS = 5
const TREES = {
  wide: "endpoints made by retype, each an object of its own, in order",
  deep: "a chain of capabilities to a frame, in order",
} as const
/** A chain of a million takes 30 s to make, on busy processors several times that. */
const CROWD_TIMEOUT_SECONDS = 300

interface Pair {
  readonly ours: LatencyReport
  readonly echo: Latency
  /** Share of the null syscalls' and of the echo's time in which the processors slept. */
  readonly idle: readonly [number, number]
}

/** Rows for one placement, over `pairs` alternating pairs of fresh processes. */
export async function measureLatency(
  placement: Placement,
  pairs: number,
  progress: (text: string) => void,
): Promise<CapsRow[]> {
  const { name, cpus } = placement
  const done: Pair[] = []
  for (let pair = 0; pair < pairs; pair++) {
    progress(`null syscall, ${name}: pair ${pair + 1} of ${pairs}`)
    const [ours, idle] = await ourTrial(placement)
    const [echo, echoIdle] = await measureInPart<[Latency, number]>("echo", [SYSCALL_ROUNDS, ...cpus])
    done.push({ ours, echo, idle: [idle, echoIdle] })
  }
  const of = (pick: (pair: Pair) => number): number[] => done.map(pick)
  const note = sleepOf(done)
  const rows = [
    rowOf(
      { what: `null syscall p50, ${name}`, unit: "us", note },
      of(({ ours }) => ours.nullSyscall.p50),
    ),
    rowOf(
      { what: `null syscall p99, ${name}`, unit: "us", note },
      of(({ ours }) => ours.nullSyscall.p99),
    ),
    rowOf(
      { what: `Unix-socket echo p50, ${name}`, unit: "us", note },
      of(({ echo }) => echo.p50),
    ),
    rowOf(
      { what: `Unix-socket echo p99, ${name}`, unit: "us", note },
      of(({ echo }) => echo.p99),
    ),
    rowOf(
      { what: `null syscall / echo, p50, ${name}`, unit: "x", limit: ECHO_RATIO_LIMIT, note },
      of(({ ours, echo }) => ours.nullSyscall.p50 / echo.p50),
    ),
  ]
  for (const [index, count] of FRAME_COUNTS.entries()) {
    const frames = count === 1 ? "1 frame mapped" : `${count} frames mapped`
    const p50 = (by: "mapInto" | "nullBeside" | "mapIntoAfterRevoke" | "revoke", { ours }: Pair): number =>
      ours[by][index]?.p50 ?? Number.NaN
    rows.push(
      rowOf(
        {
          what: `map_into / null syscall, p50, ${frames}, ${name}`,
          unit: "x",
          limit: MAP_RATIO_LIMIT,
          note: "16 of each behind one another, in turns, so up to 15 more are mapped; the target sleeps",
        },
        of(pair => p50("mapInto", pair) / p50("nullBeside", pair)),
      ),
      rowOf(
        { what: `map_into p50, ${frames}, ${name}`, unit: "us", note: "one of 16 behind one another" },
        of(pair => p50("mapInto", pair)),
      ),
      rowOf(
        {
          what: `map_into after a revoke / null syscall alone, p50, ${frames}, ${name}`,
          unit: "x",
          note: "the null syscalls of the first rows; what the revoke reads has driven the map from the caches",
        },
        of(pair => p50("mapIntoAfterRevoke", pair) / pair.ours.nullSyscall.p50),
      ),
      rowOf(
        {
          what: `revoke until proven gone p50, ${frames}, ${name}`,
          unit: "ms",
          limit: REVOKE_LIMIT_MS,
          note: "the target sleeps",
        },
        of(pair => p50("revoke", pair) / 1e3),
      ),
    )
  }
  return rows
}

/**
 * Rows for another component's null syscalls while a tree of a million is revoked. Where its calls take longer than the
 * limit with no revoke at all, the trial says nothing about the kernel: it is repeated, and in the end not judged. Nor is
 * any of them where others hold up a bare loop on the same processors for as long.
 */
export async function measureCrowd(
  shape: Shape,
  { name, cpus }: Placement,
  progress: (text: string) => void,
): Promise<CapsRow[]> {
  const all: CrowdReport[] = []
  const around: HoldUps[] = [await holdUps(cpus)]
  const trialsWanted = CROWD_TRIALS[shape]
  while (all.length < trialsWanted + MORE_ATTEMPTS && all.filter(isQuiet).length < trialsWanted) {
    progress(`null syscalls during a revoke, ${shape}, ${name}: trial ${all.length + 1}`)
    const args = [BenchCapsRole.crowd, cpus[0], CROWD, Number(shape === "deep"), cpus[1]]
    all.push(await pinned(cpus[1], () => session<CrowdReport>(args, () => {}, CROWD_TIMEOUT_SECONDS)))
  }
  around.push(await holdUps(cpus))
  const hold = worstOf(around)
  const { trials, judged } = judgeCrowd(all, hold)
  const of = (pick: (trial: CrowdReport) => number): number[] => trials.map(pick)
  const crowd = CROWD.toLocaleString("en")
  const what = `another's null syscall during a revoke of ${crowd}, ${shape}`
  const calls = median(of(({ during }) => during.calls))
  const without = `without a revoke the longest took ${median(of(withoutRevoke)).toFixed(1)} ms`
  const circumstances = `${without}; ${tellHoldUps(hold)}`
  const note = judged
    ? `of ${calls} calls; ${circumstances}`
    : `not measurable, ${circumstances}: try a quieter machine`
  const limit = judged ? { limit: BYSTANDER_LIMIT_MS } : {}
  return [
    rowOf(
      { what: `revoke of ${crowd} by a component, ${shape}, ${name}`, unit: "ms", note: TREES[shape] },
      of(({ revokeMs }) => revokeMs),
    ),
    rowOf(
      { what: `${what}, p50, ${name}`, unit: "ms", note },
      of(({ during }) => during.p50 / 1e3),
    ),
    rowOf(
      { what: `${what}, max, ${name}`, unit: "ms", note, ...limit },
      of(({ during }) => during.max / 1e3),
    ),
  ]
}

/** The trials that a maximum is taken of, and whether it says anything about the kernel. */
export function judgeCrowd(
  all: readonly CrowdReport[],
  { longestMs }: HoldUps,
): { trials: readonly CrowdReport[]; judged: boolean } {
  const quiet = all.filter(isQuiet)
  return { trials: quiet.length > 0 ? quiet : all, judged: quiet.length > 0 && longestMs <= BYSTANDER_LIMIT_MS }
}

function isQuiet(trial: CrowdReport): boolean {
  return withoutRevoke(trial) <= BYSTANDER_LIMIT_MS
}

async function ourTrial({ cpus }: Placement): Promise<[LatencyReport, number]> {
  let idle = (): number => Number.NaN
  const report = await pinned(cpus[1], () =>
    session<LatencyReport>([BenchCapsRole.latency, cpus[0], SYSCALL_ROUNDS], () => {
      idle = idleShare([...new Set(cpus)])
    }),
  )
  return [report, idle()]
}

function session<R>(args: readonly number[], onMeasuring: () => void, timeoutSeconds?: number): Promise<R> {
  return benchSession<R>({
    rootTask: "bench-caps",
    arguments: args,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    onEvent: event => {
      if (event.event === "print" && event.lines.includes(MEASURING)) onMeasuring()
    },
  })
}

/** One trial of null syscalls alone. */
export async function nullSyscallTrial({ cpus }: Placement): Promise<Latency> {
  const args = [BenchCapsRole.calls, cpus[0], SYSCALL_ROUNDS]
  const { nullSyscall } = await pinned(cpus[1], () => session<Pick<LatencyReport, "nullSyscall">>(args, () => {}))
  return nullSyscall
}

/** The longest null syscall just before and just after the revoke, ms. */
function withoutRevoke({ before, after }: CrowdReport): number {
  return Math.max(before.max, after.max) / 1e3
}

/** Whether the processors slept between calls, which makes each wake-up dearer. */
function sleepOf(pairs: readonly Pair[]): string {
  const [ours = 0, echo = 0] = ([0, 1] as const).map(which => median(pairs.map(({ idle }) => idle[which])))
  const state = Math.min(ours, echo) > ASLEEP_SHARE ? "asleep between calls" : "awake"
  return `CPUs ${state}: idle ${(ours * 100).toFixed(0)} % of our time, ${(echo * 100).toFixed(0)} % of the echo's`
}
