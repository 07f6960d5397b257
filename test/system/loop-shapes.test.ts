// loop-shapes.test.ts: merges, broadcasts and services whose ends wait on their event loops: nothing lost, everybody told.

import t, { type Test } from "tap"
import { ShapeMode } from "../fixtures/components/loop-shapes/modes.ts"
import { runFixture } from "../helpers/system.ts"

const MESSAGES = 5_000
const CALLS = 2_000

async function run(t: Test, mode: number, ...args: number[]): Promise<unknown[]> {
  const { code, stderr, reports } = await runFixture(t, "loop-shapes", [], [mode, ...args])
  t.equal(code, 0, stderr)
  return reports[0] as unknown[]
}

t.test("a merge is awaited by its consumer, and by producers that find no room", async t => {
  const [consumer, ...producers] = await run(t, ShapeMode.merge, MESSAGES)
  for (const producer of producers) t.match(producer, { report: { sent: MESSAGES } })
  t.match(consumer, {
    report: { next: [MESSAGES, MESSAGES], gone: [0, 1], wrong: 0, outcome: "peer-gone", turns: /[1-9]/ },
  })
})

t.test("calls are awaited, more of them than may be under way, and answered while others are", async t => {
  const [server, ...clients] = await run(t, ShapeMode.service, CALLS)
  for (const client of clients) t.match(client, { report: { wrong: 0, sent: CALLS, answered: CALLS, late: 0 } })
  t.match(server, { report: { outcome: "peer-gone", requests: 2 * CALLS, replied: 2 * CALLS, dropped: 0 } })
  t.ok((server as { report: { most: number } }).report.most > 1, "several requests were handled at a time")
})

t.test("calls that are aborted, late, or whose server dies: each is told", async t => {
  const [server, ...clients] = await run(t, ShapeMode.abandoned)
  t.match(server, { kind: "killed" })
  for (const client of clients) {
    t.match(client, {
      report: {
        before: "AbortError",
        during: "TimeoutError",
        late: "deadline",
        rest: ["peer-gone", "peer-gone", "peer-gone", "peer-gone"],
        after: "peer-gone",
        sent: 4,
      },
    })
  }
})

t.test(
  "a broadcast is awaited by all; who closes its end is waited for no more, a close of the producer's is told",
  async t => {
    const [producer, blocking, lossy, closer] = await run(t, ShapeMode.broadcast, MESSAGES)
    t.match(producer, {
      report: {
        sent: MESSAGES,
        states: ["present", "present", "absent"],
        second: "IllegalOperation",
        after: [false, "closed", MESSAGES],
      },
    })
    const whole = { wrong: 0, outcome: "closed", interruption: "closed" }
    t.match(blocking, { report: { ...whole, received: MESSAGES, lost: 0 } })
    t.match(lossy, { report: whole })
    const { received, lost } = (lossy as { report: { received: number; lost: number } }).report
    t.equal(received + lost, MESSAGES)
    t.match(closer, { report: { ...whole, received: 3 } })
  },
)
