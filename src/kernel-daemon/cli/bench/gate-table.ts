// gate-table.ts: what the gate found, as a table for a person.

import Table from "cli-table3"
import type { GateLine } from "./gate.ts"

export function showGate(lines: readonly GateLine[]): void {
  const table = new Table({
    head: ["ratio to C++", "now", "baseline", "loss", "allowed", "pairs", "placement", ""],
    style: { head: [], border: [] },
  })
  const percent = (share: number | null): string => (share === null ? "-" : `${(share * 100).toFixed(0)} %`)
  for (const { key, now, baseline, loss, allowed, pairs, placement, verdict } of lines) {
    const ratio = (known: typeof now): string => known?.ratio.toFixed(2) ?? "-"
    const row = [key, ratio(now), ratio(baseline), percent(loss), percent(allowed), pairs, placement ?? "-"]
    table.push([...row, verdict === "lost" ? "LOST" : verdict])
  }
  console.log(table.toString())
}
