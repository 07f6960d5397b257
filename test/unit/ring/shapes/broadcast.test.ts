// broadcast.test.ts: one producer, many consumers: what each policy promises, who joins and leaves, and what a lie costs.

import fc from "fast-check"
import t from "tap"
import { native } from "../../../../native/index.ts"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { Status } from "../../../../src/ring/layout.ts"
import type { BroadcastConsumer } from "../../../../src/ring/shapes/broadcast-consumer.ts"
import { type BroadcastOptions, createBroadcast } from "../../../../src/ring/shapes/broadcast-place.ts"
import { BroadcastProducer } from "../../../../src/ring/shapes/broadcast-producer.ts"
import {
  BROADCAST_SLOTS,
  BROADCAST_WRITE_INDEX,
  CONSUMER_READ_INDEX,
  LINK_POLICY_WORD,
} from "../../../../src/ring/shapes/words.ts"
import { SECOND_NS, vspace } from "../../../helpers/ring.ts"
import { broadcast } from "./broadcast-world.ts"

const PATIENCE_NS = 20 * SECOND_NS
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

t.test("every consumer gets every message, of every size, once and in order", async t => {
  for (const slotBytes of [8, 56, 64, 136]) {
    for (const policies of [
      ["block", "block"],
      ["block", "drop-oldest", "disconnect"],
    ] as const) {
      const world = broadcast(t, { capacity: 4, slotBytes, consumers: policies, initialIndex: 2n ** 64n - 5n })
      const producer = world.producer()
      const consumers = policies.map((_, at) => world.consumer(at))
      for (let lap = 0; lap < 10; lap++) {
        const message = Uint8Array.from({ length: slotBytes }, (_, at) => (at * 7 + lap) & 0xff)
        t.equal(producer.push(message, 0), "pushed")
        for (const consumer of consumers) t.same(consumer.pop(0), message, `${slotBytes} bytes, ${consumer.policy}`)
      }
      for (const consumer of consumers) {
        t.equal(consumer.tryPop(), undefined)
        t.same(consumer.stats(), { received: 10, lost: 0 })
      }
      t.match(producer.stats(), { sent: 10, consumers: policies.map(policy => ({ policy, state: "present" })) })
    }
  }
})

t.test("a broadcast does what queues with those policies do, whatever the order of operations", async t => {
  const capacity = 4
  const policies = ["block", "drop-oldest", "disconnect", "drop-oldest"] as const
  const worlds = [0n, 2n ** 32n - 3n, 2n ** 64n - 3n].map(initialIndex => {
    const world = broadcast(t, { capacity, slotBytes: 8, consumers: policies, initialIndex })
    return { world, producer: world.producer() }
  })
  const consumerStep = fc.record({ pop: fc.integer({ min: 0, max: policies.length - 1 }) })
  const step = fc.oneof({ weight: 3, arbitrary: fc.constant("push" as const) }, { weight: 4, arbitrary: consumerStep })
  const property = fc.property(
    fc.constantFrom(...worlds),
    fc.array(step, { maxLength: 120 }),
    ({ world, producer }, steps) => {
      // Each run is a new attach of every consumer: from the next message on.
      const consumers = policies.map((_, at) => world.consumer(at))
      const queues: number[][] = policies.map(() => [])
      const lost = policies.map(() => 0)
      let connected = true
      steps.forEach((action, number) => {
        const mark = (number % 250) + 1
        if (action === "push") {
          const full = queues[0]?.length === capacity
          // A slow one is disconnected when it alone is in the way.
          if (!full && queues[2]?.length === capacity) {
            connected = false
            queues[2] = []
          }
          if (producer.tryPush(bytes(mark)) === full) throw new Error("they disagree about full")
          if (full) return
          for (const [at, queue] of queues.entries()) {
            if (at === 2 && !connected) continue
            queue.push(mark)
            if (queue.length <= capacity) continue
            queue.shift()
            lost[at] = (lost[at] as number) + 1
          }
          return
        }
        const consumer = consumers[action.pop] as BroadcastConsumer
        const queue = queues[action.pop] as number[]
        if (action.pop === 2 && !connected) {
          if (consumer.pop(0) !== "disconnected" || consumer.interruption() !== "disconnected")
            throw new Error("not told")
          return
        }
        if (consumer.tryPop()?.[0] !== queue.shift()) throw new Error(`consumer ${action.pop} disagrees`)
        if (consumer.lost !== lost[action.pop]) throw new Error(`${consumer.lost} lost, not ${lost[action.pop]}`)
      })
    },
  )
  fc.assert(property, { numRuns: 300 })
})

