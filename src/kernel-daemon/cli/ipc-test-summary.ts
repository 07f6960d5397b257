// ipc-test-summary.ts: the tables at the end of an ipc-test, and the latency as a picture of a few lines.

import Table from "cli-table3"
import type { Histogram, LatencySummary, Percentiles, RootReport } from "../../protocols/ipc-test.ts"
import { type Output, paint } from "./step-list.ts"

type Result = Extract<RootReport, { kind: "result" }>

export function showResult(result: Result, times: readonly (readonly [string, number])[], out: Output): void {
  const print = (text: string): void => void out.write(`${text}\n`)
  const mark = (ok: boolean): string => (ok ? paint("green", "✓") : paint("red", "✗"))

  const tests = table(["", "Test", "items", "ms"], [3, 52, 12, 8])
  for (const { ok, name, items, ms, detail } of result.tests) {
    tests.push([mark(ok), name, items, ms.toFixed(0)], ["", paint("dim", detail), "", ""])
  }
  print(`\n${tests}`)

  const criteria = table(["", "Criterion", "value", "limit", "unit"], [3, 37, 16, 10, 9])
  for (const { ok, measured, name, value, limit, unit, evidence } of result.criteria) {
    criteria.push([ok && !measured ? "–" : mark(ok), name, value, limit, unit])
    criteria.push(["", paint("dim", evidence), "", "", ""])
  }
  print(`${criteria}`)

  if (result.latency !== null) showLatency(result.latency, print)
  print("\nWhere the time went:")
  for (const [step, ms] of times) print(`${ms.toFixed(0).padStart(8)} ms  ${step}`)
  const measured = result.criteria.every(criterion => criterion.measured)
  const held = measured ? "All criteria hold." : "All criteria that can be measured here hold."
  print(result.ok ? paint("green", `\n${held}`) : paint("red", "\nNot all criteria hold."))
}

/** What the placements of design and summary mean, by the bare round trip. */
const PLACEMENT = {
  S: "S, as two threads of one core",
  N: "N, as two cores that share a cache",
  F: "F, as two cores far apart",
} as const

function showLatency(latency: LatencySummary, print: (text: string) => void): void {
  const { hz } = latency
  const rows: [string, Percentiles | null][] = [
    ["one way: half a round trip", latency.cycles],
    ["  blocks of 1,000, no stamps", latency.blocks],
    ["one way: stamp to stamp", latency.stamp],
    ["ring operation alone", latency.ringOp],
    ["signal, nobody asleep", latency.signalNoWake],
    ["signal wakes a sleeper", latency.signalWake],
    ["parked round trip", latency.parkedRoundTrip],
  ]
  const figures = table(["64 bytes, in cycles", "p50", "p99", "p99.9", "max"], [30, 11, 11, 12, 13])
  const cell = (cycles: number): string => `${format(cycles)}${hz === 0 ? "" : `\n${duration((cycles * 1e9) / hz)}`}`
  for (const [name, figure] of rows) {
    if (figure === null) figures.push([name, "-", "-", "-", "-"])
    else figures.push([name, cell(figure.p50), cell(figure.p99), cell(figure.p999), cell(figure.max)])
  }
  print(`${figures}`)
  if (latency.probeNs !== null) {
    const clock = hz === 0 ? "" : `, time stamp counter ${(hz / 1e9).toFixed(3)} GHz`
    const placement = latency.placement === null ? "" : `, placement ${PLACEMENT[latency.placement]}`
    print(`Bare cache-line round trip ${latency.probeNs.toFixed(0)} ns${placement}${clock}`)
  }
  if (latency.histogram !== null)
    print(`\nOne way, half a stamped round trip, cycles:\n${drawHistogram(latency.histogram)}`)
}

const BAR_CHARACTERS = 50

function drawHistogram({ lowest, step, counts }: Histogram): string {
  const total = counts.reduce((sum, count) => sum + count, 0)
  const most = Math.max(...counts)
  const lines = counts.map((count, index) => {
    const from = Math.round(lowest + index * step)
    const open = index === counts.length - 1 ? "+" : " "
    const bar = "█".repeat(Math.ceil((count / most) * BAR_CHARACTERS))
    return `${String(from).padStart(7)}${open} ${bar} ${((count / total) * 100).toFixed(1)} %`
  })
  return lines.join("\n")
}

/** "79 ns", "18.6 us", "128 ms". */
function duration(ns: number): string {
  if (ns < 1e3) return `${ns.toFixed(0)} ns`
  return ns < 1e6 ? `${(ns / 1e3).toFixed(1)} us` : `${(ns / 1e6).toFixed(1)} ms`
}

function format(value: number): string {
  return Math.round(value).toLocaleString("en-US")
}

function table(head: string[], colWidths: number[]): Table.Table {
  const noLinesBetweenRows = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }
  return new Table({ head, colWidths, wordWrap: true, chars: noLinesBetweenRows, style: { head: [], border: [] } })
}
