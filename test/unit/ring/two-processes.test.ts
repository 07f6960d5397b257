// two-processes.test.ts: the ring and the notifications between real processes, asleep and awake.

import t from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { NOTIFICATION_IN_USE } from "../../../src/ring/layout.ts"
import { NotificationFrame, NotificationSignaller, NotificationWaiter } from "../../../src/ring/notification.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { mapFrame, newFrame, SECOND_NS, startPeer, vspace } from "../../helpers/ring.ts"
import { burstCount, itemCount, recordLineBytes, recordLines, roundCount } from "./counts.ts"

const PATIENCE_NS = 20 * SECOND_NS

for (const [mode, spinNs] of [
  ["produce-parking", 0],
  ["produce-parking", 20_000],
  ["produce-spinning", 0],
  ["produce-spinning", 20_000],
] as const) {
  t.test(`${itemCount} items arrive once, in order and whole: ${mode}, consumer spins ${spinNs} ns`, async t => {
    const frame = newFrame(t, PAGE_BYTES)
    const address = mapFrame(t, frame, PAGE_BYTES)
    SharedRing.create(vspace, address, PAGE_BYTES, { capacity: 4, slotBytes: 64, initialIndex: 0xffff_ff00 })
    const consumer = SharedRing.consumer(vspace, address, PAGE_BYTES, { wait: { spinNs } })
    const peer = startPeer(t, mode, [frame])
    let wrong = 0
    for (let item = 0; item < itemCount; item++) {
      const message = consumer.pop(PATIENCE_NS)
      if (typeof message === "string") return t.fail(`item ${item}: ${message}`)
      const words = new Uint32Array(message.buffer, message.byteOffset, 16)
      if (words[0] !== item || words[15] !== ~item >>> 0) wrong++
    }
    t.equal(wrong, 0)
    t.same(await peer.ended(), { code: 0 })
    t.equal(consumer.tryPop(), undefined, "and nothing more")
  })
}

for (const [mode, spinNs] of [
  ["answer-parking", 0],
  ["answer-parking", 3_000],
  ["answer-spinning", 0],
  ["answer-spinning", 3_000],
] as const) {
  t.test(
    `no wake-up is lost in ${2 * roundCount} alternating signals: ${mode}, this end spins ${spinNs} ns`,
    async t => {
      const frames = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)]
      const [question, answer] = frames.map(frame => mapFrame(t, frame, PAGE_BYTES)) as [number, number]
      const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(question, 9))
      const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, answer), { wait: { spinNs } })
      const peer = startPeer(t, mode, frames)
      for (let round = 0; round < roundCount; round++) {
        const badge = 1n << BigInt(round % 64)
        signaller.signal(badge)
        const answered = waiter.wait(PATIENCE_NS)
        if (answered !== badge) return t.fail(`round ${round}: ${answered}`)
      }
      t.same(await peer.ended(), { code: 0 })
    },
  )
}

t.test(
  `data written before a signal is seen by who gets the bit, also where it merges: ${burstCount} times`,
  async t => {
    const frames = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)]
    const [page, data] = frames.map(frame => mapFrame(t, frame, PAGE_BYTES)) as [number, number]
    const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, page), { wait: { spinNs: 50_000 } })
    const peer = startPeer(t, "merge", frames)
    let seen = 0
    let takes = 0
    while (seen < 2 * burstCount) {
      const badge = waiter.wait(5 * SECOND_NS)
      if (badge !== 1n) return t.fail(`after ${takes} takes, ${seen} seen of ${2 * burstCount}: ${badge}`)

      seen = 2 * burstCount
      // From the line that was written last, because that is the one that may be missing.
      for (let line = recordLines - 1; line >= 0; line--) {
        seen = Math.min(seen, vspace.u32[(data + line * recordLineBytes) / 4] as number)
      }
      if (seen % 2 === 0) vspace.storeWord(data + recordLines * recordLineBytes, seen)
      takes++
    }
    t.ok(takes <= 2 * burstCount, `${takes} takes`)
    t.same(await peer.ended(), { code: 0 })
  },
)

t.test("a lane that comes into use while its waiter sleeps is slept on from then", async t => {
  const frame = newFrame(t, PAGE_BYTES)
  const page = mapFrame(t, frame, PAGE_BYTES)
  const place = NotificationFrame.waiter(vspace, page)
  vspace.storeWord(page + NOTIFICATION_IN_USE, 1)
  const waiter = new NotificationWaiter(vspace, place, { wait: { spinNs: 0 } })
  const peer = startPeer(t, "join", [frame])
  const start = performance.now()
  t.equal(waiter.wait(PATIENCE_NS), 8n)
  t.ok(performance.now() - start < PATIENCE_NS / 2e6, "woken, not at the deadline")
  t.same(await peer.ended(), { code: 0 })
})
