// badged-signals.test.ts: a signaller refuses what its badge does not allow, in a worker thread as in the main thread.

import t from "tap"
import { runFixture } from "../helpers/system.ts"

const EXPECTED = [
  ["ok", /^2$/],
  ["IllegalOperation", /0x8 has bits outside the capability's badge 0x6/],
  ["IllegalOperation", /0xa has bits outside/],
  ["InvalidArgument", /Badge 0 would signal nothing/],
  ["IllegalOperation", /bits outside/],
  ["IllegalOperation", /0x10000000000000000 has bits outside/],
  ["InvalidArgument", /badge is 2, a number: a bigint is needed/],
  ["InvalidArgument", /badge is 2, a string/],
  ["InvalidArgument", /badge is null, a object/],
  ["ok", /^undefined$/],
] as const

t.test("the main thread and a worker are refused the same bits, in the same words, and signal the rest", async t => {
  const { code, stderr, reports } = await runFixture(t, "badged-signals")
  t.equal(code, 0, stderr)
  const { main, worker } = reports[0] as Record<"main" | "worker", { outcomes: unknown[] }>
  for (const [at, [code, message]] of EXPECTED.entries()) t.match(main.outcomes[at], { code, message })
  t.match(main, { bits: "6", after: "FailedLookup" })
  t.same(worker, main)
})
