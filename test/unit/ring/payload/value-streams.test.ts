// value-streams.test.ts: declared messages and packed values by Node and Web streams.

import { once } from "node:events"
import { Readable, type Writable } from "node:stream"
import { pipeline } from "node:stream/promises"
import t, { type Test } from "tap"
import { defineMessage } from "../../../../src/ring/payload/message-type.ts"
import { PackedConsumer, PackedProducer } from "../../../../src/ring/payload/packed-ring.ts"
import { TypedConsumer, TypedProducer } from "../../../../src/ring/payload/typed-ring.ts"
import { endsWithBells } from "../../../helpers/ring-bells.ts"

const Item = defineMessage({ number: "u32", tag: { type: "u8", length: 2 } })
const items = Array.from({ length: 100 }, (_, number) => ({ number, tag: [number, 1] }))
const boxes = [null, "text", 5, { a: [1] }, ...items].map(value => ({ value }))

async function write<T>(stream: WritableStream<T>, chunks: readonly T[]): Promise<void> {
  const writer = stream.getWriter()
  for (const chunk of chunks) {
    await writer.ready
    writer.write(chunk).catch(() => {})
  }
  await writer.close()
}

async function all<T>(chunks: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = []
  for await (const chunk of chunks) seen.push(chunk)
  return seen
}

type Ends = ReturnType<typeof endsWithBells>
type Streams<T> = readonly [
  sends: { writable(): Writable; writableStream(): WritableStream<T> },
  receives: { readable(): Readable; readableStream(): ReadableStream<object> },
]

/** Sends `values` through a ring of two slots and returns what came, by Node streams and by Web streams. */
async function streamed<T>(
  t: Test,
  values: readonly T[],
  slotBytes: number,
  over: (ends: Ends) => Streams<T>,
): Promise<unknown[][]> {
  const came: unknown[][] = []
  for (const isWeb of [false, true]) {
    const ends = endsWithBells(t, { capacity: 2, slotBytes }, { checkNs: 0 })
    const [sends, receives] = over(ends)
    const writing = isWeb ? write(sends.writableStream(), values) : pipeline(Readable.from(values), sends.writable())
    const reading = all<unknown>(isWeb ? receives.readableStream() : receives.readable())
    await writing
    ends.producer.close()
    came.push(await reading)
  }
  return came
}

t.test("declared messages are streamed as the values of their fields, more than the ring holds", async t => {
  const over = ({ producer, consumer }: Ends) =>
    [new TypedProducer(producer, Item), new TypedConsumer(consumer, Item)] as const
  t.same(await streamed(t, items, 8, over), [items, items])
})

t.test("packed values are streamed in boxes, whatever they are", async t => {
  const over = ({ producer, consumer }: Ends) => [new PackedProducer(producer), new PackedConsumer(consumer)] as const
  t.same(await streamed(t, boxes, 64, over), [boxes, boxes])
})

t.test("a chunk that is no message fails the stream with a typed error, and the ring goes on", async t => {
  const { producer, consumer } = endsWithBells(t, { capacity: 2, slotBytes: 64 }, { checkNs: 0 })
  const typed = new TypedProducer(producer, Item)
  const packed = new PackedProducer(producer)
  const cases = [
    [() => typed.writable(), undefined, /options are missing.*fields/],
    [() => typed.writable(), { number: 1n }, /number is of type u32 and given 1, a bigint/],
    [() => packed.writable(), "text", /options are a string.*value/],
    [() => packed.writable(), { valeu: 5 }, /chunk has no value/],
    [() => packed.writable(), { value: () => {} }, /cannot be packed/],
  ] as const
  for (const [make, chunk, message] of cases) {
    const stream = make()
    const failed = once(stream, "error")
    stream.write(chunk)
    t.match((await failed)[0], { code: "InvalidArgument", message })
  }
  const writer = packed.writableStream().getWriter()
  writer.closed.catch(() => {})
  await t.rejects(writer.write("text" as never), { code: "InvalidArgument" })
  t.equal(consumer.tryPop(), undefined, "nothing was sent")
  await write(packed.writableStream(), [{ value: 5 }])
  t.same(new PackedConsumer(consumer).tryPop(), { value: 5 })
  for (const make of [typed, packed]) {
    t.throws(() => make.writable(-1), { code: "InvalidArgument", message: /highWaterMark is -1/ })
  }
})

t.test("what is no MessagePack destroys the stream, and the next value comes", async t => {
  const { producer, consumer } = endsWithBells(t, { capacity: 4, slotBytes: 64 }, { checkNs: 0 })
  const receives = new PackedConsumer(consumer)
  producer.tryPush(Uint8Array.of(1, 0, 0, 0, 0xc1))
  new PackedProducer(producer).push("next", 0)
  const reader = receives.readable(0)
  const failed = once(reader, "error")
  reader.resume()
  t.match((await failed)[0], { name: "PeerMisbehaviorError" })
  t.same(await receives.pop({}), { value: "next" })
})
