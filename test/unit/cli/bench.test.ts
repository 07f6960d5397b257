// bench.test.ts: what the bench makes of trials: which it compares, what its limits say, and when the gate fails.

import { join } from "node:path"
import t from "tap"
import { type FigureSpec, figureOf } from "../../../src/kernel-daemon/cli/bench/figure.ts"
import {
  type Baseline,
  concludeGate,
  judgeGate,
  loadBaseline,
  saveBaseline,
} from "../../../src/kernel-daemon/cli/bench/gate.ts"
import { machineKind } from "../../../src/kernel-daemon/cli/bench/machine.ts"
import { chartsOf } from "../../../src/kernel-daemon/cli/bench/report/charts.ts"
import { reportPage } from "../../../src/kernel-daemon/cli/bench/report/report.ts"
import { type Results, summarise } from "../../../src/kernel-daemon/cli/bench/results.ts"
import { nameOf } from "../../../src/kernel-daemon/cli/bench/ring-trial.ts"
import { type Contender, pairsOf, type Round, takeTurns } from "../../../src/kernel-daemon/cli/bench/rounds.ts"
import type { Machine, Row, Trial } from "../../../src/kernel-daemon/cli/bench/row.ts"
import { median, noiseOf, placementOf, quantile, steady } from "../../../src/kernel-daemon/cli/bench/statistics.ts"
import type { Run } from "../../../src/kernel-daemon/cli/bench/suite.ts"

const RUN: Run = {
  pairs: 3,
  quick: false,
  cpus: [0, 1],
  tell: () => {},
  progress: () => {},
  deadlineMs: Number.POSITIVE_INFINITY,
}

function trial(of: string, cycles: number, probe: number, more: Partial<Trial> = {}): Trial {
  return {
    ...{ what: "trial", suite: "ring", work: "spin ping-pong", of, variant: null, bytes: 64 },
    ...{ rtt_ns: { p50: cycles, p99: cycles, p999: cycles, max: cycles }, histogram: [[70, 5]] },
    ...{ oneway_cycles_p50: cycles, msgs_per_s: null, probe_ns: { before: probe, after: probe } },
    ...more,
  } as Trial
}

const SPEC: FigureSpec = {
  ...{ suite: "ring", key: "oneway", title: "one way", unit: "cycles", moreIsBetter: false },
  pick: ({ oneway_cycles_p50 }) => oneway_cycles_p50,
}

/** Rounds of ours and two others, all at the same probe. */
function roundsAt(probe: number, count: number): Round[] {
  return Array.from(
    { length: count },
    () =>
      new Map([
        ["ours", trial("ours", 240, probe)],
        ["fast", trial("fast", 200, probe)],
        ["slow", trial("slow", 400, probe)],
      ]),
  )
}

t.test("median(), quantile() and noiseOf() are what a textbook says", async t => {
  t.equal(median([3, 1, 2]), 2)
  t.equal(median([4, 1, 2, 3]), 2.5)
  t.ok(Number.isNaN(median([])))
  t.equal(quantile([1, 2, 3, 4, 5], 0.25), 2)
  t.equal(noiseOf([1, 2, 3, 4, 5]), 1 / 3)
  t.equal(noiseOf([2, 2, 2]), 0)
})

t.test("placementOf() and steady() keep placements apart", async t => {
  t.same([50, 100, 450, 1_000, Number.NaN].map(placementOf), ["S", "N", "F", "X", "1"])
  const at = (before: number, after: number) => ({ probe_ns: { before, after } })
  t.ok(steady([at(100, 110), at(105, 120)]))
  t.notOk(steady([at(100, 110), at(105, 450)]), "the host moved a processor during a trial")
  t.ok(steady([{ probe_ns: null }]), "who shares a processor has no probe")
})

t.test("pairsOf() takes the placement with the most pairs, and no pair across two", async t => {
  const rounds = [...roundsAt(100, 3), ...roundsAt(450, 2)]
  rounds.push(
    new Map([
      ["ours", trial("ours", 1, 100)],
      ["fast", trial("fast", 1, 450)],
    ]),
  )
  t.equal(pairsOf(rounds, "ours", "fast", false).length, 3)
  t.equal(pairsOf(rounds, "ours", "fast", true).length, 6, "who judges nothing takes all")
})

