// ipc-test-summary.ts: the tables at the end of an ipc-test, and the latency as a picture of a few lines.

import Table from "cli-table3"
import type { Histogram, LatencySummary, Percentiles, RootReport } from "../../protocols/ipc-test.ts"
import { type Output, paint } from "./step-list.ts"

type Result = Extract<RootReport, { kind: "result" }>

export function showResult(result: Result, times: readonly (readonly [string, number])[], out: Output): void {
  const print = (text: string): void => void out.write(`${text}\n`)
  const mark = (ok: boolean): string => (ok ? paint("green", "✓") : paint("red", "✗"))

  const tests = table(["", "Test", "items", "ms", "detail"], [3, 40, 10, 7, 60])
  for (const { ok, name, items, ms, detail } of result.tests) tests.push([mark(ok), name, items, ms.toFixed(0), detail])
  print(`\n${tests}`)

  const criteria = table(["", "Criterion", "value", "limit", "unit"], [3, 40, 18, 10, 50])
  for (const { ok, name, value, limit, unit } of result.criteria) criteria.push([mark(ok), name, value, limit, unit])
  print(`${criteria}`)

  if (result.latency !== null) showLatency(result.latency, print)
  print(`\nWhere the time went: ${times.map(([step, ms]) => `${step} ${ms.toFixed(0)} ms`).join(" · ")}`)
  const measured = result.criteria.every(({ value }) => !String(value).startsWith("not measurable"))
  const held = measured ? "All criteria hold." : "All criteria that can be measured here hold."
  print(result.ok ? paint("green", `\n${held}`) : paint("red", "\nNot all criteria hold."))
}

function showLatency(latency: LatencySummary, print: (text: string) => void): void {
  const { hz } = latency
  const rows: [string, Percentiles | null][] = [
    ["one way, half a round trip", latency.cycles],
    ["one way, send stamp to receive stamp", latency.stamp],
    ["ring operation alone", latency.ringOp],
    ["signal, nobody asleep", latency.signalNoWake],
    ["signal that wakes a sleeper", latency.signalWake],
    ["parked round trip", latency.parkedRoundTrip],
  ]
  const figures = table(["64-byte messages, cycles (ns)", "p50", "p99", "p99.9", "max"], [40, 18, 18, 18, 24])
  const cell = (cycles: number): string => {
    const ns = hz === 0 ? "" : ` (${format((cycles * 1e9) / hz)})`
    return `${format(cycles)}${ns}`
  }
  for (const [name, figure] of rows) {
    if (figure === null) figures.push([name, "not measurable", "", "", ""])
    else figures.push([name, cell(figure.p50), cell(figure.p99), cell(figure.p999), cell(figure.max)])
  }
  print(`${figures}`)
  if (latency.probeNs !== null) {
    const clock = hz === 0 ? "" : `, time stamp counter ${(hz / 1e9).toFixed(3)} GHz`
    const placement = latency.placement === null ? "" : `, placement ${latency.placement}`
    print(`Bare cache-line round trip ${latency.probeNs.toFixed(0)} ns${placement}${clock}, ${latency.samples} samples`)
  }
  if (latency.histogram !== null) print(`\nOne way, cycles:\n${drawHistogram(latency.histogram)}`)
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

function format(value: number): string {
  return Math.round(value).toLocaleString("en-US")
}

function table(head: string[], colWidths: number[]): Table.Table {
  const noLinesBetweenRows = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }
  return new Table({ head, colWidths, wordWrap: true, chars: noLinesBetweenRows, style: { head: [], border: [] } })
}
