// streams.test.ts: payloads by Node and Web streams: back-pressure is the pool's, and whoever leaves loses no buffer.

import { once } from "node:events"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import t, { type Test } from "tap"
import { native } from "../../../../native/index.ts"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { PageFault } from "../../../../src/ring/errors.ts"
import { Status } from "../../../../src/ring/layout.ts"
import type { Loan } from "../../../../src/ring/payload/payload-receiver.ts"
import type { PayloadSender } from "../../../../src/ring/payload/payload-sender.ts"
import { newPool, POOL_BYTES, type Pool } from "../../../helpers/pool-bells.ts"
import { vspace } from "../../../helpers/ring.ts"
import { endsWithBells, recordEndsWithBells } from "../../../helpers/ring-bells.ts"

const BUFFERS = 2
const reason = new Error("enough")

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const payload = (number: number): Uint8Array => new Uint8Array(number % 65).fill(number)
const payloads = (count: number): Uint8Array[] => Array.from({ length: count }, (_, number) => payload(number))

/** Its receiver has received everything. */
function hasAllBuffers(t: Test, sender: PayloadSender): void {
  for (let buffer = 0; buffer < BUFFERS; buffer++) t.equal(sender.send(payload(buffer), 0), "sent")
  t.equal(sender.send(payload(0), 0), "deadline", "and no more than there are")
}

async function writeToWeb({ sender }: Pool, chunks: readonly Uint8Array[]): Promise<void> {
  const writer = sender.writableStream().getWriter()
  for (const chunk of chunks) {
    await writer.ready
    // What fails it fails the next write, or the close, as well.
    writer.write(chunk).catch(() => {})
  }
  await writer.close()
}

for (const [how, write, read] of [
  [
    "Node",
    ({ sender }: Pool, chunks: readonly Uint8Array[]) => pipeline(Readable.from(chunks), sender.writable()),
    ({ receiver }: Pool) => receiver.readable(),
  ],
  ["Web", writeToWeb, ({ receiver }: Pool) => receiver.readableStream()],
] as const) {
  t.test(`${how} streams carry every payload through a small pool, and end with the sender`, async t => {
    const pool = newPool(t, BUFFERS)
    const sent = payloads(200)
    const writing = write(pool, sent).then(() => pool.sender.close())
    const seen: Uint8Array[] = []
    for await (const each of read(pool)) seen.push(each)
    await writing
    t.same(seen, sent)
    t.equal(pool.receiver.interruption(), "closed")
  })

  t.test(`${how} streams end with the death of the sender, after what it had sent`, async t => {
    const pool = newPool(t, BUFFERS)
    pool.sender.send(payload(1))
    const seen: Uint8Array[] = []
    const reading = (async () => {
      for await (const each of read(pool)) seen.push(each)
    })()
    await later(2)
    vspace.storeWord(pool.descriptors.status, Status.PeerGone)
    native.addToEventFd(pool.descriptors.bells.consumer)
    await reading
    t.same(seen, [payload(1)])
  })

  t.test(
    `a ${how} stream that is left early gives its buffers back, and takes only what it had read ahead`,
    async t => {
      const pool = newPool(t, BUFFERS)
      const writing = write(pool, payloads(40)).then(() => pool.sender.close())
      let next = 0
      for (let round = 0; round < 3 * BUFFERS; round++) {
        for await (const each of read(pool)) {
          const number = each[0] ?? next
          t.ok(number >= next && number <= next + 3, `${number} after ${next}`)
          next = number + 1
          break
        }
      }
      const rest: Uint8Array[] = []
      for await (const each of pool.receiver) rest.push(each)
      await writing
      const first = rest[0]?.[0] as number
      t.same(rest, payloads(40).slice(first))
    },
  )

  t.test(`a ${how} stream's write fails when the receiver goes`, async t => {
    const pool = newPool(t, BUFFERS)
    const writing = t.rejects(write(pool, payloads(5)), { code: "Interrupted", message: /closed/ })
    await later(2)
    pool.receiver.close()
    await writing
  })

  t.test(`a ${how} stream fails when the channel is revoked`, async t => {
    const pool = newPool(t, BUFFERS)
    const reading = t.rejects(
      (async () => {
        for await (const each of read(pool)) t.fail(`got ${each.length} bytes`)
      })(),
      { code: "Interrupted", message: /revoked/ },
    )
    await later(2)
    vspace.storeWord(pool.descriptors.status, Status.Revoked)
    native.addToEventFd(pool.descriptors.bells.consumer)
    await reading
  })
}

