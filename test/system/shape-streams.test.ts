// shape-streams.test.ts: merges, broadcasts and rings with a policy as Node and Web streams: nothing lost but by policy.

import t, { type Test } from "tap"
import { CAPACITY, PRODUCERS, ShapeStream } from "../fixtures/components/shape-streams/modes.ts"
import { runFixture } from "../helpers/system.ts"

const MESSAGES = 3_000
/** A producer that has closed its end may have gone as well by then. */
const ENDED = /^(closed|peer-gone)$/
const WHOLE = { count: MESSAGES, wrong: 0 }

async function run(t: Test, mode: number, count = MESSAGES): Promise<unknown[]> {
  const { code, stderr, reports } = await runFixture(t, "shape-streams", [], [mode, count])
  t.equal(code, 0, stderr)
  return (reports[0] as { report: unknown }[]).map(({ report }) => report)
}

t.test("the streams of a merge give every producer's messages in its order, and say whose each is", async t => {
  const reports = await run(t, ShapeStream.merge)
  t.strictSame(reports.slice(0, PRODUCERS), [MESSAGES, MESSAGES])
  t.match(reports[PRODUCERS], { seen: [WHOLE, WHOLE], interruption: ENDED })
})

t.test("a broadcast's streams: who is waited for reads all, who is not learns what it has lost", async t => {
  const [sent, blocking, lossy] = (await run(t, ShapeStream.broadcast)) as [
    number,
    object,
    { count: number; lost: number },
  ]
  t.equal(sent, MESSAGES)
  t.match(blocking, { ...WHOLE, lost: 0, interruption: ENDED })
  t.match(lossy, { wrong: 0, interruption: ENDED })
  t.equal(lossy.count + lossy.lost, MESSAGES)
})

t.test("a ring that waits when it is full gives its stream back-pressure", async t => {
  const [producer, consumer] = await run(t, ShapeStream.block)
  t.match(producer, { failure: "none", pushed: MESSAGES })
  t.match(consumer, { ...WHOLE, lost: 0, interruption: ENDED })
})

t.test("a ring that drops takes every chunk of a stream, and counts those that it has dropped", async t => {
  for (const mode of [ShapeStream.dropNewest, ShapeStream.dropOldest]) {
    const [producer, consumer] = (await run(t, mode)) as [object, { count: number; lost: number }]
    t.match(producer, { failure: "none" })
    t.match(consumer, { wrong: 0, interruption: ENDED })
    t.equal(consumer.count + consumer.lost, MESSAGES)
    t.ok(consumer.lost > 0, "it was full")
  }
})

t.test("a stream without an end to a ring that drops leaves the event loop to everybody else", async t => {
  const [producer, consumer] = await run(t, ShapeStream.endless)
  t.strictSame(producer, { ended: "AbortError", sent: true })
  t.match(consumer, { wrong: 0, interruption: ENDED })
})

t.test("a ring that fails when it is full fails the stream; with room for all, it does not", async t => {
  const [producer, consumer] = await run(t, ShapeStream.fail)
  t.match(producer, { failure: /^Interrupted: .*policy is "fail".*"block"/, pushed: CAPACITY, full: 1 })
  t.match(consumer, { count: CAPACITY, wrong: 0, lost: 0, interruption: ENDED })
  const [roomy] = await run(t, ShapeStream.fail, CAPACITY)
  t.match(roomy, { failure: "none", pushed: CAPACITY, full: 0 })
})
