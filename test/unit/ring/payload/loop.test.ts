// loop.test.ts: payloads sent and received on the event loop: whatever ends a wait, no payload and no buffer is lost by it.

import { isDeepStrictEqual } from "node:util"
import fc from "fast-check"
import t from "tap"
import { native } from "../../../../native/index.ts"
import { Status } from "../../../../src/ring/layout.ts"
import type { LoopWaitOptions } from "../../../../src/ring/loop/loop-waiting.ts"
import { Arrivals } from "../../../../src/ring/payload/arrivals.ts"
import { defineMessage } from "../../../../src/ring/payload/message-type.ts"
import { PackedConsumer, PackedProducer } from "../../../../src/ring/payload/packed-ring.ts"
import { TypedConsumer, TypedProducer } from "../../../../src/ring/payload/typed-ring.ts"
import { newPool } from "../../../helpers/pool-bells.ts"
import { vspace } from "../../../helpers/ring.ts"
import { endsWithBells } from "../../../helpers/ring-bells.ts"

const MS = 1_000_000
const reason = new Error("enough")
const refusal = { code: "IllegalOperation", message: /pending/ }

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const payload = (number: number): Uint8Array => Uint8Array.of(number, number + 1, number + 2)

for (const [how, checkNs] of [
  ["asleep", 0],
  ["still looking", 20 * MS],
] as const) {
  t.test(`receive({}) and borrow({}) resolve with what is sent while they wait, ${how}`, async t => {
    const { sender, receiver } = newPool(t, 1, checkNs)
    for (let round = 0; round < 5; round++) {
      const receiving = receiver.receive({})
      await later(1)
      t.equal(await sender.send(payload(round), {}), "sent")
      t.same(await receiving, payload(round))
      const borrowing = receiver.borrow({})
      await later(1)
      t.equal(await sender.send(payload(round), {}), "sent")
      const loan = await borrowing
      if (typeof loan === "string") throw new Error(loan)
      t.same(loan.uncheckedBytes(), payload(round))
      loan.release()
    }
  })

  t.test(`send({}) waits for a buffer while timers run, ${how}`, async t => {
    const { sender, receiver } = newPool(t, 1, checkNs)
    t.equal(await sender.send(payload(1), {}), "sent")
    const sending = sender.send(payload(2), {})
    await later(2)
    t.same(receiver.receive(0), payload(1))
    t.equal(await sending, "sent")
    t.same(receiver.receive(0), payload(2))
  })
}

t.test("an aborted wait takes nothing and sends nothing, before it and during it", async t => {
  const { sender, receiver } = newPool(t, 1)
  await t.rejects(sender.send(payload(1), { signal: AbortSignal.abort(reason) }), reason)
  t.equal(sender.send(payload(1)), "sent")
  await t.rejects(receiver.receive({ signal: AbortSignal.abort(reason) }), reason)
  const sending = new AbortController()
  const refused = t.rejects(sender.send(payload(2), { signal: sending.signal }), reason)
  await later(2)
  sending.abort(reason)
  await refused
  t.same(receiver.receive(0), payload(1))
  t.equal(receiver.receive(0), "deadline", "the second was not sent")
  const receiving = new AbortController()
  const aborted = t.rejects(receiver.receive({ signal: receiving.signal }), reason)
  await later(2)
  receiving.abort(reason)
  t.equal(sender.send(payload(3)), "sent")
  await aborted
  t.same(await receiver.receive({}), payload(3))
  t.equal(sender.send(payload(4)), "sent", "the buffer is free again")
})

