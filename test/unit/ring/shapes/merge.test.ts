// merge.test.ts: many rings, one consumer: order, fairness, who is gone, and what one hostile producer can do: nothing.

import fc from "fast-check"
import t, { type Test } from "tap"
import { native } from "../../../../native/index.ts"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { RING_WRITE_INDEX, Status } from "../../../../src/ring/layout.ts"
import { producerPartBytes } from "../../../../src/ring/ring-header.ts"
import { MergeConsumer } from "../../../../src/ring/shapes/merge-consumer.ts"
import type { MergeOptions } from "../../../../src/ring/shapes/merge-options.ts"
import { type RingOptions, SharedRing } from "../../../../src/ring/shared-ring.ts"
import {
  freeAddress,
  mapFrame,
  newFrame,
  READ,
  READ_WRITE,
  SECOND_NS,
  startPeer,
  vspace,
} from "../../../helpers/ring.ts"
import { messageCount } from "./counts.ts"

const PATIENCE_NS = 20 * SECOND_NS
const geometry = { capacity: 4, slotBytes: 8 }
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** Rings in one page each, their producers here as well. All status words lie in one more page, live. */
function merge(t: Test, count: number, options: MergeOptions = {}, ring: RingOptions = geometry) {
  const statuses = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
  const frames = Array.from({ length: count }, () => mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES))
  for (const frame of frames) SharedRing.create(vspace, frame, PAGE_BYTES, ring)
  const sources = frames.map((address, at) => ({ frames: { address, bytes: PAGE_BYTES }, status: statuses + 4 * at }))
  const producers = frames.map(frame => SharedRing.producer(vspace, frame, PAGE_BYTES))
  const consumer = new MergeConsumer(vspace, sources, { wait: { spinNs: 0 }, ...options })
  const tell = (producer: number, status: number) => vspace.storeWord(statuses + 4 * producer, status)
  return { frames, sources, producers, consumer, tell }
}

t.test("a message tells its producer; each producer's order is kept", async t => {
  const { producers, consumer } = merge(t, 3)
  t.equal(consumer.source, -1)
  t.equal(consumer.tryPop(), undefined)
  for (const value of [1, 2, 3]) for (const [at, producer] of producers.entries()) producer.tryPush(bytes(at, value))
  const received = Array.from({ length: 9 }, () => {
    const message = consumer.pop(0) as Uint8Array
    t.equal(message[0], consumer.source)
    return [...message.subarray(0, 2)]
  })
  for (const at of [0, 1, 2])
    t.same(
      received.filter(([source]) => source === at).map(([, value]) => value),
      [1, 2, 3],
    )
  t.equal(consumer.pop(0), "deadline")
  t.match(consumer.stats(), { received: 9, producers: [3, 3, 3].map(received => ({ state: "live", received })) })
})

t.test("a merge does what queues do; whoever waits is served within a budget of each other", async t => {
  const rings = 5
  const worlds = [1, 2, 7].map(budget => {
    const { producers, consumer } = merge(
      t,
      rings,
      { budget },
      { capacity: 8, slotBytes: 8, initialIndex: 0xffff_fff0 },
    )
    return { budget, producers, consumer }
  })
  const step = fc.oneof(fc.integer({ min: 0, max: rings - 1 }), fc.constant("pop" as const))
  const property = fc.property(fc.constantFrom(...worlds), fc.array(step, { maxLength: 300 }), (world, steps) => {
    const queues: number[][] = Array.from({ length: rings }, () => [])
    /** Pops since each queue's head could first have been taken. */
    const passedOver = queues.map(() => 0)
    const pop = (): void => {
      const message = world.consumer.tryPop()
      const pending = queues.flatMap((queue, at) => (queue.length > 0 ? [at] : []))
      if ((message === undefined) !== (pending.length === 0)) throw new Error("they disagree about empty")
      if (!(message instanceof Uint8Array)) return
      const { source } = world.consumer
      if (message[0] !== queues[source]?.shift()) throw new Error(`not the head of queue ${source}`)
      for (const at of pending) passedOver[at] = at === source ? 0 : (passedOver[at] as number) + 1
      if (passedOver.some(count => count > (rings - 1) * world.budget))
        throw new Error("passed over for longer than a budget each")
    }
    steps.forEach((at, number) => {
      if (at === "pop") {
        pop()
        return
      }
      const queue = queues[at] as number[]
      if (world.producers[at]?.tryPush(bytes(number % 251)) !== queue.length < 8)
        throw new Error("they disagree on full")
      if (queue.length < 8) queue.push(number % 251)
    })
    while (queues.some(queue => queue.length > 0)) pop()
    pop()
  })
  fc.assert(property, { numRuns: 500 })
})

