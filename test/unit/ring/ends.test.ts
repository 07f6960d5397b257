// ends.test.ts: what goes into a ring comes out of it: once, whole and in order; and what a lying peer can do: nothing.

import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import type { RingConsumer } from "../../../src/ring/consumer.ts"
import type { RingError } from "../../../src/ring/errors.ts"
import { RING_WRITE_INDEX } from "../../../src/ring/layout.ts"
import type { RingProducer } from "../../../src/ring/producer.ts"
import { producerPartBytes } from "../../../src/ring/ring-header.ts"
import { type RingOptions, SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../helpers/ring.ts"

const forms = ["index", "slot"] as const

function ends(t: Test, options: RingOptions): [RingProducer, RingConsumer] {
  const [a, b] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, options)
  return [SharedRing.producer(vspace, a, PAGE_BYTES), SharedRing.consumer(vspace, b, PAGE_BYTES)]
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

t.test("tryPush() fills every slot and then says full; tryPop() empties them in order and then says empty", async t => {
  for (const [capacity, form] of [1, 2, 16].flatMap(capacity => forms.map(form => [capacity, form] as const))) {
    const [producer, consumer] = ends(t, { capacity, slotBytes: 64, form })
    for (let lap = 0; lap < 3; lap++) {
      for (let item = 0; item < capacity; item++) t.equal(producer.tryPush(bytes(lap, item)), true)
      t.equal(producer.tryPush(bytes(99)), false, `${capacity} slots are full`)
      for (let item = 0; item < capacity; item++) t.same(consumer.tryPop()?.subarray(0, 3), bytes(lap, item, 0))
      t.equal(consumer.tryPop(), undefined, "empty")
    }
  }
})

t.test("push and pop carry every byte of every slot size", async t => {
  const sizes = [8, 16, 24, 56, 64, 72, 128, 136, 1000]
  for (const [slotBytes, form] of sizes.flatMap(slotBytes => forms.map(form => [slotBytes, form] as const))) {
    const [producer, consumer] = ends(t, { capacity: 2, slotBytes, form })
    for (let lap = 1; lap <= 5; lap++) {
      const message = Uint8Array.from({ length: slotBytes }, (_, at) => (at * 7 + lap) & 0xff)
      t.equal(producer.push(message, SECOND_NS), "pushed")
      t.same(consumer.pop(SECOND_NS), message, `${slotBytes} bytes`)
    }
  }
})

t.test("tryPush() sends staging when it is given no message, and zeros after a short one", async t => {
  const [producer, consumer] = ends(t, { capacity: 4, slotBytes: 8 })
  producer.staging.set(bytes(1, 2, 3, 4, 5, 6, 7, 8))
  producer.tryPush()
  producer.tryPush(bytes(9))
  t.same(consumer.tryPop(), bytes(1, 2, 3, 4, 5, 6, 7, 8))
  t.same(consumer.tryPop(), bytes(9, 0, 0, 0, 0, 0, 0, 0))
  t.throws(() => producer.tryPush(new Uint8Array(9)), {
    code: "RangeError",
    message: /message has 9 bytes: a slot holds 8;/,
  })
  t.equal(consumer.tryPop(), undefined, "a refusal sends nothing")
})

t.test("push() refuses what is no Uint8Array by its type, and sends nothing; a Buffer is one", async t => {
  const [producer, consumer] = ends(t, { capacity: 4, slotBytes: 8 })
  const wrong: [unknown, string][] = [
    ["hello", "string"],
    [5, "number"],
    [[1, 2], "Array"],
    [null, "null"],
    [new Float64Array(8), "Float64Array"],
    [new ArrayBuffer(8), "ArrayBuffer"],
  ]
  for (const [value, type] of wrong) {
    const refused = { code: "InvalidArgument", message: new RegExp(`is of type ${type}, which must be Uint8Array`) }
    t.throws(() => producer.push(value as Uint8Array), refused)
    t.throws(() => producer.tryPush(value as Uint8Array), refused)
    t.throws(() => producer.tryPushMany([value as Uint8Array]), refused)
  }
  t.throws(() => producer.tryPushMany("hello" as unknown as Uint8Array), { message: /messages is of type string/ })
  t.equal(consumer.tryPop(), undefined)
  producer.push(Buffer.from([7]))
  t.equal(consumer.tryPop()?.[0], 7)
})

for (const form of forms)
  t.test(`${form}: indices run over 2^32 with the ring full, empty and in between`, async t => {
    for (const initialIndex of [0xffff_fffe, 0xffff_ffff, 0x7fff_ffff]) {
      const [producer, consumer] = ends(t, { capacity: 4, slotBytes: 8, initialIndex, form })
      let sent = 0
      let received = 0
      for (let lap = 0; lap < 12; lap++) {
        while (sent - received < 4) t.ok(producer.tryPush(bytes(sent++)))
        t.notOk(producer.tryPush())
        for (let pops = 0; pops <= lap % 4; pops++) t.equal(consumer.tryPop()?.[0], received++)
      }
      while (received < sent) t.equal(consumer.tryPop()?.[0], received++)
      t.equal(consumer.tryPop(), undefined)
    }
  })

t.test("claim() and peek() name one slot until commit() and release()", async t => {
  const [producer, consumer] = ends(t, { capacity: 2, slotBytes: 8 })
  const slot = producer.claim()
  t.equal(producer.claim(), slot)
  t.equal(consumer.peek(), 0, "not committed")
  producer.commit()
  const seen = consumer.peek()
  t.ok(seen > 0)
  t.equal(consumer.peek(), seen)
  consumer.release()
  t.equal(consumer.peek(), 0)
})

t.test("commit() and release() refuse what was not claimed or peeked", async t => {
  const [producer, consumer] = ends(t, { capacity: 2, slotBytes: 8 })
  const illegal = { code: "IllegalOperation" } as RingError
  t.throws(() => producer.commit(), illegal)
  t.throws(() => consumer.release(), illegal)
  producer.claim()
  producer.tryPush(bytes(1))
  t.throws(() => producer.commit(), illegal, "a push gives the claim up")
  consumer.peek()
  consumer.tryPop()
  t.throws(() => consumer.release(), illegal, "a pop gives the peek up")
  producer.claim()
  producer.commit()
  t.throws(() => producer.commit(), illegal, "once for each claim")
})

t.test("the consumer refuses a write index that moves back or too far ahead, and names the producer", async t => {
  for (const [initialIndex, lie] of [
    [100, 99],
    [100, 105],
    [0xffff_ffff, 4],
    [0, 0xffff_ffff],
  ] as const) {
    const [a, b] = frameTwice(t)
    SharedRing.create(vspace, a, PAGE_BYTES, { capacity: 4, slotBytes: 8, initialIndex })
    const consumer = SharedRing.consumer(vspace, b, PAGE_BYTES)
    vspace.storeWord(a + RING_WRITE_INDEX, lie)
    const culprit = { name: "PeerMisbehaviorError", peer: "producer", what: "writeIndex", value: lie }
    t.throws(() => consumer.tryPop(), culprit)
    t.throws(() => consumer.pop(SECOND_NS), culprit)
    t.throws(() => consumer.peek(), culprit)
  }
})

t.test("the producer refuses a read index that moves back or passes its own, and names the consumer", async t => {
  for (const [initialIndex, lie] of [
    [100, 99],
    [100, 105],
    [0xffff_ffff, 4],
    [0, 0xffff_ffff],
  ] as const) {
    const [a, b] = frameTwice(t)
    const geometry = { capacity: 4, slotBytes: 8 }
    SharedRing.create(vspace, a, PAGE_BYTES, { ...geometry, initialIndex })
    const producer = SharedRing.producer(vspace, a, PAGE_BYTES)
    for (let item = 0; item < 4; item++) producer.tryPush()
    vspace.storeWord(b + producerPartBytes(geometry), lie)
    const culprit = { name: "PeerMisbehaviorError", peer: "consumer", what: "readIndex", value: lie }
    t.throws(() => producer.tryPush(), culprit)
    t.throws(() => producer.push(undefined, SECOND_NS), culprit)
    t.throws(() => producer.claim(), culprit)
  }
})

t.test("an end writes nothing but its own part of the frame", async t => {
  const [a, b] = frameTwice(t)
  const geometry = { capacity: 4, slotBytes: 8 }
  SharedRing.create(vspace, a, PAGE_BYTES, geometry)
  const consumerPart = a + producerPartBytes(geometry)
  const snapshot = (from: number, to: number): Uint8Array => vspace.u8.slice(from, to)
  const producer = SharedRing.producer(vspace, a, PAGE_BYTES)
  const consumer = SharedRing.consumer(vspace, b, PAGE_BYTES)

  const consumers = snapshot(consumerPart, a + PAGE_BYTES)
  for (let item = 0; item < 4; item++) t.ok(producer.tryPush())
  t.equal(producer.push(bytes(1), 1_000_000), "deadline", "slept")
  t.same(snapshot(consumerPart, a + PAGE_BYTES), consumers)

  const producers = snapshot(a, consumerPart)
  for (let item = 0; item < 4; item++) t.ok(consumer.tryPop())
  t.equal(consumer.pop(1_000_000), "deadline", "slept")
  t.same(snapshot(a, consumerPart), producers)
})
