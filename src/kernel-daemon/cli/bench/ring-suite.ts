// ring-suite.ts: SharedRing beside the C++ reference: latency spinning and parked, streams alone and in batches.

import { type FigureSpec, figureOf } from "./figure.ts"
import { nameOf, oursInBothForms, type RingWork, reference } from "./ring-trial.ts"
import { type Contender, type Round, takeTurns } from "./rounds.ts"
import type { Limit, Trial } from "./row.ts"
import { type Run, samplesFor } from "./suite.ts"
import { measureSystemCalls } from "./system-calls.ts"

const SUITE = "ring"
const SLOTS = 1_024
const BATCH = 32
const RINGS = ["index-release", "index-seqcst", "slot-release", "slot-seqcst"] as const
/** Rings whose producer asks for the next slots' lines ahead, as ours does. */
const ASKING = ["index-release-ahead", "index-seqcst-ahead"] as const
const SPINNING = [...RINGS, ...ASKING].flatMap(ring => [ring, `${ring}+pause`])
const STREAMING = [...RINGS, ...ASKING].flatMap(ring => [ring, `${ring}+in-place`])
const SEQUENTIALLY_CONSISTENT = STREAMING.filter(name => name.includes("seqcst"))
const RELEASING = STREAMING.filter(name => name.includes("release"))
const OURS = ["kaal-ipc index", "kaal-ipc slot"]

/** @throws {Error} a trial failed */
export async function ringSuite(run: Run): Promise<void> {
  // What was asked comes first, in case the time is up before the end.
  await latencies(run, 64, 1.2)
  await streams(run, 64)
  await batches(run)
  await largeInPlace(run)
  await parked(run)
  await measureSystemCalls(run)
  await latencies(run, 8, 1.3)
  await latencies(run, 1_024, 1.25)
  for (const bytes of [8, 1_024]) await streams(run, bytes)
  await filled(run)
}

async function latencies(run: Run, bytes: number, atMost: number): Promise<void> {
  const work = workOf(run, { mode: "ping-pong", wait: "spin", bytes, samples: 100_000 })
  const rounds = await rivals(run, work, SPINNING)
  const of = { suite: SUITE, moreIsBetter: false } as const
  const title = `one way, spinning, ${bytes} bytes`
  tellFigures(run, rounds, SPINNING, [
    {
      ...of,
      key: `oneway-${bytes}`,
      title: `${title}, p50`,
      unit: "cycles",
      pick: oneway,
      limit: { of: "ratio", atMost },
    },
    ...(bytes === 64
      ? [
          {
            ...of,
            key: "oneway-64-cycles",
            title: `${title}, p50, cycles`,
            unit: "cycles",
            pick: oneway,
            limit: { of: "ours", atMost: 350 },
            onlyIn: "N",
          } as const,
        ]
      : []),
    {
      ...of,
      key: `rtt-${bytes}-p50`,
      title: `round trip, spinning, ${bytes} bytes, p50`,
      unit: "ns",
      pick: rtt("p50"),
    },
    {
      ...of,
      key: `rtt-${bytes}-p99`,
      title: `round trip, spinning, ${bytes} bytes, p99`,
      unit: "ns",
      pick: rtt("p99"),
    },
    {
      ...of,
      key: `rtt-${bytes}-p999`,
      title: `round trip, spinning, ${bytes} bytes, p99.9`,
      unit: "ns",
      pick: rtt("p999"),
    },
    {
      ...of,
      key: `rtt-${bytes}-max`,
      title: `round trip, spinning, ${bytes} bytes, max`,
      unit: "ns",
      pick: rtt("max"),
    },
  ])
}

async function streams(run: Run, bytes: number): Promise<void> {
  const work = workOf(run, { mode: "stream", wait: "spin", bytes, samples: 2_000_000 })
  const rounds = await rivals(run, work, STREAMING)
  const is64 = bytes === 64
  const of = { suite: SUITE, unit: "messages/s", moreIsBetter: true, pick: rate } as const
  const title = `stream, ${bytes} bytes, one publish a message`
  const same = { ...of, key: `stream-${bytes}-seqcst`, title: `${title}, beside the same ordering` }
  const weaker = { ...of, key: `stream-${bytes}-release`, title: `${title}, beside release stores` }
  tellFigures(run, rounds, SEQUENTIALLY_CONSISTENT, [is64 ? { ...same, limit: { of: "ratio", atLeast: 1 } } : same])
  tellFigures(run, rounds, RELEASING, [
    is64 ? { ...weaker, limit: { of: "ratio", atLeast: 0.6 }, onlyIn: "N" } : weaker,
  ])
}