t.test("a producer that never lets its ring run empty keeps nobody waiting: shares are equal under load", async t => {
  const { producers, consumer } = merge(t, 3, { budget: 4 }, { capacity: 32, slotBytes: 8 })
  const shares = [0, 0, 0]
  for (let taken = 0; taken < 30_000; taken++) {
    for (const producer of producers) producer.tryPush()
    if (!(consumer.tryPop() instanceof Uint8Array)) throw new Error("empty")
    shares[consumer.source] = (shares[consumer.source] as number) + 1
  }
  t.ok(Math.max(...shares) - Math.min(...shares) <= 4, `shares ${shares}`)
})

t.test("a producer that has gone is told once, after its last message, and the others go on", async t => {
  const { producers, consumer, tell } = merge(t, 3)
  producers[1]?.tryPush(bytes(7))
  tell(1, Status.PeerGone)
  t.match(consumer.pop(0), { 0: 7 })
  t.equal(consumer.pop(0), "producer-gone")
  t.equal(consumer.source, 1)
  t.same(
    [0, 1, 2].map(at => consumer.state(at)),
    ["live", "peer-gone", "live"],
  )
  t.equal(consumer.interruption(), undefined)
  const before = process.cpuUsage()
  t.equal(consumer.pop(200_000_000), "deadline", "told once")
  const { user, system } = process.cpuUsage(before)
  t.ok(user + system < 100_000, `it sleeps though that one is gone: ${user + system} us of processor time`)
  producers[2]?.tryPush(bytes(8))
  t.match(consumer.pop(0), { 0: 8 })

  tell(0, Status.Revoked)
  t.equal(consumer.tryPop(), "producer-gone")
  t.equal(consumer.source, 0)
  tell(2, Status.PeerGone)
  t.equal(consumer.pop(PATIENCE_NS), "producer-gone")
  t.equal(consumer.source, 2)
  for (const _ of [1, 2]) t.equal(consumer.pop(PATIENCE_NS), "peer-gone", "all are gone: each time")
  t.equal(consumer.tryPop(), undefined)
  t.equal(consumer.interruption(), "peer-gone")

  tell(1, Status.Live)
  t.equal(consumer.pop(1_000_000), "deadline", "a new one has come")
  producers[1]?.tryPush(bytes(9))
  t.match(consumer.pop(0), { 0: 9 })
  tell(1, Status.PeerGone)
  t.equal(consumer.pop(0), "producer-gone", "and is told again")
  t.throws(() => consumer.state(3), { code: "RangeError", message: /producer is 3, which must be 0 to 2/ })
})

t.test(
  "a producer that closes is told once, after its last message; whoever closes the merge tells them all",
  async t => {
    const { frames, producers, consumer } = merge(t, 2)
    producers[0]?.tryPush(bytes(1))
    producers[0]?.close()
    t.match(consumer.pop(0), { 0: 1 })
    t.equal(consumer.pop(0), "producer-gone")
    t.same([consumer.source, consumer.state(0), consumer.state(1)], [0, "closed", "live"])
    const before = process.cpuUsage()
    t.equal(consumer.pop(200_000_000), "deadline")
    const { user, system } = process.cpuUsage(before)
    t.ok(user + system < 100_000, `it sleeps though that one has closed: ${user + system} us of processor time`)
    const next = SharedRing.producer(vspace, frames[0] as number, PAGE_BYTES)
    t.equal(consumer.pop(1_000_000), "deadline", "a new one has come")
    t.equal(consumer.state(0), "live")
    for (const producer of [next, producers[1]]) producer?.close()
    for (const _ of [0, 1]) t.equal(consumer.pop(0), "producer-gone")
    t.equal(consumer.pop(PATIENCE_NS), "closed", "all have")

    const other = merge(t, 2)
    other.consumer.close()
    for (const producer of other.producers) t.equal(producer.interruption(), "closed")
    t.equal(other.consumer.pop(PATIENCE_NS), "closed")
    t.equal(other.consumer.tryPop(), undefined)
  },
)

