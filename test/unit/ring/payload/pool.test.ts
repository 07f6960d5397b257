// pool.test.ts: payloads through a frame pool: whole, in order, as copies and on loan; deaths of either end; lies.

import fc from "fast-check"
import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import type { RingConsumer } from "../../../../src/ring/consumer.ts"
import { RING_SLOTS, RING_WRITE_INDEX } from "../../../../src/ring/layout.ts"
import { type Loan, PayloadReceiver } from "../../../../src/ring/payload/payload-receiver.ts"
import { PayloadSender } from "../../../../src/ring/payload/payload-sender.ts"
import {
  createPool,
  DESCRIPTOR_BYTES,
  descriptorSlots,
  type PoolGeometry,
  poolBytes,
  RETURN_BYTES,
  returnSlots,
} from "../../../../src/ring/payload/pool-layout.ts"
import type { RingProducer } from "../../../../src/ring/producer.ts"
import { SharedRing } from "../../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../../helpers/ring.ts"

interface Pool {
  readonly sender: () => PayloadSender
  readonly receiver: () => PayloadReceiver
  readonly descriptors: number
  readonly returns: number
  /** The rings' raw ends, to lie with. */
  readonly descriptorsProducer: () => RingProducer
  readonly returnsProducer: () => RingProducer
  /** Lets the last sender die between its mark and its descriptor, the last receiver between its loan and the release. */
  readonly dieCommitting: (act: () => void) => boolean
  readonly dieBorrowing: (act: () => void) => boolean
}

function newPool(t: Test, geometry: PoolGeometry, initialIndex = 0): Pool {
  const ring = (capacity: number, slotBytes: number): [number, number] => {
    const pair = frameTwice(t, 4 * PAGE_BYTES)
    SharedRing.create(vspace, pair[0], 4 * PAGE_BYTES, { capacity, slotBytes, initialIndex })
    return pair
  }
  const descriptors = ring(descriptorSlots(geometry), DESCRIPTOR_BYTES)
  const returns = ring(returnSlots(geometry), RETURN_BYTES)
  const bytes = Math.ceil(poolBytes(geometry) / PAGE_BYTES) * PAGE_BYTES
  const pool = frameTwice(t, bytes)
  const [, loans] = frameTwice(t)
  createPool(vspace, pool[0], geometry)
  let out: RingProducer | undefined
  let into: RingConsumer | undefined
  return {
    descriptors: descriptors[0],
    returns: returns[0],
    descriptorsProducer: () => SharedRing.producer(vspace, descriptors[0], 4 * PAGE_BYTES),
    returnsProducer: () => SharedRing.producer(vspace, returns[0], 4 * PAGE_BYTES),
    sender: () => {
      forget(out)
      out = SharedRing.producer(vspace, descriptors[0], 4 * PAGE_BYTES)
      return new PayloadSender(vspace, {
        descriptors: out,
        writeIndexWord: descriptors[0] + RING_WRITE_INDEX,
        returns: SharedRing.consumer(vspace, returns[0], 4 * PAGE_BYTES),
        pool: { address: pool[0], bytes },
      })
    },
    receiver: () => {
      forget(into)
      into = SharedRing.consumer(vspace, descriptors[1], 4 * PAGE_BYTES)
      return new PayloadReceiver(vspace, {
        descriptors: into,
        returns: SharedRing.producer(vspace, returns[1], 4 * PAGE_BYTES),
        pool: { address: pool[1], bytes },
        loans: { address: loans, bytes: PAGE_BYTES },
      })
    },
    dieCommitting: act => dieAt(out as RingProducer, "tryPush", act),
    dieBorrowing: act => dieAt(into as RingConsumer, "release", act),
  }
}

/** With a process go its ring ends, without a word. */
function forget(end: RingProducer | RingConsumer | undefined): void {
  if (end !== undefined) vspace.ownedWords.clear()
}

class Death extends Error {}

