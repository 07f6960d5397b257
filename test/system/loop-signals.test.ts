// loop-signals.test.ts: components that wait for notifications on their event loops: no wake-up lost, every waiter told.

import t, { type Test } from "tap"
import { SignalMode } from "../fixtures/components/loop-signals/modes.ts"
import { runFixture } from "../helpers/system.ts"

const ROUNDS = 3_000
const NOTICE_LIMIT_MS = 50

interface Ending {
  readonly kind: string
  readonly code?: number
  readonly report: Record<string, unknown>
}

async function run(t: Test, mode: number, ...args: number[]): Promise<Ending[]> {
  const { code, stderr, reports } = await runFixture(t, "loop-signals", [], [mode, ...args])
  t.equal(code, 0, stderr)
  return reports[0] as Ending[]
}

for (const [what, mode, checkNs] of [
  ["asleep at once", SignalMode.answers, 0],
  ["looking for 3 us", SignalMode.answers, 3_000],
  ["the server blocking", SignalMode.answersBlocking, 0],
] as const) {
  t.test(`no wake-up is lost in ${ROUNDS} answers to each of two signallers with random delays: ${what}`, async t => {
    const [server, ...clients] = await run(t, mode, ROUNDS, checkNs)
    t.match(server, { kind: "reported", report: { answered: [ROUNDS, ROUNDS] } })
    for (const client of clients) t.match(client, { kind: "reported", report: { rounds: ROUNDS } })
  })
}

t.test(`who waits is told within ${NOTICE_LIMIT_MS} ms that its signaller was killed`, async t => {
  const [waiter, killedNs] = (await run(t, SignalMode.bereaved)) as [Ending, unknown]
  t.match(waiter, { report: { outcome: "peer-gone", again: "peer-gone" } })
  const noticeMs = ((waiter.report.atNs as number) - (killedNs as number)) / 1e6
  t.ok(noticeMs >= 0 && noticeMs < NOTICE_LIMIT_MS, `told after ${noticeMs.toFixed(2)} ms`)
})

t.test("a revocation ends the wait, whose loop went on", async t => {
  const [waiter] = await run(t, SignalMode.revoked)
  t.match(waiter, { kind: "reported", report: { outcome: "revoked", again: "revoked" } })
  t.ok((waiter?.report.turns as number) > 0)
})

t.test("aborted, too late, a second wait, closed: each is told, and no bit is lost by it", async t => {
  const [waiter] = await run(t, SignalMode.misuse)
  t.match(waiter, {
    report: {
      before: "AbortError",
      during: "TimeoutError",
      late: "deadline",
      second: "IllegalOperation",
      blocking: "IllegalOperation",
      bits: ["5", "0", "2"],
      closed: "closed",
    },
  })
})

t.test("for await gives every bit until the signaller has gone", async t => {
  const [signaller, waiter] = await run(t, SignalMode.iterates)
  t.match(signaller, { report: "sent" })
  t.match(waiter, { report: ["1", "1", "1"] })
})

t.test("a wait keeps its component alive, or does not", async t => {
  t.match(await run(t, SignalMode.unref, 1), [{ kind: "reported", report: { outcome: "deadline" } }])
  t.match(await run(t, SignalMode.unref, 0), [{ kind: "exited", code: 0 }])
})

t.test("who closes its end lets another wait", async t => {
  const [first, second] = await run(t, SignalMode.closes)
  t.match(first, { report: { bits: "1", refused: 0 } })
  t.match(second, { report: { bits: "2" } })
})
