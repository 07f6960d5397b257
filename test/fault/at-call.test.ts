// at-call.test.ts: death at system calls of mapping, revoking and spawning; all of them, and SIGSTOP, are `npm run faults`.

import t from "tap"
import { CallTrials } from "./at-call/trials.ts"

const SLOW_HOST_MS = 1_000
const STRIDE = 32

t.test(
  "whoever is killed at a call of a map, a revoke or a spawn leaves nothing and costs nobody a message",
  async t => {
    const rows = await CallTrials.run({
      operations: ["revoked", "spawned"],
      hows: ["SIGKILL"],
      toldLimitMs: SLOW_HOST_MS,
      next: k => k + STRIDE,
      onRow: ({ operation, step, where, outcome }) => t.match(outcome, /^ok/, `${operation}, ${step}, ${where}`),
    })
    for (const whose of [/^cloned: /, /^launcher: /, /^main thread: /, /^mapper: /]) {
      t.ok(
        rows.some(({ where }) => whose.test(where)),
        `${whose} died at a call`,
      )
    }
    t.match(rows.find(({ operation }) => operation === "revoked")?.outcome, /proof 0/)
  },
)