t.test("a producer whose index is impossible, before the attach or after, loses its own ring alone", async t => {
  const { frames, sources, producers, consumer } = merge(t, 3)
  vspace.storeWord((frames[0] as number) + RING_WRITE_INDEX, 5)
  producers[2]?.tryPush(bytes(1))
  t.equal(consumer.pop(0), "producer-gone")
  t.equal(consumer.source, 0)
  t.equal(consumer.state(0), "misbehaved")
  t.match(consumer.fault(0), { name: "PeerMisbehaviorError", peer: "producer", what: "writeIndex", value: 5 })
  t.match(consumer.pop(0), { 0: 1 })
  t.equal(consumer.pop(1_000_000), "deadline")

  vspace.storeWord((frames[1] as number) + 8, 3) // a capacity that no ring has
  consumer.close()
  const late = new MergeConsumer(vspace, sources)
  t.same([late.pop(0), late.source, late.pop(0), late.source], ["producer-gone", 0, "producer-gone", 1])
  t.match(late.fault(1), { code: "NotARing", message: /capacity is 3/ })
  producers[2]?.tryPush(bytes(2))
  t.match(late.pop(0), { 0: 2 })
})

t.test("a ring whose pages are taken away is left out; the others go on, also when it happens in a sleep", async t => {
  const { sources, producers, consumer: first } = merge(t, 2)
  first.close()
  const parts = { producerPart: freeAddress(PAGE_BYTES), consumerPart: freeAddress(PAGE_BYTES) }
  for (const address of Object.values(parts)) native.map(address, PAGE_BYTES, newFrame(t, PAGE_BYTES), READ_WRITE)
  const frames = {
    producerPart: { address: parts.producerPart, bytes: PAGE_BYTES },
    consumerPart: { address: parts.consumerPart, bytes: PAGE_BYTES },
  }
  SharedRing.create(vspace, frames, geometry)
  const both = [parts.producerPart, parts.consumerPart]
  for (const [name, gone] of [
    ["the consumer's part", [parts.consumerPart]],
    ["both", both],
  ] as const) {
    const consumer = new MergeConsumer(vspace, [{ frames }, ...sources], { wait: { spinNs: 0 } })
    for (const address of gone) native.unmap(address, PAGE_BYTES)
    t.equal(consumer.pop(5_000_000), "producer-gone", name)
    t.equal(consumer.source, 0)
    t.equal(consumer.state(0), "page-fault")
    producers[1]?.tryPush(bytes(4))
    t.match(consumer.pop(0), { 0: 4 })
    t.equal(consumer.pop(1_000_000), "deadline")
    consumer.close()
    if (gone.length === 1) native.map(parts.consumerPart, PAGE_BYTES, newFrame(t, PAGE_BYTES), READ_WRITE)
  }
})

t.test("1 to 42 producers; 42 can be slept on", async t => {
  const { sources, consumer } = merge(t, 42)
  t.throws(() => new MergeConsumer(vspace, sources), { code: "IllegalOperation", message: /consumer already/ })
  consumer.close()
  const full = new MergeConsumer(vspace, sources, { wait: { spinNs: 0 } })
  t.equal(full.producers, 42)
  const start = performance.now()
  t.equal(full.pop(20_000_000), "deadline")
  t.ok(performance.now() - start >= 20)
  const refused = { code: "RangeError", message: /producers are (0|43), which must be 1 to 42: a thread sleeps on 128/ }
  t.throws(() => new MergeConsumer(vspace, []), refused)
  t.throws(() => new MergeConsumer(vspace, [...sources, ...sources.slice(0, 1)]), refused)
  full.close()
  for (const budget of [0, 1.5, 65_537]) {
    t.throws(() => new MergeConsumer(vspace, sources, { budget }), { message: new RegExp(`budget is ${budget},`) })
  }
})

t.test("slots of 8 bytes and of 1 MiB in one merge", async t => {
  const large = { capacity: 2, slotBytes: 1 << 20 }
  const frameBytes = Math.ceil(SharedRing.bytesNeeded(large) / PAGE_BYTES) * PAGE_BYTES
  const address = mapFrame(t, newFrame(t, frameBytes), frameBytes)
  SharedRing.create(vspace, address, frameBytes, large)
  const { sources, producers, consumer: first } = merge(t, 1)
  first.close()
  const consumer = new MergeConsumer(vspace, [...sources, { frames: { address, bytes: frameBytes } }])
  const message = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 7) & 0xff)
  const producer = SharedRing.producer(vspace, address, frameBytes)
  for (let lap = 0; lap < 3; lap++) {
    producer.tryPush(message)
    producers[0]?.tryPush(bytes(lap))
    for (const _ of [0, 1]) {
      const received = consumer.pop(0) as Uint8Array
      const sent = consumer.source === 0 ? bytes(lap, 0, 0, 0, 0, 0, 0, 0) : message
      t.equal(Buffer.compare(received, sent), 0, `from ${consumer.source}`)
    }
  }
})