t.test("a stream that reads nothing ahead loses nothing when it is left", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const seen: number[] = []
  const writing = pipeline(Readable.from(payloads(60).slice(1)), sender.writable()).then(() => sender.close())
  for (let round = 0; round < 20; round++) {
    for await (const each of round % 2 === 0 ? receiver.readable(0) : receiver.readableStream(0)) {
      seen.push(each[0] as number)
      if (seen.length % 2 === 0) break
    }
  }
  for await (const each of receiver) seen.push(each[0] as number)
  await writing
  t.same(
    seen,
    Array.from({ length: 59 }, (_, number) => number + 1),
  )
})

t.test("streams that are destroyed while they wait take and send nothing, and the end goes on", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const reader = receiver.readable()
  reader.resume()
  const web = newPool(t, BUFFERS)
  const reading = web.receiver.readableStream().getReader()
  const read = reading.read()
  await later(1)
  reader.destroy()
  await reading.cancel()
  t.match(await read, { done: true })
  sender.send(payload(1))
  web.sender.send(payload(1))
  t.same(await receiver.receive({}), payload(1))
  t.same(await web.receiver.receive({}), payload(1))

  const writer = sender.writable(0)
  const failed = once(writer, "error")
  for (let number = 1; number <= 4; number++) writer.write(payload(number))
  await later(1)
  writer.destroy(reason)
  t.equal((await failed)[0], reason)
  const aborted = web.sender.writableStream().getWriter()
  const writes = [1, 2, 3, 4].map(number => aborted.write(payload(number)).catch(error => error))
  await later(1)
  await aborted.abort(reason)
  t.same(await Promise.all(writes), [undefined, undefined, reason, reason])
  for (const pool of [{ sender, receiver }, web]) {
    for (const number of [1, 2]) t.same(pool.receiver.receive(0), payload(number))
    t.equal(pool.receiver.receive(0), "deadline", "the third was not sent")
    hasAllBuffers(t, pool.sender)
  }
})

t.test("an abort signal ends a pipeline, and costs no buffer", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const aborter = new AbortController()
  const { signal } = aborter
  const writing = t.rejects(pipeline(Readable.from(payloads(5)), sender.writable(), { signal }), { name: "AbortError" })
  await later(2)
  aborter.abort()
  await writing
  for (let round = 0; round < BUFFERS; round++) t.same(receiver.receive(0), payload(round))
  hasAllBuffers(t, sender)
})

t.test("a write that is not taken is behind: the pool, and one chunk beside it", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const writer = sender.writable()
  const took: boolean[] = []
  for (let number = 0; number < BUFFERS + 1; number++) {
    took.push(writer.write(payload(number)))
    await later(1)
  }
  t.same(took, [false, false, false], "each is one chunk, as many as it takes")
  t.equal(writer.writableLength, 1, "the third waits for a buffer")
  const drained = once(writer, "drain")
  t.same(receiver.receive(0), payload(0))
  await drained
  t.equal(writer.writableLength, 0)
  writer.destroy()

  const web = newPool(t, BUFFERS)
  const webWriter = web.sender.writableStream(4).getWriter()
  const writes = [1, 2, 3].map(number => webWriter.write(payload(number)))
  await Promise.all(writes.slice(0, 2))
  t.equal(webWriter.desiredSize, 3)
  web.receiver.receive(0)
  await writes[2]
  t.equal(webWriter.desiredSize, 4)
})

t.test("an iterator that is left keeps nobody's payload: what was taken is yielded, the rest stays", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const taken = receiver[Symbol.asyncIterator]()
  sender.send(payload(1))
  const next = taken.next()
  await taken.return?.()
  t.same(await next, { done: false, value: payload(1) })
  t.same(await taken.next(), { done: true, value: undefined })

  const waiting = receiver[Symbol.asyncIterator]()
  const pending = waiting.next()
  await later(1)
  sender.send(payload(2))
  void waiting.return?.()
  const { value = receiver.receive(0) } = await pending
  t.same(value, payload(2))
  hasAllBuffers(t, sender)
})