t.test("takeTurns() goes on until enough can be compared, and no further", async t => {
  let turns = 0
  const order: string[] = []
  // Its first two trials find another placement.
  const contender = (name: string): Contender => ({
    name,
    run: async () => {
      order.push(name)
      return trial(name, 1, name === "ours" && turns++ < 2 ? 450 : 100)
    },
  })
  const rounds = await takeTurns(RUN, "it", [contender("ours")], [contender("fast")])
  t.equal(rounds.length, 5)
  t.same(order.slice(0, 4), ["ours", "fast", "fast", "ours"], "they take turns in being first")
  const over = await takeTurns({ ...RUN, deadlineMs: 0 }, "it", [contender("ours")], [contender("fast")])
  t.equal(over.length, 1, "after the deadline nothing begins")
})

t.test("figureOf() compares with the best of theirs, and judges only what can be judged", async t => {
  const limited = { ...SPEC, limit: { of: "ratio", atMost: 1.25 } } as const
  const cases = [
    [limited, roundsAt(100, 3), RUN, "ok"],
    [{ ...SPEC, limit: { of: "ratio", atMost: 1.1 } }, roundsAt(100, 3), RUN, "missed"],
    [{ ...SPEC, limit: { of: "ours", atLeast: 300 } }, roundsAt(100, 3), RUN, "missed"],
    [limited, roundsAt(100, 2), RUN, "not measurable"],
    [{ ...limited, onlyIn: "N" }, roundsAt(450, 3), RUN, "not measurable"],
    [{ ...SPEC, limit: { of: "ours", atMost: 350 }, floor: () => 400 }, roundsAt(450, 3), RUN, "not measurable"],
    [limited, roundsAt(100, 3), { ...RUN, quick: true }, "shown"],
    [SPEC, roundsAt(100, 3), RUN, "shown"],
  ] as const
  for (const [spec, rounds, run, verdict] of cases) {
    const figure = figureOf(run, spec as FigureSpec, rounds, ["ours"], ["slow", "fast"])
    t.match(figure, { verdict, against: "fast", ratio: 1.2, ours: 240, theirs: 200 }, JSON.stringify(spec.limit))
  }
})

t.test("judgeGate() fails on a loss of more than a fifth beyond the noise, in the same placement only", async t => {
  const baseline: Baseline = { it: { N: { ratio: 1, noise: 0.05 } } }
  const same = [1, 1, 1]
  t.match(judgeGate("it", false, "N", same, 3, baseline), { verdict: "ok", loss: 0 })
  t.match(
    judgeGate("it", false, "N", [1.24, 1.24, 1.24], 3, baseline),
    { verdict: "ok" },
    "within a fifth and the noise",
  )
  t.match(judgeGate("it", false, "N", [1.27, 1.27, 1.27], 3, baseline), { verdict: "lost" })
  t.match(judgeGate("it", false, "N", [1, 1.27, 1.54], 3, baseline), { verdict: "ok" }, "too noisy to say")
  t.match(judgeGate("it", true, "N", [0.75, 0.75, 0.75], 3, baseline), { verdict: "lost" }, "less of what wants more")
  t.match(judgeGate("it", true, "N", [1.5, 1.5, 1.5], 3, baseline), { verdict: "ok" }, "better is no loss")
  t.match(judgeGate("it", false, "F", [9, 9, 9], 3, baseline), { verdict: "no baseline" })
  t.match(judgeGate("it", false, "N", [9, 9], 3, baseline), { verdict: "not measurable" })
  t.match(judgeGate("it", false, "N", [0.5, 1, 2], 3, baseline), { verdict: "not measurable", now: null }, "noise")
  for (const nothing of [Number.NaN, Number.POSITIVE_INFINITY, 0]) {
    t.match(judgeGate("it", false, "N", [1, nothing, 1], 3, baseline), { verdict: "no figure", now: null })
  }
})

