// guard-shortage.test.ts: the guard's walk through /proc fails for a while: it still ends everybody. Once, and at every step of
// it: `npm run resources -- --when ending`.

import t from "tap"
import { Trials } from "./resources/trials.ts"

const CALLS = ["opendir", "readdir", "fopen", "fread", "sigtimedwait"]
/** More than a walk makes of the calls of one name on a machine with few processes. */
const FOR_A_WHILE = 64

t.test("what the daemon left is ended though all calls of one name fail for a while in the guard", async t => {
  const { rows } = await Trials.run({
    when: ["ending"],
    roles: ["guard"],
    calls: CALLS,
    full: false,
    times: FOR_A_WHILE,
    next: () => undefined,
    onRow: ({ call, errno, outcome, ms }) => t.match(outcome, /^ok/, `${call} ${errno} (${ms} ms): ${outcome}`),
  })
  t.same([...new Set(rows.map(({ call }) => call))], CALLS, "each was made, and failed")
})