t.test(
  "what is no chunk, and what is no highWaterMark, is refused with a typed error, by rings and records too",
  async t => {
    const { sender, receiver } = newPool(t, BUFFERS)
    const slots = endsWithBells(t, { capacity: 4, slotBytes: 64 })
    const records = recordEndsWithBells(t, { capacityBytes: 512 })
    for (const { producer, consumer } of [{ producer: sender, consumer: receiver }, slots, records]) {
      for (const mark of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "16" as unknown as number]) {
        const refusal = { code: "InvalidArgument", message: new RegExp(`highWaterMark is ${mark},.*0 or more`) }
        t.throws(() => producer.writable(mark), refusal)
        t.throws(() => producer.writableStream(mark), refusal)
        t.throws(() => consumer.readable(mark), refusal)
        t.throws(() => consumer.readableStream(mark), refusal)
      }
      const refusal = { code: "InvalidArgument", message: /chunk is of type (string|Array|undefined).*Uint8Array/ }
      for (const chunk of ["text", [1, 2], undefined]) {
        const writer = producer.writable()
        const failed = once(writer, "error")
        writer.write(chunk)
        t.match((await failed)[0], refusal)
        const web = producer.writableStream().getWriter()
        web.closed.catch(() => {})
        await t.rejects(web.write(chunk as unknown as Uint8Array), refusal)
      }
      const tooLong = producer.writable()
      const failed = once(tooLong, "error")
      tooLong.write(new Uint8Array(PAGE_BYTES))
      t.match((await failed)[0], { code: "RangeError", message: /4096 bytes/ })
      const good = producer.writable()
      await new Promise(resolve => good.write(payload(9), resolve))
      const reader = consumer.readable()
      const [first] = await once(reader, "data")
      t.same(first.slice(0, 9), payload(9))
      reader.destroy()
    }
  },
)

t.test(
  "pages that a revocation takes in the middle of a copy are an outcome, and without one a page fault",
  async t => {
    for (const isRevoked of [true, false]) {
      const { sender, receiver, descriptors, returns, at, loans } = newPool(t, BUFFERS + 1)
      sender.send(payload(1))
      const loan = receiver.borrow(0)
      sender.send(payload(1))
      for (const address of at) native.unmap(address, POOL_BYTES)
      if (!isRevoked) {
        t.throws(() => sender.send(payload(1), 0), PageFault)
        continue
      }
      for (const { status } of [descriptors, returns]) vspace.storeWord(status, Status.Revoked)
      t.equal(sender.send(payload(1), 0), "revoked")
      t.equal(await sender.send(payload(1), {}), "revoked")
      t.equal(receiver.receive(0), "revoked")
      t.equal(await receiver.receive({}), "revoked")
      for (const ring of [descriptors, returns]) for (const address of ring.at) native.unmap(address, PAGE_BYTES)
      native.unmap(loans, PAGE_BYTES)
      receiver.close()
      t.throws(() => (loan as Loan).release(), { code: "IllegalOperation" }, "its close has given back what it could")
    }
  },
)

t.test("who cancels, aborts or destroys a wait can begin the next at once", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const canceled = receiver.receive({})
  receiver.cancel()
  const aborter = new AbortController()
  const aborted = t.rejects(receiver.receive({ signal: aborter.signal }), reason)
  aborter.abort(reason)
  const reader = receiver.readable()
  reader.read()
  reader.destroy()
  const last = receiver.receive({})
  sender.send(payload(1))
  t.equal(await canceled, "closed")
  await aborted
  t.same(await last, payload(1))
  for (const number of [1, 2]) sender.send(payload(number))
  const sending = sender.send(payload(3), {})
  sender.cancel()
  const other = sender.send(payload(4), {})
  receiver.receive(0)
  t.same(await Promise.all([sending, other]), ["closed", "sent"])
  t.same([receiver.receive(0), receiver.receive(0)], [payload(2), payload(4)])
})

t.test("a second wait beside a stream's is refused, and the stream goes on", async t => {
  const { sender, receiver } = newPool(t, BUFFERS)
  const reader = receiver.readable(0)
  const first = once(reader, "data")
  await later(1)
  await t.rejects(receiver.receive({}), { code: "IllegalOperation", message: /pending/ })
  sender.send(payload(1))
  t.same(await first, [payload(1)])
  reader.destroy()
})
