// take-over.test.ts: an end goes on where the one before it died or closed: nothing committed is lost, nothing else appears.

import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { RING_SLOTS, RING_WRITE_INDEX } from "../../../src/ring/layout.ts"
import { type RingForm, strideOf } from "../../../src/ring/ring-header.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../helpers/ring.ts"

const geometry = { capacity: 8, slotBytes: 8 }
const forms = ["index", "slot"] as const
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function ring(t: Test, form: RingForm, initialIndex = 0) {
  const [address] = frameTwice(t)
  SharedRing.create(vspace, address, PAGE_BYTES, { ...geometry, form, initialIndex })
  const consumer = () => SharedRing.consumer(vspace, address, PAGE_BYTES, { wait: { spinNs: 0 } })
  const producer = () => SharedRing.producer(vspace, address, PAGE_BYTES, { wait: { spinNs: 0 } })
  return { address, consumer, producer }
}

t.test("a second end of the same role in one process is refused until the first is closed", async t => {
  const { consumer, producer } = ring(t, "index")
  for (const [role, attach] of Object.entries({ consumer, producer })) {
    const first = attach()
    t.throws(attach, { code: "IllegalOperation", message: new RegExp(`the ring's ${role} already.*close\\(\\)`) })
    first.close()
    const second = attach()
    first.close()
    t.throws(attach, { code: "IllegalOperation" }, "closing the first again gives nothing away")
    second[Symbol.dispose]()
    attach()
  }
})

for (const form of forms) {
  t.test(`${form}: new ends go on with what was committed and not released`, async t => {
    const { consumer, producer } = ring(t, form, 0xffff_fffe)
    for (const item of [1, 2, 3, 4, 5, 6]) {
      const end = producer()
      end.tryPush(bytes(item))
      end.claim()
      end.close()
    }
    const first = consumer()
    t.equal(first.redelivered, 0)
    t.equal(first.tryPop()?.[0], 1, "its slot is not given back yet, and it does not come again")
    t.equal(first.peekMany(3), 3)
    first.releaseMany(1)
    first.peekMany(2)
    first.close()
    const second = consumer()
    t.equal(second.redelivered, 2)
    for (const item of [3, 4, 5, 6]) t.equal(second.tryPop()?.[0], item)
    t.equal(second.tryPop(), undefined)
    second.close()
    t.equal(consumer().redelivered, 0)
  })

  t.test(`${form}: who only waits for a message has been handed none, and keeps what was`, async t => {
    const { consumer, producer } = ring(t, form)
    const end = producer()
    for (const item of [1, 2, 3]) end.tryPush(bytes(item))
    const first = consumer()
    t.equal(first.awaitMessage(SECOND_NS), "ready")
    first.close()
    const second = consumer()
    t.equal(second.redelivered, 0)
    t.equal(second.peekMany(3), 3)
    t.equal(second.awaitMessage(SECOND_NS), "ready")
    second.close()
    t.equal(consumer().redelivered, 3)
  })

  t.test(
    `${form}: a closed producer is an outcome after its last message, and no longer when a new one comes`,
    async t => {
      const { consumer, producer } = ring(t, form)
      const [sending, receiving] = [producer(), consumer()]
      sending.tryPush(bytes(1))
      sending.close()
      t.match(receiving.pop(SECOND_NS), { 0: 1 })
      t.equal(receiving.pop(SECOND_NS), "closed")
      t.equal(receiving.tryPop(), undefined)
      t.equal(receiving.interruption(), "closed")
      const next = producer()
      t.equal(receiving.interruption(), undefined)
      t.equal(receiving.pop(1_000_000), "deadline")
      for (let item = 0; item < geometry.capacity; item++) t.equal(next.push(bytes(item)), "pushed")
      receiving.close()
      t.equal(next.push(bytes(9)), "closed", "full, and nobody will make room")
    },
  )

  t.test(`${form}: a closed end does nothing, and says so`, async t => {
    const { consumer, producer } = ring(t, form)
    const [sending, receiving] = [producer(), consumer()]
    t.ok(sending.generation >= 0)
    const slot = sending.claim()
    t.ok(slot > 0)
    sending.close()
    sending.close()
    t.throws(() => sending.commit(), { code: "IllegalOperation" })
    t.equal(sending.tryPush(bytes(1)), false)
    t.equal(sending.tryPushMany([bytes(1), bytes(2)]), false)
    t.equal(sending.push(bytes(1)), "closed")
    t.equal(sending.pushMany([bytes(1)]), "closed")
    t.equal(sending.claim(), 0)
    t.equal(sending.generation, -1)
    t.equal(sending.interruption(), "closed")
    t.equal(receiving.tryPop(), undefined, "the claim did not appear")
    receiving.close()
    t.equal(receiving.tryPop(), undefined)
    t.equal(receiving.tryPopMany(2), undefined)
    t.equal(receiving.pop(), "closed")
    t.equal(receiving.popMany(2), "closed")
    t.equal(receiving.peek(), 0)
    t.equal(receiving.peekMany(2), 0)
    t.equal(receiving.generation, -1)
    t.same(receiving.stats(), { popped: 0, empty: 0, sleeps: 0, wakes: 0 })
  })
}

t.test("private memory of closed ends is used again", async t => {
  const { consumer, producer } = ring(t, "slot")
  // 128 B of state, 128 B of staging and a batch each: the private region would be full after a tenth of that.
  for (let time = 0; time < 100_000; time++) {
    const [sending, receiving] = [producer(), consumer()]
    sending.tryPushMany([bytes(1), bytes(2)])
    if (receiving.tryPopMany(8)?.[8] !== 2) return t.fail(`time ${time}`)
    sending.close()
    receiving.close()
  }
})

t.test("slot: a producer that died between the sequence and its index goes on behind what it published", async t => {
  const { address, consumer, producer } = ring(t, "slot")
  const first = producer()
  first.tryPushMany([bytes(1), bytes(2)])
  first.close()
  vspace.storeWord(address + RING_WRITE_INDEX, 0)
  producer().tryPush(bytes(3))
  const receiving = consumer()
  for (const item of [1, 2, 3]) t.equal(receiving.tryPop()?.[0], item)
  t.equal(receiving.tryPop(), undefined)
})

t.test("slot: what a producer that died within a batch left behind never appears", async t => {
  const { address, consumer, producer } = ring(t, "slot")
  // Sequences of messages 2 and 3 of a batch, whose first was not stored.
  for (const index of [1, 2])
    vspace.storeWord(address + RING_SLOTS + index * strideOf({ ...geometry, form: "slot" }), index + 1)
  const receiving = consumer()
  t.equal(receiving.tryPop(), undefined)
  const next = producer()
  next.tryPush(bytes(1))
  t.equal(receiving.tryPop()?.[0], 1)
  t.equal(receiving.tryPop(), undefined, "not the unfinished batch's second")
  next.tryPush(bytes(2))
  t.equal(receiving.tryPop()?.[0], 2)
})
