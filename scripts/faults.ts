// faults.ts: `npm run faults [-- --json] [OPERATION ...]`: death at every step, and the matrix of what the others saw. Steps are
// the accesses to shared memory of what works there, and the system calls of what is asked of the kernel.

import { parseArgs } from "node:util"
import { CallTrials } from "../test/fault/at-call/trials.ts"
import { runTrials } from "../test/fault/at-step/trials.ts"
import { NAMES as AT_CALLS } from "../test/fixtures/components/call-end/operations.ts"
import { NAMES as AT_STEPS, HOW } from "../test/fixtures/components/step-end/operations.ts"
import { chosen } from "./options.ts"

/** The contract's: whoever waits for a dead peer is told within that time. */
const TOLD_LIMIT_MS = 50

interface Row {
  readonly operation: string
  readonly how: string
  readonly step: string
  readonly outcome: string
  readonly toldMs: number
  readonly lost: number
  readonly duplicates: number
  readonly leftovers: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean", default: false } },
})
const names = chosen(positionals, [...AT_STEPS, ...AT_CALLS])
const rows: Row[] = []
const onRow = (row: Row): void => {
  rows.push(row)
  if (!values.json) console.log(`${row.operation.padEnd(11)} ${row.how}  ${row.step.padEnd(58)} ${row.outcome}`)
}
const bySteps = AT_STEPS.filter(name => names.includes(name))
const byCalls = AT_CALLS.filter(name => names.includes(name))
if (bySteps.length > 0)
  await runTrials(bySteps, HOW, TOLD_LIMIT_MS, row => onRow({ ...row, step: `access ${row.step}` }))
if (byCalls.length > 0) {
  await CallTrials.run({
    operations: byCalls,
    hows: HOW,
    toldLimitMs: TOLD_LIMIT_MS,
    next: k => k + 1,
    onRow: ({ where, ...row }) => onRow({ ...row, step: `${row.step}, ${where}` }),
  })
}
const sum = (of: "lost" | "duplicates" | "leftovers"): number => rows.reduce((total, row) => total + row[of], 0)
const told = rows
  .map(row => row.toldMs)
  .filter(ms => ms > 0)
  .sort((a, b) => a - b)
const percentile = (part: number): number => told[Math.min(told.length - 1, Math.floor(told.length * part))] ?? 0
const wrong = rows.filter(row => !row.outcome.startsWith("ok"))
const result = {
  ok: rows.length > 0 && wrong.length === 0,
  steps: rows.length,
  lost: sum("lost"),
  duplicates: sum("duplicates"),
  leftovers: sum("leftovers"),
  toldMs: { p50: percentile(0.5), p99: percentile(0.99) },
}
console.log(JSON.stringify(values.json ? { ...result, matrix: rows } : { ...result, wrong }))
process.exitCode = result.ok ? 0 : 1
