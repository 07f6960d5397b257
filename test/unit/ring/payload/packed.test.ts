// packed.test.ts: arbitrary values through a ring as MessagePack, and what a producer of nonsense can do: nothing.

import fc from "fast-check"
import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import type { PeerMisbehaviorError, RingError } from "../../../../src/ring/errors.ts"
import { isOneValue } from "../../../../src/ring/payload/msgpack-scan.ts"
import { PackedConsumer, PackedProducer } from "../../../../src/ring/payload/packed-ring.ts"
import { SharedRing } from "../../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../../helpers/ring.ts"

function ends(t: Test, slotBytes = 256): [PackedProducer, PackedConsumer] {
  const [a, b] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, { capacity: 4, slotBytes })
  return [
    new PackedProducer(SharedRing.producer(vspace, a, PAGE_BYTES)),
    new PackedConsumer(SharedRing.consumer(vspace, b, PAGE_BYTES)),
  ]
}

const samples = [
  null,
  undefined,
  true,
  "",
  "grüße",
  -1.5,
  2n ** 63n,
  -(2n ** 63n),
  new Date(1_234_567_890_123),
  Uint8Array.of(1, 2, 3),
  [1, [2, [3]]],
  { name: "tick", tags: ["a", "b"], nested: { at: 1 } },
]

t.test("push() and pop() carry values of every kind", async t => {
  const [producer, consumer] = ends(t)
  for (const value of samples) {
    t.equal(producer.push(value, SECOND_NS), "pushed")
    t.same(consumer.pop(SECOND_NS), { value })
  }
  t.equal(consumer.tryPop(), undefined)
  t.equal(consumer.pop(0), "deadline")
})

t.test("whatever JSON can say arrives as it was", async t => {
  const [producer, consumer] = ends(t, 512)
  // msgpackr renames this one key, so that no object gets another prototype.
  const json = fc.jsonValue({ maxDepth: 4 }).filter(value => !JSON.stringify(value).includes("__proto__"))
  const property = fc.property(json, value => {
    try {
      if (!producer.tryPush(value)) throw new Error("the ring is full")
    } catch (error) {
      if ((error as RingError).code !== "RangeError") throw error
      return // Longer than a slot: refused, and nothing sent.
    }
    t.same(consumer.tryPop()?.value, JSON.parse(JSON.stringify(value)))
  })
  fc.assert(property, { numRuns: 200 })
})

t.test("what was unpacked does not change with the next pop", async t => {
  const [producer, consumer] = ends(t)
  producer.push(Uint8Array.of(1, 1, 1))
  producer.push(Uint8Array.of(2, 2, 2))
  const first = consumer.tryPop()
  consumer.tryPop()
  t.same(first, { value: Uint8Array.of(1, 1, 1) })
})

t.test("a value that cannot be packed, or does not fit, is refused, and nothing is sent", async t => {
  const [producer, consumer] = ends(t, 16)
  t.throws(() => producer.push("x".repeat(12)), {
    code: "RangeError",
    message: /packs to 13 bytes, a slot of this ring holds 12/,
  })
  const circle: Record<string, unknown> = {}
  circle.self = circle
  t.throws(() => producer.push(circle), { code: "InvalidArgument", message: /cannot be packed/ })
  t.throws(() => producer.push(2n ** 64n), { code: "InvalidArgument" })
  t.throws(() => producer.tryPush(Symbol("s")), { code: "InvalidArgument" })
  t.throws(() => producer.tryPush(() => 1), { code: "InvalidArgument", message: /it is a function/ })
  t.equal(consumer.tryPop(), undefined)
  t.equal(producer.push("x".repeat(11)), "pushed", "one byte less fits")
})

t.test("bytes that are no value are the producer's fault, are told so, and are gone", async t => {
  const [producer, consumer] = ends(t, 64)
  const send = (...bytes: number[]): void => {
    producer.ring.push(Uint8Array.from([bytes.length, 0, 0, 0, ...bytes]))
  }
  const nonsense = [
    [0xc1],
    [0xdd, 0xff, 0xff, 0xff, 0xff],
    [0xdf, 0xff, 0xff, 0xff, 0xff, 1, 1],
    [0xdb, 0, 0, 1, 0, 65],
    [0x93, 1, 2],
    [1, 2],
    [0xd4, 0x62, 0],
    [],
  ]
  for (const bytes of nonsense) {
    send(...bytes)
    const begun = performance.now()
    t.throws(() => consumer.tryPop(), { name: "PeerMisbehaviorError", peer: "producer" }, `[${bytes}]`)
    t.ok(performance.now() - begun < 1_000, "at once")
  }
  producer.ring.push(Uint8Array.of(61, 0, 0, 0))
  t.throws(() => consumer.tryPop(), { message: /set the length of a value to 61, which must be at most 60/ })
  producer.push("sense")
  t.same(consumer.tryPop(), { value: "sense" })
})

t.test("isOneValue() knows what the packer makes, and no part or addition of it", async t => {
  const [producer] = ends(t, 512)
  const property = fc.property(fc.anything({ withDate: true, withBigInt: true, maxDepth: 4 }), value => {
    try {
      if (!producer.tryPush(value)) return
    } catch {
      return
    }
    const { staging } = producer.ring
    const length = (staging[0] as number) + 256 * (staging[1] as number)
    const packed = Uint8Array.from(staging.subarray(4, 4 + length))
    t.ok(isOneValue(packed), String(packed))
    t.notOk(isOneValue(Uint8Array.from([...packed, 0])))
    if (length > 0) t.notOk(isOneValue(packed.subarray(0, length - 1)))
  })
  fc.assert(property, { numRuns: 200 })
})

t.test("random bytes are refused or unpacked in bounded time and memory", async t => {
  const [producer, consumer] = ends(t, 64)
  let refused = 0
  const property = fc.property(fc.uint8Array({ minLength: 1, maxLength: 60 }), bytes => {
    producer.ring.push(Uint8Array.from([bytes.length, 0, 0, 0, ...bytes]))
    const begun = performance.now()
    try {
      consumer.tryPop()
    } catch (error) {
      t.equal((error as PeerMisbehaviorError).peer, "producer")
      refused++
    }
    t.ok(performance.now() - begun < 1_000)
  })
  fc.assert(property, { numRuns: 2_000 })
  t.ok(refused > 100 && refused < 2_000, `${refused} were refused`)
})
