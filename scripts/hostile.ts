// hostile.ts: `npm run hostile [-- --json --words N --seed S]`: hostile ends against honest ones, in every shape.

import { parseArgs } from "node:util"
import Table from "cli-table3"
import { type Row, runTrials } from "../test/hostile/words/trials.ts"
import { numberOption } from "./options.ts"

/** Of each trial, at least, so that its peer has the time to do something. */
const TRIAL_MS = 500

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    words: { type: "string", default: "1e7" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
  },
})
const words = numberOption("words", values.words, 1, 1e12)
const seed = numberOption("seed", values.seed, 0, 2 ** 31)
const shapes: Row[] = await runTrials({ words, ms: TRIAL_MS, seed }, row => {
  if (values.json !== true && row.outcome !== "ok") console.log(`${row.hostile} of ${row.shape}: ${row.outcome}`)
})

const sum = (of: "words" | "outOfBounds" | "overBound"): number => shapes.reduce((total, row) => total + row[of], 0)
const result = {
  ok: shapes.every(row => row.outcome === "ok"),
  seed,
  words: sum("words"),
  outOfBounds: sum("outOfBounds"),
  overBound: sum("overBound"),
  disturbed: shapes.filter(({ disturbed }) => disturbed !== "").length,
}
if (values.json === true) console.log(JSON.stringify({ ...result, shapes }))
else {
  const head = [
    "shape",
    "hostile",
    "words",
    "peer's calls",
    "messages",
    "reported",
    "refused",
    "longest ms over",
    "null call ms",
    "",
  ]
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const row of shapes) {
    const { shape, hostile, calls, messages, reported, refused, longestMs, nullCallMs, outcome } = row
    const ms = [longestMs, nullCallMs].map(time => time.toFixed(1))
    table.push([
      shape,
      hostile,
      row.words,
      calls,
      messages,
      reported,
      refused,
      ...ms,
      outcome === "ok" ? "ok" : "FAILED",
    ])
  }
  console.log(table.toString())
  console.log(JSON.stringify(result))
}
process.exitCode = result.ok ? 0 : 1
