// waiting.test.ts: waits on the event loop, of both ends of a ring in one thread: nothing lost, nothing taken, loop alive.

import { readFileSync } from "node:fs"
import t from "tap"
import { native } from "../../../../native/index.ts"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { RING_CONSUMER_SLEEP, RING_PRODUCER_SLEEP, Status } from "../../../../src/ring/layout.ts"
import { producerPartBytes } from "../../../../src/ring/ring-header.ts"
import { SharedRing } from "../../../../src/ring/shared-ring.ts"
import { frameTwice, vspace } from "../../../helpers/ring.ts"
import { endsWithBells } from "../../../helpers/ring-bells.ts"

const geometry = { capacity: 4, slotBytes: 8 }
const bytes = (...values: number[]): Uint8Array => Uint8Array.from([...values, ...Array(8 - values.length).fill(0)])
const MS = 1_000_000

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

for (const [how, checkNs] of [
  ["asleep", 0],
  ["still looking", 20 * MS],
] as const) {
  t.test(`pop({}) resolves with what is pushed while it is ${how}, and the loop runs on meanwhile`, async t => {
    const { producer, consumer } = endsWithBells(t, geometry, { checkNs })
    for (let round = 0; round < 20; round++) {
      let turns = 0
      const immediate = setInterval(() => turns++, 1)
      const popping = consumer.pop({})
      await later(4)
      t.ok(turns > 0, "timers run")
      t.equal(producer.tryPush(bytes(round)), true)
      t.same(await popping, bytes(round))
      clearInterval(immediate)
    }
  })

  t.test(`push({}) resolves when there is room, ${how}`, async t => {
    const { producer, consumer } = endsWithBells(t, geometry, { checkNs })
    for (let item = 0; item < 4; item++) t.equal(await producer.push(bytes(item), {}), "pushed")
    const message = bytes(4)
    const pushing = producer.push(message, {})
    message.fill(9)
    await later(4)
    for (let item = 0; item < 4; item++) t.same(consumer.tryPop(), bytes(item))
    t.equal(await pushing, "pushed")
    t.same(consumer.tryPop(), bytes(4), "as it was at the call")
  })
}

t.test("what is there is taken in the same turn", async t => {
  const { producer, consumer } = endsWithBells(t, geometry, { checkNs: 0 })
  let turned = false
  setImmediate(() => {
    turned = true
  })
  t.equal(await producer.push(bytes(1), {}), "pushed")
  t.same(await consumer.pop({}), bytes(1))
  t.equal(turned, false)
})

t.test("a ring that is never empty does not keep the event loop from its turn", async t => {
  const { producer, consumer } = endsWithBells(t, geometry, { checkNs: 0 })
  const start = performance.now()
  let firedAfterMs = Number.POSITIVE_INFINITY
  setTimeout(() => {
    firedAfterMs = performance.now() - start
  }, 5)
  while (performance.now() - start < 100) {
    await producer.push(bytes(1), {})
    await consumer.pop({})
  }
  t.ok(firedAfterMs < 60, `the timer of 5 ms came after ${firedAfterMs.toFixed(1)} ms`)
})

t.test("checks that are in vain become rare, and come back when one finds something", async t => {
  const { producer, consumer, at } = endsWithBells(t, geometry, { checkNs: 1_000 })
  const sleepNumber = at[0] + producerPartBytes(geometry) + RING_CONSUMER_SLEEP
  const isAsleep = (): boolean => (vspace.loadWord(sleepNumber) & 1) === 1
  // A clock that goes on by being looked at: else a turn of the loop is due whenever the host takes a millisecond.
  const { now } = performance
  let time = now.call(performance)
  performance.now = () => {
    time += 0.001
    return time
  }
  t.teardown(() => {
    performance.now = now
  })
  const waits = async (count: number): Promise<string> => {
    let seen = ""
    for (let wait = 0; wait < count; wait++) {
      const popping = consumer.pop({})
      seen += isAsleep() ? "s" : "c"
      while (!isAsleep()) await new Promise(setImmediate)
      t.equal(producer.tryPush(bytes(wait)), true)
      t.same(await popping, bytes(wait))
    }
    return seen
  }
  const [rarely, most] = ["cccc-s-c-ss-c-ssss-c-ssssssss-c", `${"s".repeat(16)}c`]
  t.equal(await waits(23), rarely.replaceAll("-", ""), "c: it checks, s: it sleeps at once")
  t.equal(await waits(34), `${most}${most}`)
  t.equal(await waits(16), "s".repeat(16))
  t.equal(producer.tryPush(bytes(1)), true)
  t.same(await consumer.pop({}), bytes(1), "the one that checks finds it at once")
  t.equal(await waits(6), "ccccsc")
})