t.test(
  'a consumer of policy "block" is waited for, also before it has come; "drop-oldest" and "disconnect" are not',
  async t => {
    const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: ["block", "drop-oldest", "disconnect"] })
    const producer = world.producer()
    const [dropper, slow] = [world.consumer(1), world.consumer(2)]
    t.ok(producer.tryPush(bytes(1)))
    t.ok(producer.tryPush(bytes(2)))
    t.notOk(producer.tryPush(bytes(3)))
    t.equal(producer.push(bytes(3), 1_000_000), "deadline")
    t.match(
      producer.stats().consumers[2],
      { disconnected: 0, state: "present" },
      "nobody is slow while another is waited for",
    )
    const blocker = world.consumer(0)
    t.match(blocker.pop(0), { 0: 1 })
    t.equal(producer.push(bytes(3), 0), "pushed")
    t.equal(slow.pop(0), "disconnected", "now it alone was in the way")
    t.match(producer.stats().consumers[2], { disconnected: 1, state: "absent" })
    t.match([blocker.tryPop()?.[0], blocker.tryPop()?.[0]], [2, 3])
    for (let value = 4; value < 20; value++) {
      t.ok(producer.tryPush(bytes(value)))
      t.match(blocker.tryPop(), { 0: value })
    }
    t.match([dropper.tryPop()?.[0], dropper.tryPop()?.[0], dropper.tryPop()], [18, 19, undefined])
    t.equal(dropper.lost, 17)
    t.match(producer.stats().consumers[1], { lost: 17 })
    const again = world.consumer(2)
    t.equal(again.tryPop(), undefined)
    producer.tryPush(bytes(20))
    t.match(again.tryPop(), { 0: 20 }, "one that was disconnected may come again")
  },
)

t.test("who joins late, or again, starts at the message that is sent next", async t => {
  const world = broadcast(t, { capacity: 4, slotBytes: 8, consumers: [{ policy: "block", late: true }, "block"] })
  const producer = world.producer()
  const second = world.consumer(1)
  for (let value = 0; value < 9; value++) {
    t.ok(producer.tryPush(bytes(value)), "nobody waits for who has not come and is to come late")
    t.match(second.tryPop(), { 0: value })
  }
  const first = world.consumer(0)
  t.equal(first.tryPop(), undefined)
  producer.tryPush(bytes(9))
  t.match(first.tryPop(), { 0: 9 })
  for (let value = 10; value < 14; value++) producer.tryPush(bytes(value))
  t.notOk(producer.tryPush(bytes(99)), "now it is waited for")
  const replacement = world.consumer(0)
  for (let left = 0; left < 4; left++) t.ok(second.tryPop())
  t.ok(producer.tryPush(bytes(14)))
  t.match(replacement.tryPop(), { 0: 14 })
})

