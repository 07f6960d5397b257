// fuzz.ts: `npm run fuzz [-- --seconds N --seed S --save --json target...]`: mutated bytes, led by coverage, for whatever decodes
// what comes from somebody hostile. --save keeps the corpus.

import { parseArgs } from "node:util"
import { readCorpus, writeCorpus } from "../test/fuzz/corpus.ts"
import { fuzz, type Outcome } from "../test/fuzz/engine.ts"
import { TARGETS } from "../test/fuzz/targets.ts"
import { chosen, numberOption } from "./options.ts"

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    save: { type: "boolean" },
    json: { type: "boolean" },
  },
})
const names = chosen(
  positionals,
  TARGETS.map(({ name }) => name),
)
const targets = TARGETS.filter(({ name }) => names.includes(name))
const seed = numberOption("seed", values.seed, 0, 2 ** 31)
const eachMs = (numberOption("seconds", values.seconds, 1, 1e6) * 1_000) / targets.length

const rows = targets.map(target => {
  const outcome = fuzz(target, readCorpus(target.name), seed, performance.now() + eachMs)
  if (values.save === true && outcome.finding === undefined) writeCorpus(target.name, outcome.corpus)
  return row(outcome)
})

function row({ target, runs, corpus, covered, longestMs, finding }: Outcome) {
  const { input, error } = finding ?? {}
  return {
    target,
    runs,
    corpus: corpus.length,
    covered,
    longestMs: Math.round(longestMs),
    ...(input && { input: Buffer.from(input).toString("hex"), error: error instanceof Error ? error.stack : error }),
  }
}

const result = { ok: rows.every(({ error }) => error === undefined), seed, targets: rows }
if (values.json === true) console.log(JSON.stringify(result))
else {
  for (const each of rows) console.log(each)
  console.log(JSON.stringify({ ok: result.ok, seed }))
}
process.exitCode = result.ok ? 0 : 1
