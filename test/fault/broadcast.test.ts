// broadcast.test.ts: a broadcast between real components, of which one consumer is killed and one stopped in mid-stream.

import t from "tap"
import { MESSAGES } from "../fixtures/components/broadcast-end/roles.ts"
import { runFixture } from "../helpers/system.ts"

t.test("a killed consumer blocks nobody, a stopped one is disconnected, and the third gets all", async t => {
  const { code, stderr, reports } = await runFixture(t, "broadcast-root", ["broadcast-end"])
  t.equal(code, 0, stderr)
  t.match(reports[0], {
    kind: "reported",
    report: {
      stats: {
        sent: MESSAGES,
        consumers: [
          { policy: "block", state: "absent", disconnected: 0 },
          { policy: "disconnect", state: "absent" },
          { policy: "block", state: "present", misbehaved: 0 },
        ],
      },
      writeReadIndex: "page fault: write",
    },
  })
  t.match(reports[1], {
    kind: "reported",
    report: { after: "peer-gone", writeSlots: "page fault: write", writeLink: "page fault: write" },
  })
})
