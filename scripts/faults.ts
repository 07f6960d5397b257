// faults.ts: `npm run faults [-- --json]`: death at every step, and the matrix of what the others saw.

import { runTrials } from "../test/fault/at-step/trials.ts"
import { HOW, OPERATIONS, type Operation } from "../test/fixtures/components/step-end/operations.ts"

/** The contract's: whoever waits for a dead peer is told within that time. */
const TOLD_LIMIT_MS = 50

const json = process.argv.includes("--json")
const names = process.argv.slice(2).filter(argument => argument !== "--json") as Operation[]
const operations = names.length > 0 ? names : (Object.keys(OPERATIONS) as Operation[])
const rows = await runTrials(operations, HOW, TOLD_LIMIT_MS, row => {
  if (!json) console.log(`${row.operation.padEnd(8)} step ${String(row.step).padStart(2)}  ${row.how}  ${row.outcome}`)
})
const sum = (of: "lost" | "duplicates" | "leftovers"): number => rows.reduce((total, row) => total + row[of], 0)
const told = rows
  .map(row => row.toldMs)
  .filter(ms => ms > 0)
  .sort((a, b) => a - b)
const percentile = (part: number): number => told[Math.min(told.length - 1, Math.floor(told.length * part))] ?? 0
const result = {
  ok: rows.length > 0 && rows.every(row => row.outcome.startsWith("ok")),
  steps: rows.length,
  lost: sum("lost"),
  duplicates: sum("duplicates"),
  leftovers: sum("leftovers"),
  toldMs: { p50: percentile(0.5), p99: percentile(0.99) },
}
if (json) console.log(JSON.stringify({ ...result, matrix: rows }))
else console.log(JSON.stringify(result))
process.exitCode = result.ok ? 0 : 1