t.test("a consumer that is dead blocks nobody; one that comes in its place takes part", async t => {
  const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: ["block", "block"] })
  const producer = world.producer()
  const living = world.consumer(1)
  for (const value of [1, 2]) producer.tryPush(bytes(value))
  for (const value of [1, 2]) t.match(living.tryPop(), { 0: value })
  t.notOk(producer.tryPush(bytes(3)), "the one that has not come is waited for")
  world.tellProducer(0, Status.PeerGone)
  t.ok(producer.tryPush(bytes(3)))
  t.match(producer.stats().consumers[0], { state: "absent", disconnected: 0 })
  world.tellProducer(0, Status.Live)
  const replacement = world.consumer(0)
  t.ok(producer.tryPush(bytes(4)))
  t.match(replacement.tryPop(), { 0: 4 }, "though the first attach was ended before it came")
  t.match(living.tryPop(), { 0: 3 })
})

t.test("a producer that takes over goes on where the last one stopped, with who takes part", async t => {
  const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: ["block", "drop-oldest"] })
  const consumers = [world.consumer(0), world.consumer(1)]
  const before = world.producer()
  for (const value of [1, 2]) t.ok(before.tryPush(bytes(value)))
  // It died while it overwrote the oldest: an odd number in the slot.
  vspace.storeWord(world.whole.written.address + BROADCAST_SLOTS, 5)
  const after = world.producer()
  t.notOk(after.tryPush(bytes(3)), "the blocking consumer has read nothing")
  t.match([consumers[0]?.tryPop()?.[0], consumers[0]?.tryPop()?.[0]], [1, 2])
  t.match(consumers[1]?.tryPop(), { 0: 2 }, "and nobody gets a slot that was being overwritten")
  t.equal(consumers[1]?.lost, 1)
  t.ok(after.tryPush(bytes(3)))
  for (const consumer of consumers) t.match(consumer.tryPop(), { 0: 3 })
})

t.test("a consumer that lies about its index is left out; the others go on", async t => {
  const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: ["block", "block"] })
  const producer = world.producer()
  const [liar, honest] = [world.consumer(0), world.consumer(1)]
  for (const value of [1, 2]) producer.tryPush(bytes(value))
  const index = (world.links[0]?.part.written.address ?? 0) + CONSUMER_READ_INDEX
  for (const _ of [1, 2]) t.match(honest.tryPop(), { length: 8 })
  vspace.storeWord(index + 4, 0xffff_ffff)
  t.notOk(producer.tryPush(bytes(3)), "an index behind what was seen is no progress")
  vspace.storeWord(index + 4, 1)
  t.ok(producer.tryPush(bytes(3)), "one ahead of the producer's ends its part")
  t.match(producer.stats().consumers, [
    { state: "absent", misbehaved: 1 },
    { state: "present", misbehaved: 0 },
  ])
  t.equal(liar.pop(0), "disconnected")
  t.match(honest.tryPop(), { 0: 3 })
})

t.test("a producer that lies about its index or a slot is refused by each policy", async t => {
  for (const policy of ["block", "drop-oldest", "disconnect"] as const) {
    for (const lie of ["ahead", "behind", "slot"] as const) {
      if (policy === "block" && lie === "slot") continue // Its slots have no sequence to lie in.
      const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: [policy], initialIndex: 100n })
      const producer = world.producer()
      const consumer = world.consumer(0)
      producer.tryPush(bytes(1))
      const { address } = world.whole.written
      if (lie === "ahead") vspace.storeWord(address + BROADCAST_WRITE_INDEX + 4, 0x8000_0000)
      if (lie === "behind") vspace.storeWord(address + BROADCAST_WRITE_INDEX, 99)
      if (lie === "slot") vspace.storeWord(address + BROADCAST_SLOTS, 77)
      const culprit = { name: "PeerMisbehaviorError", peer: "producer", what: "writeIndex" }
      t.throws(() => consumer.tryPop(), culprit, `${policy}, ${lie}`)
      t.throws(() => consumer.pop(SECOND_NS), culprit, `${policy}, ${lie}`)
    }
  }
})

