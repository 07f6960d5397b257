// notify-suite.ts: notifications beside what a C++ programmer would use: a word in shared memory, and a futex on it.

import { type FigureSpec, figureOf } from "./figure.ts"
import { nameOf, ours, type RingWork, reference } from "./ring-trial.ts"
import { takeTurns } from "./rounds.ts"
import { type Run, samplesFor } from "./suite.ts"

const SUITE = "notify"
const WORDS = ["index-release", "index-seqcst", "slot-release", "slot-release+pause"] as const

/** @throws {Error} a trial failed */
export async function notifySuite(run: Run): Promise<void> {
  const work = { suite: SUITE, mode: "signals", bytes: 8, slots: 64, cpus: run.cpus } as const
  const spinning: RingWork = { ...work, wait: "spin", samples: samplesFor(run, 100_000) }
  const parked: RingWork = { ...work, wait: "park", samples: samplesFor(run, 3_000) }
  const of = { suite: SUITE, unit: "ns", moreIsBetter: false } as const
  await measure(run, spinning, WORDS, [
    { ...of, key: "signal-spin", title: "signal and wait, there and back, spinning, p50", pick: t => t.rtt_ns?.p50 },
    { ...of, key: "signal-spin-p999", title: "the same, p99.9", pick: t => t.rtt_ns?.p999 },
    { ...of, key: "signal-unheard", title: "signal with nobody asleep", pick: t => t.more?.signal_ns },
  ])
  await measure(
    run,
    parked,
    ["futex"],
    [
      {
        ...of,
        key: "signal-parked",
        title: "signal and wait, there and back, parked, p50",
        pick: t => t.rtt_ns?.p50,
        limit: { of: "ratio", atMost: 1.2 },
      },
      { ...of, key: "signal-parked-p999", title: "the same, p99.9", pick: t => t.rtt_ns?.p999 },
    ],
  )
}

async function measure(
  run: Run,
  work: RingWork,
  variants: readonly string[],
  specs: readonly FigureSpec[],
): Promise<void> {
  const others = variants.map(variant => reference(work, variant))
  const rounds = await takeTurns(run, nameOf(work), [ours(work)], others)
  for (const spec of specs) {
    // The reference has no signal without a message.
    const beside = spec.key === "signal-unheard" ? [] : others.map(({ name }) => name)
    run.tell(figureOf(run, spec, rounds, ["kaal-ipc"], beside))
  }
}
