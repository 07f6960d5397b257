// policy.test.ts: what a full ring does with one more message, by its policy; what is lost is counted, on both sides.

import fc from "fast-check"
import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { Status } from "../../../../src/ring/layout.ts"
import {
  createPolicyRing,
  PolicyConsumer,
  PolicyProducer,
  type PolicyRingOptions,
  policyRingBytes,
  type RingPolicy,
} from "../../../../src/ring/shapes/policy-ring.ts"
import { RING_DROPPED, RING_POLICY_WORD } from "../../../../src/ring/shapes/words.ts"
import { mapFrame, newFrame, READ, SECOND_NS, startPeer, vspace } from "../../../helpers/ring.ts"
import { messageCount } from "./counts.ts"

const policies = ["block", "fail", "drop-newest", "drop-oldest"] as const
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** A ring in two frames, each mapped for its end and, read-only, for the other. */
function ring(t: Test, options: PolicyRingOptions) {
  const [first, second] = policyRingBytes(options).map(size => Math.ceil(size / PAGE_BYTES) * PAGE_BYTES) as [
    number,
    number,
  ]
  const fds = [newFrame(t, first), newFrame(t, second)] as const
  const map = (fd: number, size: number, permissions?: number) => ({
    address: mapFrame(t, fd, size, permissions),
    bytes: size,
  })
  const written = { producerPart: map(fds[0], first), consumerPart: map(fds[1], second) }
  createPolicyRing(vspace, written, options)
  const status = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
  const end = { status, wait: { spinNs: 0 } }
  const producer = () => new PolicyProducer(vspace, { ...written, consumerPart: map(fds[1], second, READ) }, end)
  const consumer = () => new PolicyConsumer(vspace, { ...written, producerPart: map(fds[0], first, READ) }, end)
  return { fds, written, status, producer, consumer }
}

t.test("a push to a full ring waits, fails, or drops the newest or the oldest, and counts", async t => {
  const outcomes = { block: "deadline", fail: "full", "drop-newest": "dropped", "drop-oldest": "pushed" } as const
  for (const policy of policies) {
    const world = ring(t, { capacity: 2, slotBytes: 8, policy, initialIndex: 0xffff_ffff })
    const [producer, consumer] = [world.producer(), world.consumer()]
    t.same([producer.policy, consumer.policy], [policy, policy])
    for (const value of [1, 2]) t.equal(producer.push(bytes(value), 0), "pushed")
    t.equal(producer.push(bytes(3), 1_000_000), outcomes[policy], policy)
    const left = policy === "drop-oldest" ? [2, 3] : [1, 2]
    t.same([consumer.pop(SECOND_NS)[0], consumer.tryPop()?.[0], consumer.tryPop()], [...left, undefined], policy)
    const drops = Number(policy.startsWith("drop"))
    t.same(consumer.stats(), { policy, received: 2, lost: drops })
    t.same(producer.stats(), {
      policy,
      pushed: policy === "drop-oldest" ? 3 : 2,
      full: Number(policy === "fail"),
      droppedNewest: Number(policy === "drop-newest"),
      droppedOldest: Number(policy === "drop-oldest"),
    })
    t.equal(producer.push(bytes(4), 0), "pushed", "there is room again")
    t.equal(consumer.pop(0)[0], 4)
    t.equal(consumer.pop(1_000_000), "deadline")
    for (const value of [5, 6]) producer.push(bytes(value), 0)
    vspace.storeWord(world.status, Status.PeerGone)
    t.equal(producer.push(bytes(7), SECOND_NS), "peer-gone", "a peer that is gone is not a full ring")
    t.equal(consumer.pop(0)[0], 5)
    t.equal(consumer.pop(0)[0], 6)
    t.equal(consumer.pop(SECOND_NS), "peer-gone")
  }
})

