// batches.test.ts: several messages with one publish: what is refused, what the other end sees, and what is counted.

import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { RING_SLOTS, RING_WRITE_INDEX } from "../../../src/ring/layout.ts"
import { type RingOptions, SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../helpers/ring.ts"

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

function ends(t: Test, options: RingOptions) {
  const [a, b] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, options)
  const wait = { spinNs: 0 }
  return {
    address: a,
    producer: SharedRing.producer(vspace, a, PAGE_BYTES, { wait }),
    consumer: SharedRing.consumer(vspace, b, PAGE_BYTES, { wait }),
  }
}

for (const form of ["index", "slot"] as const) {
  t.test(`${form}: a batch comes whole, in both ways of giving it, short messages padded with zeros`, async t => {
    const { producer, consumer } = ends(t, { capacity: 4, slotBytes: 16, form })
    t.equal(producer.tryPushMany([bytes(1, 1, 1), bytes(2), new Uint8Array(16).fill(3)]), true)
    const expected = new Uint8Array(48)
    expected.set([1, 1, 1])
    expected.set([2], 16)
    expected.fill(3, 32)
    t.same(consumer.tryPopMany(4), expected)
    t.equal(producer.pushMany(expected), "pushed")
    t.same(consumer.popMany(4), expected)
    t.equal(consumer.tryPopMany(4), undefined)
    t.equal(consumer.popMany(4, 1_000_000), "deadline")
  })

  t.test(`${form}: a batch that does not fit is not sent in part`, async t => {
    const { producer, consumer } = ends(t, { capacity: 4, slotBytes: 8, form })
    producer.tryPushMany([bytes(1), bytes(2)])
    t.equal(producer.tryPushMany([bytes(3), bytes(4), bytes(5)]), false)
    t.equal(producer.claimMany(3), 0)
    t.equal(producer.pushMany([bytes(3), bytes(4), bytes(5)], 1_000_000), "deadline")
    t.equal(consumer.peekMany(4), 2)
    consumer.releaseMany()
    t.equal(consumer.peekMany(4), 0)
  })

  t.test(`${form}: whoever waits for the whole ring gets it when the consumer finds it empty`, async t => {
    for (const capacity of [1, 2, 4, 8, 16, 32]) {
      const { producer, consumer } = ends(t, { capacity, slotBytes: 8, form })
      for (let lap = 1; lap <= 40; lap++) {
        const count = (lap * 7) % capacity || capacity
        t.equal(producer.pushMany(new Uint8Array(count * 8), 0), "pushed", `lap ${lap} of ${capacity} slots`)
        for (let item = 0; item < count; item++) consumer.tryPop()
        t.equal(consumer.pop(0), "deadline")
        t.ok(producer.claimMany(capacity) > 0, `${capacity} slots are free`)
      }
    }
  })

  t.test(`${form}: refuses what no ring can do, by name, value and limit; nothing has changed`, async t => {
    const { producer, consumer } = ends(t, { capacity: 4, slotBytes: 8, form })
    const tooMany = { code: "RangeError", message: /The batch is 5 slots: it must be an integer, 1 to the ring's 4/ }
    t.throws(() => producer.tryPushMany(new Uint8Array(40)), tooMany)
    t.throws(() => producer.pushMany(new Array(5).fill(bytes(1))), tooMany)
    t.throws(() => producer.claimMany(5), tooMany)
    t.throws(() => consumer.tryPopMany(5), tooMany)
    t.throws(() => consumer.popMany(5), tooMany)
    t.throws(() => consumer.peekMany(5), tooMany)
    for (const count of [0, -1, 1.5, Number.NaN]) t.throws(() => producer.claimMany(count), { code: "RangeError" })
    t.throws(() => producer.tryPushMany([]), { code: "RangeError", message: /The batch is 0 slots/ })
    t.throws(() => producer.tryPushMany(new Uint8Array(12)), { code: "RangeError", message: /The batch is 1.5 slots/ })
    const tooLong = { code: "RangeError", message: /message has 9 bytes: a slot holds 8/ }
    t.throws(() => producer.tryPushMany([bytes(1), new Uint8Array(9)]), tooLong)
    const illegal = { code: "IllegalOperation" }
    t.throws(() => producer.commitMany(), illegal)
    t.throws(() => consumer.releaseMany(), illegal)
    t.ok(producer.claimMany(2) > 0)
    for (const count of [3, 0, -1, 0.5]) {
      t.throws(() => producer.commitMany(count), { ...illegal, message: /count must be an integer, 1 to 2/ })
    }
    const ofTwo = { code: "RangeError", message: /whole number, 0 to 1/ }
    for (const number of [2, -1, 0.5, "0" as never]) t.throws(() => producer.slotAddress(number), ofTwo)
    t.equal(consumer.peekMany(4), 0, "none of it was sent")
    producer.commitMany(1)
    t.throws(() => producer.slotAddress(0), { code: "RangeError", message: /no slot is claimed/ }, "committed")
    t.equal(consumer.peekMany(4), 1)
    t.throws(() => consumer.releaseMany(2), illegal)
    consumer.releaseMany()
    t.throws(() => consumer.slotAddress(0), { code: "RangeError", message: /no slot is peeked/ }, "released")
  })

  t.test(`${form}: the generation changes with whatever ends a view, and with nothing else`, async t => {
    const { producer, consumer } = ends(t, { capacity: 4, slotBytes: 8, form })
    const changes = (end: { generation: number }, action: () => unknown): boolean => {
      const before = end.generation
      action()
      return end.generation !== before
    }
    t.notOk(changes(producer, () => producer.claimMany(2)))
    t.notOk(changes(producer, () => producer.claim()))
    t.ok(changes(producer, () => producer.commit()))
    t.ok(changes(producer, () => producer.tryPush()))
    t.notOk(changes(consumer, () => consumer.peek()))
    t.ok(changes(consumer, () => consumer.release()))
    t.ok(changes(consumer, () => consumer.tryPop()))
    t.notOk(
      changes(consumer, () => consumer.tryPop()),
      "empty: the last one popped stays",
    )
    t.ok(changes(consumer, () => consumer.close()))
  })

  t.test(`${form}: counts`, async t => {
    const { producer, consumer } = ends(t, { capacity: 4, slotBytes: 8, form, initialIndex: 0xffff_fffe })
    producer.tryPushMany([bytes(1), bytes(2), bytes(3)])
    producer.tryPush()
    producer.tryPush()
    producer.push(bytes(1), 1_000_000)
    consumer.tryPopMany(2)
    consumer.tryPop()
    consumer.pop()
    consumer.tryPop()
    consumer.pop(1_000_000)
    const expected = { pushed: 4, full: 2, sleeps: 1, wakes: 0 }
    t.same(producer.stats(), expected)
    t.same(consumer.stats(), { popped: 4, empty: 2, sleeps: 1, wakes: 0 })
    producer.close()
    t.same(producer.stats(), expected, "and stay")
  })
}

t.test("a batch of indices that lies is refused, also where its first message was seen before", async t => {
  const { address, producer, consumer } = ends(t, { capacity: 4, slotBytes: 8 })
  producer.tryPushMany([bytes(1), bytes(2)])
  consumer.tryPop()
  for (const lie of [6, 1, 0xffff_ffff, 5]) {
    vspace.storeWord(address + RING_WRITE_INDEX, lie)
    const allowed = lie === 5
    if (allowed) t.equal(consumer.peekMany(4), 4)
    else t.throws(() => consumer.peekMany(4), { name: "PeerMisbehaviorError", peer: "producer", value: lie })
  }
})

t.test("sequences that are no message's are refused; none is believed that is not its slot's next", async t => {
  const geometry = { capacity: 4, slotBytes: 8, form: "slot" as const }
  const { address, consumer } = ends(t, { ...geometry, initialIndex: 100 })
  const first = address + RING_SLOTS
  for (const sequence of [0, 97, 99, 100, 102, 105, 0xffff_ffff]) {
    vspace.storeWord(first, sequence)
    if (sequence === 0 || sequence === 97) t.equal(consumer.pop(0), "deadline")
    else {
      const culprit = { name: "PeerMisbehaviorError", peer: "producer", what: "a slot's sequence", value: sequence }
      t.throws(() => consumer.tryPop(), culprit)
      t.throws(() => consumer.pop(SECOND_NS), culprit)
      t.throws(() => consumer.peekMany(2), culprit)
    }
  }
})
