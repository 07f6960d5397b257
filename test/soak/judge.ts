// judge.ts: what a soak's run comes to: lost, left behind, growing, slowing down; each in words where it is wrong.

import type { Ebb, SoakRun } from "./soak.ts"
import { drift, median, type Slope, theilSen } from "./trend.ts"

export interface Verdict {
  readonly ok: boolean
  /** In words; empty when all is well. */
  readonly wrong: readonly string[]
  readonly lost: number
  readonly duplicated: number
  readonly redelivered: number
  /** Processes after the end; what the kernel and its processes hold at the last ebb and did not at the first. */
  readonly leftovers: number
  /** KiB a minute of the daemon's resident memory, over the second half. */
  readonly memorySlope: Slope
  /** The same of soak-root's, which makes the calls. */
  readonly rootMemorySlope: Slope
  /** Descriptors a minute of the daemon's, at ebbs of the second half. */
  readonly descriptorSlope: Slope
  /** Of each kind of latency the median of the last third over that of the first, the first tenth left out. */
  readonly latencyDrift: Readonly<Record<(typeof KINDS)[number], number>>
}

const KINDS = ["syscall", "spawn", "revoke"] as const
/** Shorter than this, memory is still warming up and a few samples say nothing: slopes and drifts are shown, not judged. */
const JUDGED_SECONDS = 150
/** A slope is noise unless it is above this with confidence: 100 KiB a minute are 200 bytes an operation. */
const MEMORY_KIB_A_MINUTE = 100
/** Samples are summed up so many to a point: V8 collects every few seconds. */
const SAMPLES_A_POINT = 6
const DRIFT_LIMIT = 2

export function judge(run: SoakRun): Verdict {
  const { samples, ebbs, books, last, exitCode, processesLeft } = run
  const wrong: string[] = []
  const expect = (holds: boolean, what: string): void => {
    if (!holds) wrong.push(what)
  }
  if (last?.kind === "failed") {
    wrong.push(`operation ${last.number}, ${JSON.stringify(last.operation)}: ${last.why}`)
  } else expect(last?.kind === "done", "it did not come to its end")
  expect(exitCode === 0, `exit code ${exitCode}`)
  for (const what of ["lost", "duplicated", "garbled"] as const) {
    expect(books[what] === 0, `${books[what]} messages were ${what}`)
  }
  expect(processesLeft === 0, `${processesLeft} processes are left`)
  expect(ebbs.length >= 2, `${ebbs.length} ebbs were seen, 2 are the least to compare`)
  const left = leftAt(ebbs)
  for (const [what, count] of Object.entries(left)) expect(count === 0, `${count} ${what} more than at the beginning`)

  const half = (samples.at(-1)?.seconds ?? 0) / 2
  const secondHalf = samples.filter(({ seconds }) => seconds > half)
  const memorySlope = memoryOf(secondHalf.map(({ seconds, daemon }) => [seconds, daemon.rssKiB]))
  const rootMemorySlope = memoryOf(
    secondHalf.flatMap(({ seconds, rootTask }) => (rootTask === undefined ? [] : [[seconds, rootTask.rssKiB]])),
  )
  const descriptorSlope = theilSen(
    ebbs.filter(({ seconds }) => seconds > half).map(({ seconds, daemon }) => [seconds / 60, daemon.descriptors]),
  )
  const latencyDrift = Object.fromEntries(
    KINDS.map(kind => {
      const all = samples.flatMap(({ latencies }) => latencies[kind] ?? [])
      return [kind, drift(all.slice(Math.ceil(all.length / 10)))]
    }),
  ) as Verdict["latencyDrift"]
  if ((samples.at(-1)?.seconds ?? 0) >= JUDGED_SECONDS) {
    for (const [whose, { slope, low }] of Object.entries({ "the daemon": memorySlope, "soak-root": rootMemorySlope })) {
      expect(
        low <= MEMORY_KIB_A_MINUTE,
        `${whose} grows by ${slope.toFixed(0)} KiB a minute, at least ${low.toFixed(0)}`,
      )
    }
    expect(descriptorSlope.low <= 0, `descriptors grow by ${descriptorSlope.slope} a minute`)
    for (const kind of KINDS) {
      const factor = latencyDrift[kind]
      expect(factor <= DRIFT_LIMIT, `${kind} latency in the last third is ${factor.toFixed(2)} times that in the first`)
    }
  }
  const { lost, duplicated, redelivered } = books
  const leftovers = processesLeft + Object.values(left).reduce((sum, count) => sum + Math.max(0, count), 0)
  return {
    ok: wrong.length === 0,
    wrong,
    ...{ lost, duplicated, redelivered, leftovers },
    ...{ memorySlope, rootMemorySlope, descriptorSlope, latencyDrift },
  }
}

/** What the last ebb has more of than the first, by name. */
function leftAt(ebbs: readonly Ebb[]): Record<string, number> {
  const countsOf = ({ held, daemon, rootTask, processes }: Ebb): Record<string, number> => ({
    ...held,
    "descriptors of the daemon": daemon.descriptors,
    "descriptors of soak-root": rootTask?.descriptors ?? 0,
    processes,
  })
  const [first, final] = [ebbs[0], ebbs.at(-1)]
  if (first === undefined || final === undefined) return {}
  const before = countsOf(first)
  return Object.fromEntries(Object.entries(countsOf(final)).map(([what, count]) => [what, count - (before[what] ?? 0)]))
}

/** @param points [seconds, KiB] */
function memoryOf(points: readonly (readonly [number, number])[]): Slope {
  const summed: [number, number][] = []
  for (let at = 0; at + SAMPLES_A_POINT <= points.length; at += SAMPLES_A_POINT) {
    const part = points.slice(at, at + SAMPLES_A_POINT)
    summed.push([median(part.map(([seconds]) => seconds)) / 60, median(part.map(([, kib]) => kib))])
  }
  return theilSen(summed)
}
