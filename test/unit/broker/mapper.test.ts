// mapper.test.ts: the daemon's end of a mapper's socket when the component has gone.

import t from "tap"
import { native } from "../../../native/index.ts"
import { Mapper } from "../../../src/kernel-daemon/broker/mapper.ts"

const ADDRESS = 16 * 1024 * 1024
const DEADLINE_MS = 10_000

t.test("close() refuses what is under way, and what that asks for next, which reaches no other socket", async t => {
  const [ours, theirs] = native.createSocketPair()
  const mapper = new Mapper(ours, t.fail, t.fail)
  const outcomes: (string | undefined)[] = []
  let otherSocket: readonly [number, number] | undefined
  mapper.command(ADDRESS, 4096, 0, -1, DEADLINE_MS, refused => {
    outcomes.push(refused?.message)
    // Linux gives the number that was closed last to the next that is opened.
    otherSocket = native.createSocketPair() as [number, number]
    mapper.command(ADDRESS, 4096, 0, -1, DEADLINE_MS, again => outcomes.push(again?.message))
  })
  mapper.close()
  t.equal(otherSocket?.[0], ours, "the number is somebody else's by then")
  t.match(outcomes, [/ended before/, /ended before/])
  t.equal(outcomes.length, 2)
  t.equal(native.receiveMessage(otherSocket?.[1] as number, new Uint8Array(64)), undefined, "nothing came there")
  for (const fd of [theirs, ...(otherSocket ?? [])]) native.closeFd(fd)
})

t.test("a command to one who is there is sent", async t => {
  const [ours, theirs] = native.createSocketPair()
  const mapper = new Mapper(ours, t.fail, t.fail)
  mapper.command(ADDRESS, 4096, 0, -1, DEADLINE_MS, () => {})
  t.ok(native.waitMessage(theirs, new Uint8Array(64), 1_000) > 0)
  mapper.close()
  native.closeFd(theirs)
})
