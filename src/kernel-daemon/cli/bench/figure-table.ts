// figure-table.ts: figures as a table for a person: what was measured, beside whom, and what the limit says.

import Table from "cli-table3"
import { paint } from "../step-list.ts"
import { tellHoldUps } from "./hold-ups.ts"
import type { Figure, Limit, Machine, Verdict } from "./row.ts"

const NO_LINES_BETWEEN_ROWS = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }
const COLOURS: Readonly<Record<Verdict, "green" | "red" | "yellow" | "dim">> = {
  ok: "green",
  missed: "red",
  "not measurable": "yellow",
  shown: "dim",
}

export function showFigures(machine: Machine, figures: readonly Figure[]): void {
  console.log(describe(machine))
  const table = new Table({
    head: ["what", "ours", "theirs", "ratio", "spread", "pairs", "limit", "", "placement"],
    colAligns: ["left", "right", "right", "right", "right", "right", "left", "left", "left"],
    style: { head: [], border: [] },
    chars: NO_LINES_BETWEEN_ROWS,
  })
  const notes: string[] = []
  for (const figure of figures) {
    const { title, unit, ours, theirs, against, ratio, ratios, limit, verdict, placement, probe_ns, note } = figure
    if (note !== "") notes.push(`${title}: ${note}`)
    table.push([
      `${title}${note === "" ? "" : ` (${notes.length})`}`,
      shown(ours, unit),
      against === null ? "" : `${shown(theirs, unit)}, ${against}`,
      ratio === null ? "" : ratio.toFixed(2),
      ratios.length === 0 ? "" : `${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)}`,
      ratios.length === 0 ? "" : ratios.length,
      limitText(limit, unit),
      paint(COLOURS[verdict], verdict === "shown" ? "" : verdict),
      placement === null ? "" : placement === "1" ? "one CPU" : `${placement}, ${probe_ns?.toFixed(0)} ns`,
    ])
  }
  console.log(table.toString())
  for (const [index, note] of notes.entries()) console.log(`(${index + 1}) ${note}`)
  console.log("Whoever else uses these processors is in these figures: run it alone, and trust ratios before times.")
}

export function describe(machine: Machine): string {
  const { cpu, tsc_hz, kernel, node, processors, placement, probe_ns, load, held_up } = machine
  const probe = probe_ns === null ? "one processor" : `placement ${placement}: ${probe_ns.toFixed(0)} ns between them`
  return (
    `${cpu}, time stamps at ${(tsc_hz / 1e9).toFixed(3)} GHz, Linux ${kernel}, Node ${node}; ` +
    `processors ${processors.join(", ")}, ${probe}; load before ${load.toFixed(1)}, ` +
    tellHoldUps({ share: held_up.share, longestMs: held_up.longest_ms })
  )
}

export function limitText(limit: Limit | null, unit: string): string {
  if (limit === null) return ""
  const { of, atMost, atLeast } = limit
  const value = (number: number): string => (of === "ratio" ? `${number} x` : shown(number, unit))
  return [
    atMost === undefined ? "" : `at most ${value(atMost)}`,
    atLeast === undefined ? "" : `at least ${value(atLeast)}`,
  ]
    .filter(Boolean)
    .join(", ")
}

const STEPS: Readonly<Record<string, readonly (readonly [number, string])[]>> = {
  ns: [
    [1e9, "s"],
    [1e6, "ms"],
    [1e3, "us"],
  ],
  "messages/s": [
    [1e6, "M/s"],
    [1e3, "k/s"],
    [1, "/s"],
  ],
  "bytes/s": [
    [1e9, "GB/s"],
    [1e6, "MB/s"],
    [1e3, "kB/s"],
  ],
  bytes: [
    [2 ** 20, "MiB"],
    [2 ** 10, "KiB"],
  ],
}

/** Three figures and a unit that suits them: "18.4 M/s". */
export function shown(value: number | null, unit: string): string {
  if (value === null) return "-"
  const [by, name] = STEPS[unit]?.find(([step]) => Math.abs(value) >= step) ?? [1, unit]
  const scaled = value / by
  const digits =
    Math.abs(scaled) >= 100 || Number.isInteger(scaled)
      ? Math.round(scaled).toLocaleString("en")
      : scaled.toPrecision(3)
  return `${digits} ${name}`
}