t.test("a ring with a policy does what a queue with that policy does; nothing is lost that is not counted", async t => {
  const capacity = 4
  const worlds = policies.map(policy => {
    const world = ring(t, { capacity, slotBytes: 8, policy, initialIndex: 0xffff_fff0 })
    return { policy, producer: world.producer(), consumer: world.consumer() }
  })
  const property = fc.property(
    fc.constantFrom(...worlds),
    fc.array(fc.boolean(), { maxLength: 150 }),
    ({ policy, producer, consumer }, steps) => {
      while (consumer.tryPop() !== undefined);
      const queue: number[] = []
      let lost = 0
      const before = consumer.lost
      steps.forEach((pushes, number) => {
        if (!pushes) {
          if (consumer.tryPop()?.[0] !== queue.shift()) throw new Error("they disagree about the oldest")
        } else {
          const full = queue.length === capacity
          const expected = {
            block: "deadline",
            fail: "full",
            "drop-newest": "dropped",
            "drop-oldest": "pushed",
          } as const
          const outcome = producer.push(bytes(number), 0)
          if (outcome !== (full ? expected[policy] : "pushed")) throw new Error(`${policy} gave ${outcome}`)
          if (full && policy === "drop-oldest") queue.shift()
          if (!full || policy === "drop-oldest") queue.push(number)
          if (full && policy.startsWith("drop")) lost++
        }
      })
      while (queue.length > 0) if (consumer.tryPop()?.[0] !== queue.shift()) throw new Error("the rest disagrees")
      if (consumer.lost - before !== lost) throw new Error(`${consumer.lost - before} lost, not ${lost}`)
    },
  )
  fc.assert(property, { numRuns: 300 })
})

t.test("what is sent on the event loop without waiting for one another comes in the order of the calls", async t => {
  const MANY = 200
  for (const policy of ["fail", "drop-newest", "drop-oldest"] as const) {
    const world = ring(t, { capacity: 256, slotBytes: 8, policy })
    const [producer, consumer] = [world.producer(), world.consumer()]
    const sent = Array.from({ length: MANY }, (_, value) => value)
    await Promise.all(sent.map(value => producer.push(bytes(value), {})))
    t.strictSame(
      sent.map(() => consumer.tryPop()?.[0]),
      sent,
      policy,
    )
  }
})

t.test("the count of dropped messages goes on over its overflow, and over a new producer", async t => {
  const world = ring(t, { capacity: 1, slotBytes: 8, policy: "drop-newest" })
  vspace.storeWord(world.written.producerPart.address + RING_DROPPED, 0xffff_fffe)
  const consumer = world.consumer()
  const producer = world.producer()
  for (let push = 0; push < 5; push++) producer.push(bytes(push), 0)
  t.equal(consumer.lost, 4)
  t.equal(producer.stats().droppedNewest, 4)
})

t.test("a policy that is none is refused, when the ring is made and when it is attached", async t => {
  const options = { capacity: 2, slotBytes: 8, policy: "never" as RingPolicy }
  const refused = { code: "InvalidArgument", message: /policy is never, .* block, fail, drop-newest, drop-oldest/ }
  t.throws(() => policyRingBytes(options), refused)
  const world = ring(t, { ...options, policy: "fail" })
  t.throws(() => createPolicyRing(vspace, world.written, options), refused)
  t.throws(() => createPolicyRing(vspace, world.written, { ...options, policy: "block" }), { code: "IllegalOperation" })
  t.equal(world.consumer().policy, "fail", "a refusal changes nothing")
  vspace.storeWord(world.written.producerPart.address + RING_POLICY_WORD, 7)
  t.throws(() => world.producer(), { code: "NotARing", message: /policy is 7, which must be 0 to 2/ })
})

t.test("no policy loses what it does not count, between processes", async t => {
  for (const policy of ["drop-newest", "drop-oldest"] as const) {
    const world = ring(t, { capacity: 4, slotBytes: 136, policy })
    const consumer = world.consumer()
    const peer = startPeer(t, "drop", world.fds, "shapes/peer.ts")
    let last = -1
    let received = 0
    for (;;) {
      const message = consumer.pop(20 * SECOND_NS)
      if (typeof message === "string") return t.fail(`${policy}, after ${last}: ${message}`)
      const words = new Uint32Array(message.buffer, message.byteOffset, 34)
      const [item = 0] = words
      if (words.some(word => word !== item)) return t.fail(`${policy}: torn ${words.join()}`)
      if (item === 0xffff_ffff) break
      if (item <= last) return t.fail(`${policy}: ${item} after ${last}`)
      last = item
      received++
    }
    t.same(await peer.ended(), { code: 0 })
    t.equal(received + consumer.lost, messageCount, `${policy}: ${received} received, ${consumer.lost} lost`)
  }
})
