// show-rows.ts: the ratios of a bench run as a table for a person.

import Table from "cli-table3"
import type { Row } from "./ring-suite.ts"

export function showRows(rows: readonly Row[]): void {
  const table = new Table({
    head: ["mode", "bytes", "C++ reference", "figure", "ours", "theirs", "ratio", "spread", "pairs", "probe ns"],
    style: { head: [], border: [] },
  })
  for (const row of rows) {
    if (row.what === "unmeasured") {
      table.push([row.mode, row.bytes, { colSpan: 8, content: `not measured: ${row.reason}` }])
    }
    if (row.what !== "ratio") continue
    const format = (value: number): string =>
      row.figure === "msgs_per_s" ? `${(value / 1e6).toFixed(1)} M/s` : `${value.toFixed(0)} cycles`
    table.push([
      row.mode,
      row.bytes,
      row.variant,
      row.figure === "msgs_per_s" ? "messages (more is better)" : "one way p50 (less is better)",
      format(row.ours),
      format(row.theirs),
      row.median.toFixed(2),
      `${row.min.toFixed(2)}-${row.max.toFixed(2)}`,
      row.pairs,
      row.probe_ns.toFixed(0),
    ])
  }
  console.log(table.toString())
}