t.test("an aborted signal takes nothing and sends nothing, before and during the wait", async t => {
  const { producer, consumer, at } = endsWithBells(t, geometry, { checkNs: 0 })
  const reason = new Error("enough")
  producer.tryPush(bytes(1))
  await t.rejects(consumer.pop({ signal: AbortSignal.abort(reason) }), reason)
  await t.rejects(producer.push(bytes(2), { signal: AbortSignal.abort(reason) }), reason)
  t.same(consumer.tryPop(), bytes(1))
  t.equal(consumer.tryPop(), undefined)

  const aborter = new AbortController()
  const popping = consumer.pop({ signal: aborter.signal })
  const refused = t.rejects(popping, reason)
  await later(2)
  aborter.abort(reason)
  // In the same turn: the abort came first.
  producer.tryPush(bytes(3))
  await refused
  const sleepWord = at[0] + producerPartBytes(geometry) + RING_CONSUMER_SLEEP
  t.equal(vspace.loadWord(sleepWord) & 3, 0, "it says that it no longer sleeps")
  t.same(await consumer.pop({}), bytes(3), "and the next wait has the message")

  for (let item = 0; item < 4; item++) producer.tryPush(bytes(item))
  const sending = new AbortController()
  const pushing = t.rejects(producer.push(bytes(9), { signal: sending.signal }), reason)
  await later(2)
  sending.abort(reason)
  await pushing
  for (let item = 0; item < 4; item++) t.same(consumer.tryPop(), bytes(item))
  await later(2)
  t.equal(consumer.tryPop(), undefined, "not sent")
  t.equal(vspace.loadWord(at[0] + RING_PRODUCER_SLEEP) & 3, 0)
})

t.test("a deadline is an outcome, not before its time and without taking anything", async t => {
  const { producer, consumer } = endsWithBells(t, geometry, { checkNs: 0 })
  t.equal(await consumer.pop({ deadlineNs: 0 }), "deadline")
  const start = performance.now()
  t.equal(await consumer.pop({ deadlineNs: 20 * MS }), "deadline")
  const tookMs = performance.now() - start
  t.ok(tookMs > 18 && tookMs < 1000, `${tookMs.toFixed(1)} ms`)
  producer.tryPush(bytes(1))
  t.same(await consumer.pop({ deadlineNs: 0 }), bytes(1))
  for (let item = 0; item < 4; item++) producer.tryPush(bytes(item))
  t.equal(await producer.push(bytes(5), { deadlineNs: 5 * MS }), "deadline")
  for (const deadlineNs of [-1, Number.NaN]) {
    await t.rejects(consumer.pop({ deadlineNs }), { code: "InvalidArgument", message: /^deadlineNs is/ })
  }
})

t.test("one wait of an end at a time, and none without a bell", async t => {
  const { producer, consumer } = endsWithBells(t, geometry, { checkNs: 0 })
  const popping = consumer.pop({})
  await t.rejects(consumer.pop({}), { code: "IllegalOperation", message: /pending/ })
  const noSignal = { code: "InvalidArgument", message: /signal is of type object, which must be an AbortSignal/ }
  await t.rejects(consumer.pop({ signal: {} as AbortSignal }), noSignal)
  producer.tryPush(bytes(7))
  t.same(await popping, bytes(7), "the first is not disturbed")
  const [a] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, geometry)
  await t.rejects(SharedRing.consumer(vspace, a, PAGE_BYTES).pop({}), { code: "IllegalOperation", message: /no bell/ })
  t.throws(() => SharedRing.producer(vspace, a, PAGE_BYTES, { wait: { checkNs: -1 } }), { code: "InvalidArgument" })
})

