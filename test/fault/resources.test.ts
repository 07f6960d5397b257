// resources.test.ts: system calls of each kind fail once in a running daemon: told to the caller, nothing lost. All of them:
// `npm run resources`.

import t from "tap"
import { Trials } from "./resources/trials.ts"

/** Of each the first that the scenario makes, from each place. */
const CALLS = ["memfd_create", "socketpair", "clone", "uv_poll_init", "mmap", "sendmsg", "recvmsg"]

t.test("a daemon that is refused memory, descriptors, mappings or a process says so, and goes on", async t => {
  const { rows, sites } = await Trials.run({
    when: ["running"],
    roles: ["daemon"],
    calls: CALLS,
    full: false,
    next: () => undefined,
    onRow: ({ call, errno, outcome, ms }) => t.match(outcome, /^ok/, `${call} ${errno} (${ms} ms): ${outcome}`),
  })
  t.same([...new Set(rows.map(({ call }) => call))], CALLS, "each was made, and failed")
  // An outcome that nobody noticed would be one of a call that did not fail.
  const memory = rows.find(({ site }) => site === "ReserveFrame")
  t.match(memory?.outcome, /NotEnoughMemory.*EMFILE/)
  t.ok(sites.length > 50, `${sites.length} places make calls`)
})