t.test("concludeGate() fails on a loss and on what gave no figure, and says what was not judged", async t => {
  const baseline: Baseline = { it: { N: { ratio: 1, noise: 0.05 } } }
  const line = (placement: "N" | "F", ratio: number) =>
    judgeGate("it", false, placement, [ratio, ratio, ratio], 3, baseline)
  t.same(concludeGate([line("N", 1)], "this"), { ok: true, text: "gate: judged 1 of 1 figures" })
  t.equal(concludeGate([line("N", 1), line("N", 2)], "this").ok, false)
  t.equal(concludeGate([line("N", 1), line("N", Number.NaN)], "this").ok, false)
  t.same(concludeGate([line("F", 1), line("F", 1)], "this"), {
    ok: true,
    text: "gate: judged 0 of 2 figures: no baseline of this in that placement for 2",
  })
})

t.test("a baseline is of one kind of machine, and saving it leaves the others and other placements", async t => {
  const file = join(t.testdir(), "baseline.json")
  const line = { what: "gate", key: "it", pairs: 7, baseline: null, loss: null, allowed: null } as const
  const of = (placement: "N" | "F", ratio: number) =>
    [{ ...line, placement, now: { ratio, noise: 0.1 }, verdict: "no baseline" }] as const
  saveBaseline(of("N", 1.2), file, "one")
  saveBaseline(of("F", 1.1), file, "one")
  saveBaseline(of("N", 7), file, "other")
  saveBaseline([{ ...line, placement: "N", now: null, verdict: "not measurable" }], file, "other")
  t.same(loadBaseline(file, "one"), { it: { N: { ratio: 1.2, noise: 0.1 }, F: { ratio: 1.1, noise: 0.1 } } })
  t.same(loadBaseline(file, "other"), { it: { N: { ratio: 7, noise: 0.1 } } })
  t.same(loadBaseline(file, "a third"), {})
  t.match(machineKind(), /^.+, Node \d+$/)
  t.notMatch(machineKind(), /undefined/)
})

t.test("chartsOf() draws copied and in place as lines of their own", async t => {
  const machine = { what: "machine" } as Machine
  const of = (name: string, payload: "stamped" | "block", bytes: number, msgs_per_s: number): Trial => {
    const work = nameOf({
      ...{ suite: "sizes", mode: "stream", wait: "spin", bytes, slots: 4, samples: 1 },
      cpus: [0, 1],
      payload,
    })
    return trial(name, 0, 100, { suite: "sizes", work, bytes, msgs_per_s, histogram: null, rtt_ns: null })
  }
  const rows = ["kaal-ipc", "C++"].flatMap((name, nth) => [
    of(name, "stamped", 64, 10 + nth),
    of(name, "block", 64, 20 + nth),
    of(name, "block", 128, 30 + nth),
  ])
  const { sizes } = chartsOf({ sizes: summarise(machine, rows) })
  t.same(sizes.x, [64, 128])
  t.same(
    sizes.series.map(({ name, values }) => [name, values]),
    [
      ["kaal-ipc", [640, null]],
      ["kaal-ipc, in place", [1_280, 3_840]],
      ["C++", [704, null]],
      ["C++, in place", [1_344, 3_968]],
    ],
  )
})

t.test("reportPage() holds everything that it shows, and nothing from elsewhere", async t => {
  const machine: Machine = {
    ...{ what: "machine", cpu: "A <CPU>", processors: [0, 1], tsc_hz: 2e9, kernel: "6", node: "v20" },
    ...{ placement: "N", probe_ns: 100, load: 0, at: "2026-01-01T00:00:00.000Z" },
    held_up: { share: 0.25, longest_ms: 30 },
  }
  const limited: FigureSpec = { ...SPEC, limit: { of: "ratio", atMost: 1.25 } }
  const figure = figureOf(RUN, limited, roundsAt(100, 3), ["ours"], ["fast"])
  const rows: Row[] = [trial("kaal-ipc", 240, 100), trial("kaal-ipc", 250, 100), trial("C++", 200, 100), figure]
  const results: Results = { ring: summarise(machine, rows) }
  t.match(results.ring?.contests, [{ of: "kaal-ipc", histogram: [[70, 10]], rttNs: 245 }, { of: "C++" }])
  const page = reportPage(results)
  t.match(page, "A &lt;CPU&gt;", "text is text")
  t.match(page, "others take 25 % of busy processors, up to 30.0 ms at a time")
  t.match(page, "one way")
  t.match(page, /uPlot=function/)
  t.notMatch(page, /(src|href)="|url\(|@import/, "self-contained")
  t.throws(() => reportPage({}), /no results/)
})
