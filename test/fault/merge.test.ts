// merge.test.ts: a merge between real components, of which one is killed and one stopped in mid-stream.

import t from "tap"
import { HALT_AFTER, MESSAGES } from "../fixtures/components/merge-end/roles.ts"
import { runFixture } from "../helpers/system.ts"

t.test("a killed producer is told, a stopped one blocks nobody, and the third delivers all", async t => {
  const { code, stderr, reports } = await runFixture(t, "merge-root", ["merge-end"])
  t.equal(code, 0, stderr)
  const [consumer, producer] = reports as [{ report: { next: number[]; events: string[] } }, unknown]
  t.match(consumer, {
    kind: "reported",
    report: { writeSlots: "page fault: write", writeForeignIndex: "page fault: write" },
  })
  const { next, events } = consumer.report
  // A sender that is killed has sent what it committed.
  t.same(next, [HALT_AFTER, HALT_AFTER, MESSAGES])
  t.same(events.toSorted(), [`0 gone after ${HALT_AFTER}`, `2 gone after ${MESSAGES}`])
  t.match(producer, { kind: "reported", report: "sent all" })
})
