// caps-suite-table.ts: the rows of `bench caps` as a table for a person.

import Table from "cli-table3"
import { type CapsRow, wantsMore } from "./caps-suite-row.ts"

const NO_LINES_BETWEEN_ROWS = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }

export function showCapsRows(rows: readonly CapsRow[]): void {
  const table = new Table({
    head: ["what", "value", "limit", "", "spread", "note"],
    style: { head: [], border: [] },
    chars: NO_LINES_BETWEEN_ROWS,
  })
  for (const { what, value, unit, limit, ok, spread, note } of rows) {
    table.push([
      what,
      `${shown(value)} ${unit}`,
      limit === null ? "" : `${wantsMore(unit) ? "at least" : "at most"} ${shown(limit)}`,
      ok === null ? "" : ok ? "ok" : "MISSED",
      spread.map(shown).join(" - "),
      note,
    ])
  }
  console.log(table.toString())
  console.log("Whoever else uses these processors is in these figures: run it alone, and trust ratios before times.")
}

function shown(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3)
}