t.test("deadlines, the close of either end and the peer's death are outcomes, what was sent comes first", async t => {
  const closing = newPool(t, 1)
  t.equal(await closing.receiver.receive({ deadlineNs: 2 * MS }), "deadline")
  closing.sender.send(payload(1))
  t.equal(await closing.sender.send(payload(2), { deadlineNs: 2 * MS }), "deadline")
  const sending = closing.sender.send(payload(2), {})
  await later(2)
  closing.receiver.close()
  t.equal(await sending, "closed")

  const { sender, receiver } = newPool(t, 1)
  const receiving = receiver.receive({})
  await later(2)
  sender.send(payload(1))
  sender.close()
  t.same(await receiving, payload(1))
  t.equal(await receiver.receive({}), "closed")

  const own = newPool(t, 1)
  const waiting = own.receiver.receive({})
  await later(2)
  own.receiver.close()
  t.equal(await waiting, "closed")

  const dying = newPool(t, 1)
  dying.sender.send(payload(1))
  vspace.storeWord(dying.descriptors.status, Status.PeerGone)
  t.same(await dying.receiver.receive({}), payload(1))
  const last = dying.receiver.receive({})
  native.addToEventFd(dying.descriptors.bells.consumer)
  t.equal(await last, "peer-gone")
})

t.test("one wait at a time: another is refused, overtakes nothing and does not disturb it", async t => {
  const { sender, receiver } = newPool(t, 1)
  const receiving = receiver.receive({})
  await t.rejects(receiver.borrow({}), refusal)
  t.throws(() => receiver.receive(0), refusal)
  t.equal(sender.send(payload(1)), "sent")
  t.throws(() => receiver.receive(0), refusal, "it has come, and is his who has waited")
  t.same(await receiving, payload(1))
  t.equal(sender.send(payload(2)), "sent")
  const sending = sender.send(payload(3), {})
  t.same(await receiver.receive({}), payload(2))
  await t.rejects(sender.send(payload(4), {}), refusal)
  t.equal(await sending, "sent")
  t.same(receiver.receive(0), payload(3))
})

t.test("misuse rejects, and costs neither a payload nor a buffer", async t => {
  const { sender, receiver } = newPool(t, 1)
  await t.rejects(sender.send(new Uint8Array(65), {}), {
    code: "RangeError",
    message: /65 bytes: a buffer holds 0 to 64/,
  })
  await t.rejects(sender.send("text" as unknown as Uint8Array, {}), { code: "InvalidArgument" })
  sender.send(payload(1))
  await t.rejects(receiver.receive({}, new Uint8Array(2)), { code: "RangeError", message: /into holds 2/ })
  const gone = payload(2)
  const sending = t.rejects(sender.send(gone, {}), {
    code: "InvalidArgument",
    message: /3 bytes at the call and has 0 now/,
  })
  structuredClone(gone, { transfer: [gone.buffer as ArrayBuffer] })
  t.same(await receiver.receive({}), payload(1))
  await sending
  t.equal(await sender.send(payload(3), {}), "sent")
  t.same(await receiver.receive({}), payload(3))
})

t.test("a peer that sends without an end what is of no use keeps nobody beyond his time", async t => {
  const { producer, consumer } = endsWithBells(t, { capacity: 4, slotBytes: 8 }, { checkNs: 0 })
  producer.tryPush()
  const arrivals = new Arrivals(consumer)
  t.equal(
    arrivals.until(MS, () => undefined),
    "deadline",
  )
  t.equal(await arrivals.until({ deadlineNs: MS }, () => undefined), "deadline")
  t.ok(await arrivals.until({ deadlineNs: MS }, () => consumer.tryPop()))
})

t.test("for await yields every payload in order, break takes no more, and it ends with the sender", async t => {
  const { sender, receiver } = newPool(t, 2)
  const sending = (async () => {
    for (let number = 0; number < 50; number++) await sender.send(payload(number), {})
    sender.close()
  })()
  const seen: number[] = []
  for await (const each of receiver) {
    seen.push(each[0] as number)
    if (seen.length === 20) break
  }
  for await (const each of receiver) seen.push(each[0] as number)
  t.same(
    seen,
    Array.from({ length: 50 }, (_, number) => number),
  )
  await sending
})