/** Runs `act`, which ends when it gets to that step of its ring end. False when it did not get there. */
function dieAt(end: RingProducer | RingConsumer, step: string, act: () => void): boolean {
  Object.defineProperty(end, step, {
    value: () => {
      throw new Death()
    },
  })
  try {
    act()
    return false
  } catch (error) {
    if (error instanceof Death) return true
    throw error
  }
}

const bytesOf = (...words: number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer)
const filled = (bytes: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + seed) & 0xff)

t.test("send() and receive() carry payloads of any length whole, and buffers go round", async t => {
  const pool = newPool(t, { buffers: 2, bufferBytes: 200_000 })
  const [sender, receiver] = [pool.sender(), pool.receiver()]
  for (const [round, bytes] of [0, 1, 7, 8, 65_535, 65_536, 65_537, 131_073, 200_000].entries()) {
    t.equal(sender.send(filled(bytes, round), SECOND_NS), "sent")
    const received = receiver.receive(SECOND_NS)
    t.ok(typeof received !== "string" && Buffer.compare(received, filled(bytes, round)) === 0, `${bytes} bytes`)
  }
  t.equal(receiver.receive(0), "deadline")
  t.throws(() => sender.send(new Uint8Array(200_001)), {
    code: "RangeError",
    message: /200001 bytes: a buffer holds 0 to 200000/,
  })
})

t.test("send() waits for a buffer, claim() does not, and neither loses one", async t => {
  const pool = newPool(t, { buffers: 3, bufferBytes: 64 })
  const [sender, receiver] = [pool.sender(), pool.receiver()]
  for (let at = 0; at < 3; at++) t.equal(sender.send(Uint8Array.of(at), 0), "sent")
  t.equal(sender.send(Uint8Array.of(9), 1_000), "deadline")
  t.equal(sender.claim(), undefined)
  const loan = receiver.borrow(SECOND_NS)
  if (typeof loan === "string") throw new Error(loan)
  t.equal(sender.claim(), undefined, "a loan is under way")
  loan.release()
  const claim = sender.claim()
  t.same(sender.claim(), claim, "the same until it is committed")
  vspace.u8[claim?.address as number] = 3
  t.equal(receiver.receive(SECOND_NS)?.[0], 1)
  t.equal(sender.commit(1), "sent")
  t.throws(() => sender.commit(1), { code: "IllegalOperation" })
  t.same([receiver.receive(SECOND_NS)?.[0], receiver.receive(SECOND_NS)?.[0]], [2, 3])
})

t.test("loans are in place, are released in any order, and are of no use afterwards", async t => {
  const pool = newPool(t, { buffers: 2, bufferBytes: 64 })
  const [sender, receiver] = [pool.sender(), pool.receiver()]
  sender.send(Uint8Array.of(1, 1))
  sender.send(Uint8Array.of(2))
  const [first, second] = [receiver.borrow(), receiver.borrow()]
  if (typeof first === "string" || typeof second === "string") throw new Error("no payload")
  t.same([first.bytes, second.bytes], [2, 1])
  t.same(second.uncheckedBytes(), Uint8Array.of(2))
  second.release()
  t.equal(sender.send(Uint8Array.of(3), SECOND_NS), "sent", "into the second's buffer")
  t.same(first.uncheckedBytes(), Uint8Array.of(1, 1))
  t.throws(() => second.uncheckedBytes(), { code: "IllegalOperation", message: /was released/ })
  t.throws(() => second.address, { code: "IllegalOperation" })
  t.throws(() => second.release(), { code: "IllegalOperation" })
  first.release()
})

t.test("receive() into memory of one's own takes nothing when that is too small", async t => {
  const pool = newPool(t, { buffers: 1, bufferBytes: 64 })
  const [sender, receiver] = [pool.sender(), pool.receiver()]
  sender.send(filled(10, 1))
  t.throws(() => receiver.receive(SECOND_NS, new Uint8Array(9)), {
    code: "RangeError",
    message: /10 bytes, into holds 9/,
  })
  const into = new Uint8Array(16)
  t.same(receiver.receive(SECOND_NS, into), filled(10, 1))
  t.same(into.subarray(0, 10), filled(10, 1))
})

