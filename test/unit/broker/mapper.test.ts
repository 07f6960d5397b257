// mapper.test.ts: the daemon's end of a mapper's socket: a component that has gone, and one that does not answer in time.

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

/** What a mapper answers: the command's number, and that it was done. */
function answerOne(fd: number): void {
  const command = new Uint8Array(64)
  native.waitMessage(fd, command, 1_000)
  native.sendMessage(fd, Uint8Array.of(...command.subarray(0, 4), 0, 0, 0, 0), [])
}

async function untilOf(mark: () => boolean, mostMs: number): Promise<number> {
  const begun = performance.now()
  while (!mark() && performance.now() - begun < mostMs) await new Promise(resolve => setTimeout(resolve, 1))
  return performance.now() - begun
}

for (const [what, first, second] of [
  ["the first that is sent", 60, 10_000],
  ["one behind it that has less time", 10_000, 60],
] as const) {
  t.test(`an answer that does not come in time is noticed, of ${what}`, async t => {
    const [ours, theirs] = native.createSocketPair()
    const reasons: string[] = []
    const mapper = new Mapper(ours, t.fail, reason => reasons.push(reason))
    for (const deadlineMs of [first, second]) mapper.command(ADDRESS, 4096, 0, -1, deadlineMs, () => {})
    const ms = await untilOf(() => reasons.length > 0, 5_000)
    t.match(reasons, [/has not answered within (60|65) ms/])
    t.ok(ms >= 55, `after ${ms} ms`)
    mapper.close()
    native.closeFd(theirs)
  })
}

t.test("who has answered is not late, and one later command is judged by its own time", async t => {
  const [ours, theirs] = native.createSocketPair()
  const reasons: string[] = []
  const mapper = new Mapper(ours, t.fail, reason => reasons.push(reason))
  let done = 0
  mapper.command(ADDRESS, 4096, 0, -1, 60, () => done++)
  answerOne(theirs)
  await untilOf(() => done === 1, 5_000)
  mapper.command(ADDRESS, 4096, 0, -1, 300, () => done++)
  const ms = await untilOf(() => reasons.length > 0, 5_000)
  t.equal(done, 1)
  t.match(reasons, [/has not answered within 300 ms/])
  t.ok(ms >= 295, `after ${ms} ms, not when the first would have been late`)
  mapper.close()
  native.closeFd(theirs)
})
