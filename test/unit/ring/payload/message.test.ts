// message.test.ts: declared messages: what is written through one end's view is read through the other's, in the place declared.

import fc from "fast-check"
import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { defineMessage, FIELD_BYTES, type FieldType, type Schema } from "../../../../src/ring/payload/message-type.ts"
import { TypedConsumer, TypedProducer } from "../../../../src/ring/payload/typed-ring.ts"
import { SharedRing } from "../../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../../helpers/ring.ts"

function ends<S extends Schema>(t: Test, schema: S, slotBytes = 64): [TypedProducer<S>, TypedConsumer<S>] {
  const [a, b] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, { capacity: 4, slotBytes })
  const type = defineMessage(schema)
  return [
    new TypedProducer(SharedRing.producer(vspace, a, PAGE_BYTES), type),
    new TypedConsumer(SharedRing.consumer(vspace, b, PAGE_BYTES), type),
  ]
}

const quote = { sequence: "u64", price: "f64", quantity: "u32", tag: { type: "u8", length: 4 } } as const

t.test("fields stand where C would put them, or where they are told to", async t => {
  const offsets = (schema: Schema): unknown => defineMessage(schema).fields.map(({ offset }) => offset)
  t.same(offsets(quote), [0, 8, 16, 20])
  t.same(offsets({ a: "u8", b: "u32", c: "u16", d: "f64" }), [0, 4, 8, 16])
  t.same(offsets({ a: { type: "u32", offset: 12 }, b: "u8", c: { type: "u32", offset: 0 } }), [12, 16, 0])
  t.equal(defineMessage({ a: "u8" }).bytes, 8, "whole words")
  t.equal(defineMessage(quote).bytes, 24)
})

t.test("push() with values, pop() with fields", async t => {
  const [producer, consumer] = ends(t, quote)
  t.equal(producer.push({ sequence: 2n ** 63n, price: 1.25, quantity: 7, tag: [1, 2, 3, 4] }, SECOND_NS), "pushed")
  const message = consumer.pop(SECOND_NS)
  if (typeof message === "string") throw new Error(message)
  t.equal(message.sequence, 2n ** 63n)
  t.equal(message.price, 1.25)
  t.same(message.values(), { sequence: 2n ** 63n, price: 1.25, quantity: 7, tag: [1, 2, 3, 4] })
  producer.message.price = -3
  t.ok(producer.tryPush())
  t.match(consumer.tryPop()?.values(), { price: -3, quantity: 7 }, "the fields that were not set stay")
  t.equal(consumer.tryPop(), undefined)
  t.equal(consumer.pop(0), "deadline")
})

t.test("claim() and peek() are in place, and throw once the slot is the peer's", async t => {
  const [producer, consumer] = ends(t, quote)
  t.equal(consumer.peek(), undefined, "empty")
  const claimed = producer.claim()
  if (claimed === undefined) throw new Error("no slot")
  claimed.quantity = 5
  claimed.tag = [9, 9, 9, 9]
  t.equal(consumer.peek(), undefined, "a claim is not seen")
  producer.commit()
  const stale = { code: "IllegalOperation", message: /Field \w+ belongs to a message that was released or committed/ }
  t.throws(() => claimed.quantity, stale)
  t.throws(() => {
    claimed.quantity = 6
  }, stale)
  t.throws(() => claimed.tag, stale)
  const peeked = consumer.peek()
  t.same([peeked?.quantity, peeked?.tag], [5, [9, 9, 9, 9]])
  consumer.release()
  t.throws(() => peeked?.quantity, stale)
  t.throws(() => peeked?.values(), stale)
  t.throws(() => consumer.release(), { code: "IllegalOperation" })
})

t.test("a pop or push between makes a peeked or claimed view stale as well", async t => {
  const [producer, consumer] = ends(t, quote)
  producer.push({ quantity: 1 })
  producer.push({ quantity: 2 })
  const peeked = consumer.peek()
  consumer.tryPop()
  t.throws(() => peeked?.quantity, { code: "IllegalOperation" })
  const claimed = producer.claim()
  producer.tryPush()
  t.throws(() => claimed?.quantity, { code: "IllegalOperation" })
})

