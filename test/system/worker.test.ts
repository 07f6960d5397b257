// worker.test.ts: an end of a channel in a worker thread: it works beside the main thread's event loop, is given up, is told.

import t, { type Test } from "tap"
import { WORK_MESSAGES, WORKER_TAKES, WorkMode } from "../fixtures/components/works/modes.ts"
import { runFixture } from "../helpers/system.ts"

interface Receiver {
  readonly report: { readonly turns: number }
}

async function run(t: Test, mode: number): Promise<[unknown, Receiver]> {
  const { code, stderr, reports } = await runFixture(t, "works", [], [mode])
  t.equal(code, 0, stderr)
  const [sender, receiver] = reports[0] as [unknown, Receiver]
  t.match(receiver, { report: { refused: "IllegalOperation" } }, "while the worker has the end nobody else gets it")
  return [sender, receiver]
}

t.test("a worker takes every message, blocking and awaiting, while the main thread's event loop goes on", async t => {
  const [sender, receiver] = await run(t, WorkMode.all)
  t.match(sender, { report: { sent: WORK_MESSAGES, last: "pushed" } })
  const whole = { count: WORK_MESSAGES, wrong: 0, outcome: "" }
  t.match(receiver, { report: { report: whole, status: 0, heir: "nothing" } })
  t.ok(receiver.report.turns > 20, `${receiver.report.turns} turns`)
})

t.test("a worker that ends gives its end up, and its successor goes on", async t => {
  const [sender, receiver] = await run(t, WorkMode.ends)
  t.match(sender, { report: { outcome: "closed" } })
  t.match(receiver, { report: { report: { count: WORKER_TAKES, wrong: 0 }, status: 0, heir: WORKER_TAKES } })
})

t.test("so does one that is terminated", async t => {
  const [sender, receiver] = await run(t, WorkMode.terminated)
  t.match(sender, { report: { outcome: "closed" } })
  t.match(receiver, { report: { heir: 0 } })
})

t.test("a revocation reaches the end in a worker", async t => {
  const [sender, receiver] = await run(t, WorkMode.revoked)
  t.match(sender, { report: { outcome: "revoked" } })
  t.match(receiver, { report: { report: { wrong: 0, outcome: "revoked" }, status: 0 } })
})