/** Rings in two frames each, whose producers are processes of their own. */
function crowd(t: Test, modes: readonly string[], spinNs: number) {
  const rings = modes.map(mode => {
    const fds = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)]
    const [producerPart, consumerPart] = fds.map(fd => ({ address: mapFrame(t, fd, PAGE_BYTES), bytes: PAGE_BYTES }))
    const frames = { producerPart, consumerPart } as {
      producerPart: { address: number; bytes: number }
      consumerPart: { address: number; bytes: number }
    }
    SharedRing.create(vspace, frames, { capacity: 8, slotBytes: 64, initialIndex: 0xffff_ff00 })
    const status = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
    return { frames, status, peer: startPeer(t, mode, fds, "shapes/peer.ts") }
  })
  const consumer = new MergeConsumer(vspace, rings, { wait: { spinNs } })
  const next = rings.map(() => 0)
  /** Takes one message and checks it. */
  const take = (timeoutNs = PATIENCE_NS): string | number => {
    const message = consumer.pop(timeoutNs)
    if (typeof message === "string") return message
    const words = new Uint32Array(message.buffer, message.byteOffset, 16)
    const item = next[consumer.source] as number
    if (words[0] !== item || words[15] !== ~item >>> 0)
      throw new Error(`From ${consumer.source}: ${words[0]}, not ${item}`)
    next[consumer.source] = item + 1
    return consumer.source
  }
  return { rings, consumer, next, take }
}

for (const spinNs of [0, 20_000]) {
  t.test(`three processes' messages arrive once, in order and whole; the consumer spins ${spinNs} ns`, async t => {
    const { rings, next, take } = crowd(t, ["produce", "produce", "produce"], spinNs)
    for (let taken = 0; taken < 3 * messageCount; taken++) {
      const source = take()
      if (typeof source === "string") return t.fail(`after ${taken}: ${source}`)
    }
    t.same(next, [messageCount, messageCount, messageCount])
    for (const { peer } of rings) t.same(await peer.ended(), { code: 0 })
  })
}

t.test("one producer is killed and one stopped in mid-stream; the third goes on, and all is told", async t => {
  const { rings, consumer, next, take } = crowd(t, ["produce-without-end", "produce-without-end", "produce"], 0)
  const [killed, stopped, third] = rings as [(typeof rings)[0], (typeof rings)[0], (typeof rings)[0]]
  while (next.some(count => count < 100)) if (typeof take() === "string") return t.fail("a producer has gone too early")
  killed.peer.kill()
  await killed.peer.ended()
  vspace.storeWord(killed.status, Status.PeerGone)
  process.kill(stopped.peer.pid, "SIGSTOP")
  let told = ""
  while ((next[2] as number) < messageCount) {
    const outcome = take()
    if (outcome === "producer-gone") told += consumer.source
    else if (typeof outcome === "string") return t.fail(outcome)
  }
  t.equal(told, "0", "the killed one is told, once")
  t.equal(consumer.state(1), "live")
  t.same(await third.peer.ended(), { code: 0 })
  const before = next[1] as number
  process.kill(stopped.peer.pid, "SIGCONT")
  for (let taken = 0; taken < 100; taken++) t.equal(take(), 1)
  t.ok((next[1] as number) === before + 100, "the stopped one goes on where it stopped")
})

t.test("producers can read the consumer's part of their ring alone, and only read it", async t => {
  // What createMerge hands out is checked with real components; here that an end needs no more than that.
  const fds = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)]
  const [a, b] = fds.map(fd => mapFrame(t, fd, PAGE_BYTES)) as [number, number]
  const whole = { producerPart: { address: a, bytes: PAGE_BYTES }, consumerPart: { address: b, bytes: PAGE_BYTES } }
  SharedRing.create(vspace, whole, geometry)
  const readable = (fd: number) => ({ address: mapFrame(t, fd, PAGE_BYTES, READ), bytes: PAGE_BYTES })
  const producer = SharedRing.producer(vspace, { ...whole, consumerPart: readable(fds[1] as number) })
  const consumer = new MergeConsumer(vspace, [{ frames: { ...whole, producerPart: readable(fds[0] as number) } }])
  t.equal(producer.push(bytes(3), 0), "pushed")
  t.match(consumer.pop(0), { 0: 3 })
  t.equal(consumer.pop(1_000_000), "deadline", "slept")
  t.ok(producerPartBytes(geometry) <= PAGE_BYTES)
})
