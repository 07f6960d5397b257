// notification.test.ts: signals of one process: bits, merging, lanes, refusals, and taking over from one that is gone.

import fc from "fast-check"
import t from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { MAX_LANES, NOTIFICATION_BADGES, NOTIFICATION_IN_USE } from "../../../src/ring/layout.ts"
import { NotificationFrame, NotificationSignaller, NotificationWaiter } from "../../../src/ring/notification.ts"
import { frameTwice, SECOND_NS, vspace } from "../../helpers/ring.ts"

t.test("each of the 64 bits arrives alone, and is taken once", async t => {
  const [a, b] = frameTwice(t)
  t.ok(NotificationFrame.bytesNeeded <= PAGE_BYTES)
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(a, 0))
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b))
  t.equal(waiter.poll(), 0n)
  for (let lap = 0; lap < 2; lap++) {
    for (let bit = 0n; bit < 64n; bit++) {
      signaller.signal(1n << bit)
      t.equal(waiter.poll(), 1n << bit)
      t.equal(waiter.poll(), 0n)
    }
  }
  signaller.signal(2n ** 64n - 1n)
  t.equal(waiter.wait(SECOND_NS), 2n ** 64n - 1n)
})

t.test("signals merge: bits are ORed, not added and not toggled", async t => {
  const [a, b] = frameTwice(t)
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(a, 5))
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b))
  for (const badge of [1n, 1n, 3n, 1n, 8n]) signaller.signal(badge)
  t.equal(waiter.wait(SECOND_NS), 11n)
  t.equal(waiter.poll(), 0n)
  signaller.signal(1n)
  signaller.signal(1n)
  t.equal(waiter.poll(), 1n)
})

t.test("a notification does what ORing into one word does, whatever the order and the lanes", async t => {
  const [a, b] = frameTwice(t)
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b))
  const signallers = Array.from(
    { length: MAX_LANES },
    (_, lane) => new NotificationSignaller(vspace, NotificationFrame.lane(a, lane)),
  )
  const badge = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n })
  const step = fc.oneof(fc.record({ lane: fc.nat(MAX_LANES - 1), badge }), fc.constant("take" as const))
  const property = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    let pending = 0n
    waiter.poll()
    for (const next of steps) {
      if (next === "take") {
        if (waiter.poll() !== pending) throw new Error("took something else than what was pending")
        pending = 0n
      } else {
        signallers[next.lane]?.signal(next.badge)
        pending |= next.badge
      }
    }
    if (waiter.poll() !== pending) throw new Error("left something else than what was pending")
  })
  fc.assert(property, { numRuns: 300 })
})

t.test("a new signaller and a new waiter go on from what is in memory", async t => {
  const [a, b] = frameTwice(t)
  new NotificationSignaller(vspace, NotificationFrame.lane(a, 2)).signal(5n)
  new NotificationSignaller(vspace, NotificationFrame.lane(a, 2)).signal(6n)
  t.equal(new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b)).poll(), 7n)
  t.equal(new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b)).poll(), 0n)
  new NotificationSignaller(vspace, NotificationFrame.lane(a, 2)).signal(4n)
  t.equal(new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b)).poll(), 4n)
})

t.test("signal() refuses badges that are nothing or too much", async t => {
  const [page] = frameTwice(t)
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(page, 0))
  t.throws(() => signaller.signal(1 as never), { code: "InvalidArgument", message: /badge is 1, a number: a bigint/ })
  t.throws(() => signaller.signal(0n), { code: "InvalidArgument", message: /badge is 0,/ })
  t.throws(() => signaller.signal(2n ** 64n), { code: "RangeError", message: /badge is 18446744073709551616,/ })
  t.throws(() => signaller.signal(-1n), { code: "RangeError" })
  t.equal(
    new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, page)).poll(),
    0n,
    "a refusal signals nothing",
  )
})

t.test("NotificationSignaller refuses a lane or an address that no notification has", async t => {
  const [page] = frameTwice(t)
  for (const lane of [-1, 16, 1.5, Number.NaN]) {
    t.throws(() => new NotificationSignaller(vspace, NotificationFrame.lane(page, lane)), {
      code: "RangeError",
      message: /which must be 0 to 15/,
    })
  }
  t.throws(() => new NotificationSignaller(vspace, NotificationFrame.lane(page + 4, 0)), { code: "AlignmentError" })
  t.throws(() => new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, vspace.u8.length)), {
    code: "RangeError",
  })
})

t.test("waitAny() takes one notification at a time and says which", async t => {
  const pages = [frameTwice(t), frameTwice(t), frameTwice(t)]
  const signallers = pages.map(([a]) => new NotificationSignaller(vspace, NotificationFrame.lane(a, 1)))
  const waiters = pages.map(([, b]) => new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b)))
  signallers[2]?.signal(4n)
  signallers[1]?.signal(2n)
  t.same(NotificationWaiter.waitAny(waiters, SECOND_NS), { index: 1, badge: 2n })
  t.same(NotificationWaiter.waitAny(waiters, SECOND_NS), { index: 2, badge: 4n })
  t.equal(NotificationWaiter.waitAny(waiters, 1_000_000), "deadline")
  t.throws(() => NotificationWaiter.waitAny([]), { code: "RangeError", message: /waiters has 0 entries, .* 1 to 3/ })
  const [first] = waiters
  if (first === undefined) throw new Error("no waiter")
  t.throws(() => NotificationWaiter.waitAny([...waiters, first]), {
    code: "RangeError",
    message: /waiters has 4 entries/,
  })
})

t.test("bits outside a lane's badge are dropped, and are not pending later either", async t => {
  const [a, b] = frameTwice(t)
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, b))
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(a, 2))
  const badge = b + NOTIFICATION_BADGES + 2 * 8
  vspace.storeWord(badge, 5)
  vspace.storeWord(badge + 4, 1)
  signaller.signal(2n ** 64n - 1n)
  t.equal(waiter.poll(), 2n ** 32n + 5n)
  vspace.storeWord(badge, 0xffff_ffff)
  t.equal(waiter.poll(), 0n, "what was dropped does not come back with a wider badge")
  signaller.signal(2n)
  t.equal(waiter.poll(), 2n)
})

t.test("a lane is looked at once it is in use, with what is pending there by then", async t => {
  const [a, b] = frameTwice(t)
  const place = NotificationFrame.waiter(vspace, b)
  vspace.storeWord(b + NOTIFICATION_IN_USE, 1)
  const waiter = new NotificationWaiter(vspace, place)
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(a, 7))
  signaller.signal(8n)
  t.equal(waiter.poll(), 0n)
  vspace.storeWord(b + NOTIFICATION_IN_USE, 0x81)
  t.equal(waiter.poll(), 8n)
  t.equal(waiter.poll(), 0n)
})