t.test(
  "whatever the order of operations and deaths, each payload arrives once, in order, and no buffer is lost",
  async t => {
    const operations = fc.array(
      fc.constantFrom(
        "send",
        "send",
        "receive",
        "claim",
        "commit",
        "receive",
        "borrow",
        "release",
        "sender dies",
        "sender dies committing",
        "receiver dies",
        "receiver dies borrowing",
      ),
      { minLength: 20, maxLength: 80, size: "max" },
    )
    let buffersUsed = 0
    const property = fc.property(
      operations,
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(0, 0xffff_fffd),
      (all, buffers, index) => {
        const world = newPool(t, { buffers, bufferBytes: 8 }, index)
        let [sender, receiver] = [world.sender(), world.receiver()]
        let [sent, received, dead] = [0, 0, 0]
        let loans: { release(): void }[] = []
        const expectNext = (found: number | undefined): void => {
          if (found !== (received & 0xff)) throw new Error(`Payload ${received} is ${found}`)
          received++
        }
        const full = (): boolean => sent - received + loans.length >= buffers
        let claimed = false
        for (const operation of all) {
          if (operation === "send") {
            const room = !full() && !(claimed && sent - received + loans.length + 1 >= buffers)
            const outcome = sender.send(Uint8Array.of(sent & 0xff), 0)
            if ((outcome === "sent") !== room) throw new Error(`send: ${outcome}, room ${room}`)
            if (outcome === "sent") sent++
          } else if (operation === "claim") {
            const claim = sender.claim()
            if ((claim !== undefined) !== (claimed || !full())) throw new Error(`claim: ${claim}`)
            claimed = claim !== undefined
          } else if (operation === "commit" && claimed) {
            const claim = sender.claim()
            vspace.u8[claim?.address as number] = sent & 0xff
            sender.commit(1)
            claimed = false
            sent++
          } else if (operation === "receive") {
            const outcome = receiver.receive(0)
            if (typeof outcome === "string") {
              if (sent !== received) throw new Error(`receive: ${outcome} with ${sent - received} under way`)
            } else expectNext(outcome[0])
          } else if (operation === "borrow") {
            const outcome = receiver.borrow(0)
            if (typeof outcome === "string") continue
            expectNext(outcome.uncheckedBytes()[0])
            loans.push(outcome)
          } else if (operation === "release") loans.pop()?.release()
          else if (operation.startsWith("sender dies")) {
            if (operation.endsWith("committing")) world.dieCommitting(() => sender.send(Uint8Array.of(99), 0))
            sender = world.sender()
            claimed = false
          } else if (operation.startsWith("receiver dies")) {
            if (operation.endsWith("borrowing")) world.dieBorrowing(() => receiver.borrow(0))
            receiver = world.receiver()
            dead += loans.length
            loans = []
          }
        }
        for (const loan of loans) loan.release()
        while (received < sent) expectNext((receiver.receive(0) as Uint8Array)[0])
        if (claimed) sender.commit(0)
        if (claimed) receiver.receive(0)
        for (let buffer = 0; buffer < buffers; buffer++) {
          if (sender.send(new Uint8Array(1), 0) !== "sent")
            throw new Error(`Only ${buffer} of ${buffers} buffers are left`)
        }
        buffersUsed += sent + dead
      },
    )
    fc.assert(property, { numRuns: 300 })
    t.ok(buffersUsed > 1_000, `${buffersUsed} payloads`)
  },
)

t.test("close() tells the other end after what was sent, and gives back what is on loan", async t => {
  const pool = newPool(t, { buffers: 2, bufferBytes: 64 })
  let [sender, receiver] = [pool.sender(), pool.receiver()]
  sender.send(Uint8Array.of(1))
  sender.send(Uint8Array.of(2))
  const loan = receiver.borrow(0)
  receiver.close()
  t.throws(() => (loan as Loan).release(), { code: "IllegalOperation" })
  t.equal(sender.send(Uint8Array.of(3), 0), "sent", "in the loan's buffer, for the next receiver")
  t.equal(sender.send(Uint8Array.of(4), 0), "closed")
  receiver = pool.receiver()
  sender.close()
  t.same(
    [receiver.receive(0), receiver.receive(0), receiver.receive(0)],
    [Uint8Array.of(2), Uint8Array.of(3), "closed"],
  )
  sender = pool.sender()
  t.equal(sender.send(Uint8Array.of(5), 0), "sent")
})

