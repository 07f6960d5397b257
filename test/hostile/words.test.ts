// words.test.ts: ten million hostile words, in every shape, from either end; `npm run hostile` writes as many as you like.

import t from "tap"
import { TRIALS } from "../fixtures/components/hostile-root/trials.ts"
import { runTrials } from "./words/trials.ts"

t.test(
  "whatever an end writes into its memory, its peer stays in bounds and in time, and nobody else is disturbed",
  async t => {
    const rows = await runTrials({ words: 1e7, ms: 400, seed: 1 }, () => {})
    for (const { shape, hostile, outcome } of rows) t.equal(outcome, "ok", `hostile ${hostile} of ${shape}`)
    t.equal(rows.length, TRIALS.length)
    t.ok(rows.reduce((sum, { words }) => sum + words, 0) >= 1e7)
  },
)
