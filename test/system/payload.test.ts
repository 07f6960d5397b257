// payload.test.ts: payloads, declared messages and MessagePack between two confined components.

import t from "tap"
import { runFixture } from "../helpers/system.ts"

const MIB = 1024 * 1024

t.test("payloads of 0 bytes to 64 MiB arrive whole, more of them than there are buffers", async t => {
  const lengths = [0, 1, 4_095, 4_096, 100_000, 3 * MIB + 1, 64 * MIB, 64 * MIB, 5, 64 * MIB]
  const { code, stderr, reports } = await runFixture(t, "payload-root", ["payload-end"], [0, 64 * MIB, ...lengths])
  t.equal(code, 0, stderr)
  const [[sender, receiver]] = reports as [[unknown, { report: { wrong: number[]; after: string } }]]
  t.same(sender, { kind: "reported", report: "pushed" })
  t.same(receiver.report.wrong, [])
  t.match(receiver.report, { last: { value: { sent: lengths.length } }, after: /deadline|peer-gone/ })
})

t.test("so they do on the event loop, by for await, with the sender's close behind the last", async t => {
  const lengths = [0, 1, 4_096, 3 * MIB + 1, 64 * MIB, 5, 100_000, 64 * MIB]
  const { code, stderr, reports } = await runFixture(t, "payload-root", ["payload-end"], [1, 64 * MIB, ...lengths])
  t.equal(code, 0, stderr)
  const [[sender, receiver]] = reports as [[unknown, { report: unknown }]]
  t.same(sender, { kind: "reported", report: "pushed" })
  t.match(receiver.report, {
    wrong: [],
    round: lengths.length,
    last: { value: { sent: lengths.length } },
    // It may have ended by then.
    after: /^(closed|peer-gone)$/,
  })
})

t.test("a pool that cannot be is refused before anything is made", async t => {
  const { code, stdout, stderr } = await runFixture(t, "payload-root", ["payload-end"], [0, 64 * MIB + 1])
  t.not(code, 0)
  t.match(stdout + stderr, /bufferBytes is 67108865, which must be a whole number, 1 to 67108864/)
})