t.test("a lying sender is told apart at once, and again", async t => {
  const lies: readonly (readonly [words: readonly number[], message: RegExp])[] = [
    [[2, 1, 1, 0], /a descriptor's buffer to 2, which must be less than 2/],
    [[0, 65, 1, 0], /a descriptor's bytes to 65, which must be at most 64/],
    [[0, 1, 2, 0], /a descriptor's mark to 2, which must be odd/],
  ]
  for (const [words, message] of lies) {
    const pool = newPool(t, { buffers: 2, bufferBytes: 64 })
    const receiver = pool.receiver()
    pool.descriptorsProducer().push(bytesOf(...words))
    t.throws(() => receiver.receive(0), { name: "PeerMisbehaviorError", message })
    t.throws(() => receiver.borrow(0), { name: "PeerMisbehaviorError", message })
  }
  const pool = newPool(t, { buffers: 2, bufferBytes: 64 })
  const receiver = pool.receiver()
  const producer = pool.descriptorsProducer()
  for (const mark of [1, 3]) producer.push(bytesOf(1, 1, mark, 0))
  t.type(receiver.borrow(0), "object", "the truth serves")
  t.throws(() => receiver.borrow(0), { message: /a descriptor's buffer to 1, which must be one that is not on loan/ })
})

t.test("a lying receiver is told apart, and what it did not have it cannot give back", async t => {
  const pool = newPool(t, { buffers: 1, bufferBytes: 64 })
  const sender = pool.sender()
  const producer = pool.returnsProducer()
  t.equal(sender.send(Uint8Array.of(1), 0), "sent")
  producer.push(bytesOf(0, 77))
  t.equal(sender.claim(), undefined, "under another mark: ignored")
  producer.push(bytesOf(1, 1))
  t.throws(() => sender.send(Uint8Array.of(1), 0), {
    name: "PeerMisbehaviorError",
    message: /a returned buffer to 1, which must be less than 1/,
  })
})

t.test("a frame that is no pool is refused", async t => {
  const [address] = frameTwice(t)
  const pool = newPool(t, { buffers: 1, bufferBytes: 64 })
  const place = {
    descriptors: pool.descriptorsProducer(),
    writeIndexWord: pool.descriptors + RING_WRITE_INDEX,
    returns: SharedRing.consumer(vspace, pool.returns, 4 * PAGE_BYTES),
  }
  const attach = (): unknown => new PayloadSender(vspace, { ...place, pool: { address, bytes: PAGE_BYTES } })
  t.throws(attach, { code: "NotARing", message: /is no frame pool/ })
  createPool(vspace, address, { buffers: 1, bufferBytes: PAGE_BYTES })
  t.throws(attach, { code: "NotARing" }, "two pages do not fit one")
})

t.test("a receiver that gives buffers back and leaves their descriptors where they are is named", async t => {
  const pool = newPool(t, { buffers: 1, bufferBytes: 8 })
  const [sender, returns] = [pool.sender(), pool.returnsProducer()]
  const giveBack = (): void => {
    for (let slot = 0; slot < descriptorSlots({ buffers: 1, bufferBytes: 8 }); slot++) {
      const address = pool.descriptors + RING_SLOTS + slot * DESCRIPTOR_BYTES
      returns.push(bytesOf(vspace.loadWord(address), vspace.loadWord(address + 8)))
    }
  }
  for (let descriptor = 0; descriptor < descriptorSlots({ buffers: 1, bufferBytes: 8 }); descriptor++) {
    t.equal(sender.send(new Uint8Array(8), 0), "sent")
    giveBack()
  }
  const refusal = { name: "PeerMisbehaviorError", peer: "consumer", what: "a returned buffer", value: 0 }
  t.throws(() => sender.send(new Uint8Array(8), 0), refusal)
})