t.test("what is taken away from one consumer costs the others nothing", async t => {
  for (const what of ["link", "part"] as const) {
    const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: ["block", "block"] })
    const producer = world.producer()
    const other = world.consumer(1)
    const { address } = (world.links[0] as (typeof world.links)[0])[what][what === "link" ? "written" : "read"]
    for (const value of [1, 2]) producer.tryPush(bytes(value))
    for (const _ of [1, 2]) other.tryPop()
    native.unmap(address, PAGE_BYTES)
    t.equal(producer.push(bytes(3), SECOND_NS), "pushed", what)
    t.match(other.tryPop(), { 0: 3 })
    t.match(producer.stats().consumers, [{ state: "page-fault" }, { state: "present" }])
  }
})

t.test("waits end at the deadline, and by the status; what was sent before the producer died comes first", async t => {
  const world = broadcast(t, { capacity: 2, slotBytes: 8, consumers: ["block", "drop-oldest"] })
  const producer = world.producer()
  const consumers = [world.consumer(0), world.consumer(1)]
  for (const consumer of consumers) {
    const start = performance.now()
    t.equal(consumer.pop(20_000_000), "deadline")
    t.ok(performance.now() - start >= 20)
  }
  for (const value of [0, 1]) producer.tryPush(bytes(value))
  for (const [at, consumer] of consumers.entries()) {
    world.tellConsumer(at, Status.PeerGone)
    for (const value of [0, 1]) t.match(consumer.pop(PATIENCE_NS), { 0: value })
    t.equal(consumer.pop(PATIENCE_NS), "peer-gone")
    t.equal(consumer.interruption(), "peer-gone")
  }
  t.throws(() => producer.tryPush(new Uint8Array(9)), { code: "RangeError", message: /has 9 bytes: a slot holds 8/ })
})

t.test("a broadcast that cannot be is refused, with what may be", async t => {
  const geometry = { capacity: 2, slotBytes: 8 }
  const make = (options: Partial<BroadcastOptions>) => broadcast(t, { ...geometry, consumers: ["block"], ...options })
  t.throws(() => make({ consumers: [] }), { message: /consumers are 0, which must be 1 to 63/ })
  t.throws(() => make({ consumers: Array(64).fill("block") }), { message: /consumers are 64, which must be 1 to 63/ })
  t.throws(() => make({ consumers: ["never" as "block"] }), { message: /policy is never, .*block, drop-oldest, disco/ })
  t.throws(() => make({ capacity: 3 }), { message: /capacity is 3/ })
  t.throws(() => make({ initialIndex: -1n }), { message: /initialIndex is -1/ })
  const world = make({ consumers: Array(63).fill("block") })
  const producer = world.producer()
  for (const _ of [1, 2]) producer.tryPush()
  const start = performance.now()
  t.equal(producer.push(undefined, 20_000_000), "deadline", "63 can be waited for at once")
  t.ok(performance.now() - start >= 20)
  const { link, part } = world.links[0] as (typeof world.links)[0]
  const whole = world.whole.written
  vspace.storeWord(link.written.address + LINK_POLICY_WORD, 9)
  t.throws(() => world.consumer(0), { code: "NotARing", message: /policy is 9/ })
  const links = [{ link: link.written, consumerPart: part.written }]
  t.throws(() => new BroadcastProducer(vspace, whole, links), { code: "NotARing", message: /63 consumers, not of 1/ })
  t.throws(() => createBroadcast(vspace, whole, links, { ...geometry, consumers: ["block"] }), {
    code: "IllegalOperation",
  })
})

t.test("slots of 1 MiB reach a waited-for and an overtaken consumer whole", async t => {
  const world = broadcast(t, { capacity: 2, slotBytes: 1 << 20, consumers: ["block", "drop-oldest"] })
  const producer = world.producer()
  const consumers = [world.consumer(0), world.consumer(1)]
  for (let lap = 0; lap < 3; lap++) {
    const message = Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * 7 + lap) & 0xff)
    producer.tryPush(message)
    for (const consumer of consumers) t.equal(Buffer.compare(consumer.tryPop() as Uint8Array, message), 0)
  }
})
