// other-shapes.test.ts: death at the first and the last step of operations on other shapes than single slots of a ring, of batches, and on the event
// loop. All operations at all steps, and SIGSTOP, are `npm run faults`.

import t from "tap"
import type { Operation } from "../fixtures/components/step-end/operations.ts"
import { runTrials } from "./at-step/trials.ts"

const SLOW_HOST_MS = 1_000
const OPERATIONS: readonly Operation[] = [
  "pushMany",
  "awaitPop",
  "recordPush",
  "mergePop",
  "broadcastPop",
  "payloadReceive",
  "serve",
]

t.test("whoever is killed in a batch, in another shape or on its event loop costs nobody a message", async t => {
  const rows = await runTrials(
    OPERATIONS,
    ["SIGKILL"],
    SLOW_HOST_MS,
    ({ operation, step, outcome }) => t.match(outcome, /^ok/, `${operation}, step ${step}`),
    "ends",
  )
  t.same([...new Set(rows.map(({ operation }) => operation))], OPERATIONS)
})