t.test("a schema that cannot be is refused with what to do", async t => {
  const refused = [
    [undefined, "InvalidArgument", /options are missing: pass an object with the fields/],
    [{}, "InvalidArgument", /no fields/],
    [{ "a b": "u8" }, "InvalidArgument", /Field "a b"/],
    [{ values: "u8" }, "InvalidArgument", /none of values, assign/],
    [{ a: "u7" }, "InvalidArgument", /type u7; choose one of u8/],
    [{ a: { type: "u8", length: 0 } }, "InvalidArgument", /length 0/],
    [{ a: { type: "u8", offset: -1 } }, "InvalidArgument", /offset -1/],
    [{ a: { type: "f64", offset: 4 } }, "AlignmentError", /offset 4, which must be a multiple of 8/],
    [{ a: "f64", b: { type: "u8", offset: 7 } }, "RangeError", /b begins at 7, but a ends at 8/],
    [{ a: { type: "u8", length: 2 ** 20 + 1 } }, "RangeError", /needs 1048577 bytes/],
  ] as const
  for (const [schema, code, message] of refused)
    t.throws(() => defineMessage(schema as unknown as Schema), { code, message })
  t.throws(() => ends(t, { a: { type: "f64", length: 9 } }), {
    code: "RangeError",
    message: /type has 72 bytes, a slot holds 64; make the ring with slotBytes 72/,
  })
})

t.test("assign() refuses a field that is not there, and an array of another length, and changes nothing", async t => {
  const [producer] = ends(t, quote)
  producer.message.assign({ price: 1 })
  t.throws(() => producer.message.assign({ price: 2, prise: 3 } as object), {
    code: "InvalidArgument",
    message: /no field prise/,
  })
  t.equal(producer.message.price, 1)
  t.throws(() => producer.push({ price: 2, tag: [1] }), {
    code: "RangeError",
    message: /tag has 4 elements, given are 1/,
  })
  t.equal(producer.message.price, 1)
  t.throws(() => {
    ;(producer.message as unknown as Record<string, number>).prise = 3
  }, TypeError)
})

/** What DataView says of the same bytes. */
const READERS: { readonly [T in FieldType]: (view: DataView, offset: number) => number | bigint } = {
  u8: (view, at) => view.getUint8(at),
  i8: (view, at) => view.getInt8(at),
  u16: (view, at) => view.getUint16(at, true),
  i16: (view, at) => view.getInt16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  f32: (view, at) => view.getFloat32(at, true),
  u64: (view, at) => view.getBigUint64(at, true),
  i64: (view, at) => view.getBigInt64(at, true),
  f64: (view, at) => view.getFloat64(at, true),
}

t.test("whatever the schema, views agree with DataView, popped and in place", async t => {
  const [a, b] = frameTwice(t)
  const types = Object.keys(FIELD_BYTES) as FieldType[]
  SharedRing.create(vspace, a, PAGE_BYTES, { capacity: 4, slotBytes: 256 })
  const producer = SharedRing.producer(vspace, a, PAGE_BYTES)
  const consumer = SharedRing.consumer(vspace, b, PAGE_BYTES)
  const property = fc.property(
    fc.array(fc.constantFrom(...types), { minLength: 1, maxLength: 20 }),
    fc.uint8Array({ minLength: 256, maxLength: 256 }),
    (fields, bytes) => {
      const type = defineMessage(Object.fromEntries(fields.map((field, index) => [`f${index}`, field])) as Schema)
      const typed = new TypedConsumer(consumer, type)
      const expected = Object.fromEntries(
        type.fields.map(({ name, type, offset }) => [name, READERS[type](new DataView(bytes.buffer), offset)]),
      )
      producer.push(bytes)
      producer.push(bytes)
      const popped = typed.tryPop()?.values()
      const peeked = typed.peek()?.values()
      typed.release()
      t.same(popped, expected)
      t.same(peeked, expected)
    },
  )
  fc.assert(property, { numRuns: 60 })
})
