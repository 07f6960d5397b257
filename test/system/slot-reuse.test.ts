// slot-reuse.test.ts: a handle to a notification is one to what stands in its slot, whatever stood there before.

import t from "tap"
import { runFixture } from "../helpers/system.ts"

t.test("a notification in a slot that held another gets the signals, and no stale page is touched", async t => {
  const { code, reports, stderr } = await runFixture(t, "slot-reuse", [])
  t.equal(code, 0, stderr)
  const got = (reports as { name: string; got: string }[]).map(({ name, got }) => [name, got])
  t.strictSame(got, [
    ["first", "1"],
    ["signal after delete", "FailedLookup"],
    ["poll after delete", "FailedLookup"],
    ["wait after delete", "FailedLookup"],
    ["another in its slot", "2"],
    ["by a handle from before", "4"],
    ["derived", "8"],
    ["signal after a revoke from outside", "FailedLookup"],
    ["wait after a revoke from outside", "revoked"],
    ["wait once more", "revoked"],
    ["another after a revoke from outside", "16"],
    ["wait through it", "32"],
    ["another after an own revoke", "64"],
    ["signal where it was moved from", "FailedLookup"],
    ["where it was moved to", "128"],
  ])
})
