// service.test.ts: request and reply, and a lossy channel, between real components, of which one client is killed in mid-call.

import t from "tap"
import { CALLS } from "../fixtures/components/service-end/roles.ts"
import { runFixture } from "../helpers/system.ts"

t.test("a client that is killed in mid-call costs neither the server nor the other client anything", async t => {
  const { code, stderr, reports } = await runFixture(t, "service-root", ["service-end"])
  t.equal(code, 0, stderr)
  t.match(reports[0], { kind: "reported", report: { sent: CALLS, answered: CALLS, late: 0, inFlight: 0 } })
  t.match(reports[1], {
    kind: "reported",
    report: {
      ended: "peer-gone",
      clients: ["peer-gone", "peer-gone"],
      malformed: 0,
      left: [6, 7, 8, 9],
      lossy: { policy: "drop-oldest", received: 4, lost: 6 },
    },
  })
})
