// payload-streams.test.ts: payloads by streams between two components: whole, left early, and with a peer or a channel that goes.

import t, { type Test } from "tap"
import { StreamMode, TAKEN } from "../fixtures/components/payload-streams/modes.ts"
import { runFixture } from "../helpers/system.ts"

const COUNT = 200

interface ChildReport {
  readonly report: Record<string, unknown>
}

async function run(t: Test, mode: number): Promise<[sender: ChildReport, receiver: ChildReport]> {
  const { code, stderr, reports } = await runFixture(t, "payload-streams", [], [mode, COUNT])
  t.equal(code, 0, stderr)
  return reports[0] as [ChildReport, ChildReport]
}

for (const [how, mode] of [
  ["Node", StreamMode.node],
  ["Web", StreamMode.web],
] as const) {
  t.test(`${how} streams carry payloads of all lengths whole, and end when the sender closes`, async t => {
    const [sender, receiver] = await run(t, mode)
    t.match(sender, { report: { count: COUNT } })
    const ended = /^(closed|peer-gone)$/
    t.match(receiver, { report: { count: COUNT, wrong: 0, next: COUNT, interruption: ended } })
  })
}

t.test("streams and iterators that are left early keep no buffer: the sender sends on to the end", async t => {
  const [sender, receiver] = await run(t, StreamMode.left)
  t.match(sender, { report: { count: COUNT } })
  t.match(receiver, { report: { wrong: 0, next: COUNT, outcome: /^(closed|peer-gone)$/ } })
  t.ok((receiver.report.count as number) > COUNT / 2, `${receiver.report.count} were seen`)
})

t.test("the sender's streams fail with a typed error when the receiver has closed", async t => {
  const [sender, receiver] = await run(t, StreamMode.gone)
  const failure = /^Interrupted: .*(closed|peer-gone)/
  t.match(sender, { report: { failures: [failure, failure], after: /^(closed|peer-gone)$/ } })
  t.match(receiver, { report: { count: TAKEN, wrong: 0, interruption: "closed" } })
})

t.test("the streams of both ends fail with a typed error when the channel is taken away", async t => {
  const failure = /^Interrupted: .*revoked/
  const whole = { report: { failures: [failure, failure], interruption: "revoked" } }
  const [sender, receiver] = await run(t, StreamMode.revoked)
  t.match(sender, whole)
  t.match(receiver, whole)
  t.match([sender, receiver], [{ report: { after: "revoked" } }, { report: { after: "closed" } }])
})