async function batches(run: Run): Promise<void> {
  const one = workOf(run, { mode: "stream", wait: "spin", bytes: 64, samples: 4_000_000 })
  const many = { ...one, batch: BATCH }
  const title = `stream, 64 bytes, batches of ${BATCH}`
  const singles = RELEASING.map(variant => ({ ...reference(one, variant), name: `C++ ${variant}, one by one` }))
  const batched = STREAMING.map(variant => reference(many, variant))
  const rounds = await takeTurns(run, title, oursInBothForms(many), [...singles, ...batched])
  const of = { suite: SUITE, unit: "messages/s", moreIsBetter: true, pick: rate } as const
  const tell = (spec: FigureSpec, beside: readonly { name: string }[]): void =>
    run.tell(
      figureOf(
        run,
        spec,
        rounds,
        OURS,
        beside.map(({ name }) => name),
      ),
    )
  const limit: Limit = { of: "ratio", atLeast: 3 }
  tell({ ...of, key: "batch-64", title: `${title}, beside single release stores`, limit }, singles)
  tell({ ...of, key: "batch-64-rate", title: `${title}, ahead of Aeron`, limit: { of: "ours", atLeast: 30e6 } }, [])
  tell({ ...of, key: "batch-64-batched", title: `${title}, beside the same batches` }, batched)
}

/** What is left of it where the ends' own JavaScript writes and reads every word. */
async function filled(run: Run): Promise<void> {
  const bytes = 64
  const work: RingWork = {
    ...workOf(run, { mode: "stream", wait: "spin", bytes, samples: 2_000_000 }),
    payload: "filled",
  }
  const contenders = [...oursInBothForms(work), ...oursInBothForms({ ...work, inPlace: true })] as const
  const others = STREAMING.map(variant => reference(work, variant))
  const rounds = await takeTurns(run, `${nameOf(work)}, ${bytes} bytes`, contenders, others)
  const names = (of: readonly Contender[]): string[] => of.map(({ name }) => name)
  const spec: FigureSpec = {
    ...{ suite: SUITE, key: "stream-64-filled", title: "stream, 64 bytes, each word written and read by the ends" },
    ...{ unit: "messages/s", moreIsBetter: true, pick: rate },
  }
  run.tell(figureOf(run, spec, rounds, names(contenders), names(others)))
}

async function largeInPlace(run: Run): Promise<void> {
  const bytes = 65_536
  const samples = 40_000
  const work: RingWork = {
    ...workOf(run, { mode: "stream", wait: "spin", bytes, samples }),
    payload: "block",
    slots: 16,
  }
  const rounds = await rivals(run, work, RINGS)
  tellFigures(run, rounds, RINGS, [
    {
      suite: SUITE,
      key: "in-place-65536",
      title: "64 KiB payloads, written and read in place",
      unit: "bytes/s",
      moreIsBetter: true,
      pick: ({ msgs_per_s }) => (msgs_per_s ?? Number.NaN) * bytes,
      limit: { of: "ratio", atLeast: 0.9 },
    },
  ])
}

async function parked(run: Run): Promise<void> {
  const variants = ["futex", "index-seqcst"] as const
  const work = workOf(run, { mode: "ping-pong", wait: "park", bytes: 64, samples: 3_000 })
  const rounds = await rivals(run, work, variants)
  const limit: Limit = { of: "ratio", atMost: 1.2 }
  const of = { suite: SUITE, unit: "ns", moreIsBetter: false } as const
  const title = "parked round trip, 64 bytes"
  tellFigures(
    run,
    rounds,
    ["futex"],
    [
      { ...of, key: "parked-rtt", title: `${title}, p50, beside a futex pair`, pick: rtt("p50"), limit },
      { ...of, key: "parked-rtt-p999", title: `${title}, p99.9`, pick: rtt("p999") },
    ],
  )
  const spared = { ...of, key: "parked-rtt-ring", title: `${title}, p50, beside a ring that parks`, pick: rtt("p50") }
  tellFigures(run, rounds, ["index-seqcst"], [spared])
}

type Wanted = Pick<RingWork, "mode" | "wait" | "bytes" | "samples">

function workOf(run: Run, wanted: Wanted): RingWork {
  return { suite: SUITE, ...wanted, slots: SLOTS, cpus: run.cpus, samples: samplesFor(run, wanted.samples) }
}

function rivals(run: Run, work: RingWork, variants: readonly string[]): Promise<Round[]> {
  const others = variants.map(variant => reference(work, variant))
  return takeTurns(run, `${nameOf(work)}, ${work.bytes} bytes`, oursInBothForms(work), others)
}

function tellFigures(
  run: Run,
  rounds: readonly Round[],
  variants: readonly string[],
  specs: readonly FigureSpec[],
): void {
  for (const spec of specs)
    run.tell(
      figureOf(
        run,
        spec,
        rounds,
        OURS,
        variants.map(variant => `C++ ${variant}`),
      ),
    )
}

const oneway = (trial: Trial): number | null => trial.oneway_cycles_p50
const rate = (trial: Trial): number | null => trial.msgs_per_s
const rtt =
  (which: "p50" | "p99" | "p999" | "max") =>
  (trial: Trial): number | undefined =>
    trial.rtt_ns?.[which]
