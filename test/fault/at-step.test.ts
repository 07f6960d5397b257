// at-step.test.ts: death at every step of sending, receiving and signalling; all operations, and SIGSTOP, are `npm run faults`.

import t from "tap"
import { type Row, runTrials } from "./at-step/trials.ts"

const SLOW_HOST_MS = 1_000

t.test(
  "whoever is killed at any shared access of a push, a peek and release, or a signal, costs nobody a message",
  async t => {
    const rows: Row[] = []
    await runTrials(["push", "peek", "signal"], ["SIGKILL"], SLOW_HOST_MS, row => rows.push(row))
    for (const { operation, step, outcome } of rows) t.match(outcome, /^ok/, `${operation}, step ${step}`)
    t.ok(rows.length > 15, "each has several steps")
  },
)