t.test("whatever is aborted, each payload that was sent comes once and in order, and no buffer is lost", async t => {
  const step = fc.record({ abortAfterMs: fc.option(fc.nat(2), { freq: 2 }), pauseMs: fc.nat(1), inPlace: fc.boolean() })
  const steps = fc.array(step, { minLength: 1, maxLength: 12 })
  const property = fc.asyncProperty(steps, steps, fc.integer({ min: 1, max: 3 }), async (sends, receives, buffers) => {
    const { sender, receiver } = newPool(t, buffers)
    let sent = 0
    const seen: (number | undefined)[] = []
    const attempt = async <T>(
      { abortAfterMs, pauseMs }: (typeof sends)[number],
      wait: (options: LoopWaitOptions) => Promise<T>,
    ) => {
      await later(pauseMs)
      const signal = AbortSignal.timeout(abortAfterMs ?? 20)
      return wait({ signal }).catch(error => (error.name === "TimeoutError" ? undefined : Promise.reject(error)))
    }
    const sending = async (): Promise<void> => {
      for (const each of sends) {
        if ((await attempt(each, options => sender.send(payload(sent), options))) === "sent") sent++
      }
    }
    const receiving = async (): Promise<void> => {
      for (const each of receives) {
        const found = await attempt(each, async options => {
          if (!each.inPlace) return receiver.receive(options)
          const loan = await receiver.borrow(options)
          if (typeof loan === "string") return loan
          const copy = loan.uncheckedBytes().slice()
          loan.release()
          return copy
        })
        if (found instanceof Uint8Array) seen.push(found[0])
      }
    }
    await Promise.all([sending(), receiving()])
    for (let rest = receiver.receive(0); typeof rest !== "string"; rest = receiver.receive(0)) seen.push(rest[0])
    for (let buffer = 0; buffer < buffers; buffer++) {
      if (sender.send(payload(0), 0) !== "sent") throw new Error(`Only ${buffer} of ${buffers} buffers are left`)
    }
    sender.close()
    receiver.close()
    const expected = Array.from({ length: sent }, (_, number) => number)
    if (String(seen) !== String(expected)) throw new Error(`${seen} where ${expected} were sent`)
  })
  await fc.assert(property, { numRuns: 40 })
})

t.test(
  "declared messages are awaited and iterated, and one that waits is not changed by a push that is refused",
  async t => {
    const Item = defineMessage({ number: "u32" })
    const ends = endsWithBells(t, { capacity: 1, slotBytes: 8 }, { checkNs: 0 })
    const [producer, consumer] = [new TypedProducer(ends.producer, Item), new TypedConsumer(ends.consumer, Item)]
    t.equal(await producer.push({ number: 1 }, {}), "pushed")
    const pushing = producer.push({ number: 2 }, {})
    await t.rejects(producer.push({ number: 3 }, {}), refusal)
    t.match(await consumer.pop({}), { number: 1 })
    t.equal(await pushing, "pushed")
    const rest = (async () => {
      await producer.push({ number: 4 }, {})
      ends.producer.close()
    })()
    const seen: number[] = []
    for await (const item of consumer) seen.push(item.number)
    t.same(seen, [2, 4])
    await rest
  },
)

t.test("packed values are awaited and iterated; each is unpacked in the turn that it is taken in", async t => {
  const ends = endsWithBells(t, { capacity: 2, slotBytes: 64 }, { checkNs: 0 })
  const [producer, consumer] = [new PackedProducer(ends.producer), new PackedConsumer(ends.consumer)]
  await producer.push({ text: "a" }, {})
  producer.push("b", 0)
  const popping = consumer.pop({})
  const taken = [consumer.tryPop(), await popping]
  // Another is taken before the first is looked at; or first, where a turn of the loop was due.
  const [b, a] = isDeepStrictEqual(taken[0], { value: "b" }) ? taken : taken.toReversed()
  t.same([a, b], [{ value: { text: "a" } }, { value: "b" }])
  await t.rejects(producer.push("x".repeat(100), {}), { code: "RangeError" })
  producer.push(5, 0)
  ends.producer.close()
  for await (const { value } of consumer) t.equal(value, 5)
})