t.test("a status ends the wait: what was committed first", async t => {
  for (const [status, outcome] of [
    [Status.PeerGone, "peer-gone"],
    [Status.Revoked, "revoked"],
    [Status.KernelGone, "kernel-gone"],
  ] as const) {
    const ends = endsWithBells(t, geometry, { checkNs: 0 })
    const popping = ends.consumer.pop({})
    await later(2)
    // As the daemon does it.
    vspace.storeWord(ends.status, status)
    native.addToEventFd(ends.bells.consumer)
    t.equal(await popping, outcome)
    t.equal(await ends.consumer.pop({}), outcome)
    t.equal(await ends.producer.push(bytes(1), {}), outcome)
  }
  const ends = endsWithBells(t, geometry, { checkNs: 0 })
  ends.producer.tryPush(bytes(1))
  vspace.storeWord(ends.status, Status.PeerGone)
  t.same(await ends.consumer.pop({}), bytes(1))
  t.equal(await ends.consumer.pop({}), "peer-gone")
})

t.test("a bell that rings for nothing ends no wait, and the wait goes on to be woken", async t => {
  const { producer, consumer, bells } = endsWithBells(t, geometry, { checkNs: 0 })
  let done = false
  const popping = consumer.pop({}).then(message => {
    done = true
    return message
  })
  for (let round = 0; round < 5; round++) {
    native.addToEventFd(bells.consumer)
    await later(2)
    t.equal(done, false)
  }
  producer.tryPush(bytes(1))
  t.same(await popping, bytes(1))
})

t.test("a bell that rings for what is gone by then has the end announce itself anew", async t => {
  const { producer, consumer } = endsWithBells(t, geometry, { checkNs: 0 })
  const popping = consumer.pop({ deadlineNs: 5_000 * MS })
  await later(2)
  producer.tryPush(bytes(1))
  // Nobody should, but it leaves the waiter as a ringing that comes late does: the producer has rung for its number.
  t.same(consumer.tryPop(), bytes(1))
  await later(2)
  producer.tryPush(bytes(2))
  t.same(await popping, bytes(2))
})

t.test("a burst costs one ring of the bell, and none while the other end is awake", async t => {
  const { producer, consumer, bells } = endsWithBells(t, geometry, { checkNs: 0 })
  // Looked at and not read, which would take the bell's ringing from the waiter.
  const rings = (): number =>
    Number.parseInt(
      /eventfd-count:\s*(\w+)/.exec(readFileSync(`/proc/self/fdinfo/${bells.consumer}`, "latin1"))?.[1] ?? "",
      16,
    )
  t.equal(producer.tryPush(bytes(0)), true)
  t.equal(rings(), 0, "awake")
  consumer.tryPop()
  const popping = consumer.pop({})
  await later(2)
  for (let item = 0; item < 4; item++) producer.tryPush(bytes(item))
  t.equal(rings(), 1, "asleep")
  t.same(await popping, bytes(0))
})

t.test("for await yields every message in order, ends with the peer, and break takes no more", async t => {
  const ends = endsWithBells(t, geometry, { checkNs: 0 })
  const { producer, consumer } = ends
  const sending = (async () => {
    for (let item = 1; item <= 100; item++) {
      await producer.push(bytes(item), {})
      if (item % 7 === 0) await later(1)
    }
    vspace.storeWord(ends.status, Status.PeerGone)
    native.addToEventFd(ends.bells.consumer)
  })()
  const seen: number[] = []
  for await (const message of consumer) {
    seen.push(message[0] as number)
    if (seen.length === 30) break
  }
  t.equal(seen.length, 30)
  for await (const message of consumer) seen.push(message[0] as number)
  t.same(
    seen,
    Array.from({ length: 100 }, (_, item) => item + 1),
  )
  t.equal(consumer.interruption(), "peer-gone")
  await sending
})

t.test("return() ends a next() that is pending, and no message is lost by it", async t => {
  const { producer, consumer } = endsWithBells(t, geometry, { checkNs: 0 })
  const messages = consumer[Symbol.asyncIterator]()
  const next = messages.next()
  await later(1)
  t.same(await messages.return?.(), { done: true, value: undefined })
  t.same(await next, { done: true, value: undefined })
  producer.tryPush(bytes(3))
  t.same(await messages.next(), { done: true, value: undefined })
  t.same(consumer.tryPop(), bytes(3))
})
