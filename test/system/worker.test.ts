// worker.test.ts: an end of a channel in a worker thread: it works beside the main thread's event loop, is given up, is told.

import t, { type Test } from "tap"
import { CREW_MESSAGES, PAYLOAD_BYTES } from "../fixtures/components/crew/modes.ts"
import { WORK_MESSAGES, WORKER_TAKES, WorkMode } from "../fixtures/components/works/modes.ts"
import { runFixture } from "../helpers/system.ts"

interface Receiver {
  readonly report: { readonly turns: number }
}

interface Crew {
  readonly report: { readonly report: unknown }
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

t.test(
  "ends of every kind in workers, on both sides: they carry what they carry elsewhere, are refused elsewhere, and given up",
  async t => {
    const { code, stderr, reports } = await runFixture(t, "crew")
    t.equal(code, 0, stderr)
    const sent = Array.from({ length: CREW_MESSAGES }, (_, number) => number)
    const replies = sent.map(number => number + 1)
    const [taker, giver] = reports[0] as [Crew, Crew]
    const rules = {
      status: 0,
      refusedBefore: ["InvalidArgument", "IllegalOperation", "DataCloneError", "InvalidArgument"],
      refusedMeanwhile: ["IllegalOperation", "IllegalOperation", "IllegalOperation"],
      again: "",
    }
    t.match(taker, { report: rules })
    t.match(giver, { report: rules })
    const [bits, records, news, ring, merged, policy, files, ended] = taker.report.report as unknown[]
    t.same([bits, records, news], ["4", "sent", "sent"])
    t.same([ring, merged, policy, files], [sent, [sent, sent], sent, [PAYLOAD_BYTES, 7]])
    t.match(String(ended), /closed|peer-gone/)
    t.same(giver.report.report, ["sent", "sent", "sent", "sent", "sent", replies, sent, sent])
  },
)
