// resources.test.ts: system calls of each kind fail once in a running daemon: told to the caller, nothing lost. All of them:
// `npm run resources`.

import t from "tap"
import { Trials } from "./resources/trials.ts"

/** Of each the first that the scenario makes. */
const CALLS = ["memfd_create", "socketpair", "clone", "execve", "uv_poll_init", "mmap", "sendmsg", "recvmsg", "eventfd"]

t.test("a daemon that is refused memory, descriptors, mappings or a process says so, and goes on", async t => {
  const { rows, sites } = await Trials.run({
    when: ["running"],
    roles: ["daemon"],
    calls: CALLS,
    full: false,
    next: () => undefined,
    onRow: ({ call, errno, outcome, ms }) => t.match(outcome, /^ok/, `${call} ${errno} (${ms} ms): ${outcome}`),
  })
  t.same(
    rows.map(({ call }) => call),
    CALLS,
    "each was made, and failed",
  )
  // An outcome that nobody noticed would be one of a call that did not fail.
  t.match(rows[0]?.outcome, /NotEnoughMemory.*EMFILE/)
  t.ok(sites.length > 50, `${sites.length} places make calls`)
})
