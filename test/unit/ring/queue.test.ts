// queue.test.ts: a ring does what a queue does, whatever the order of operations, batches and take-overs included.

import fc from "fast-check"
import t from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, vspace } from "../../helpers/ring.ts"

const SLOT_BYTES = 8
const MAX_CAPACITY = 32

/** Numbered messages in their order, and how many slots the consumer has read and not given back. */
class Model {
  readonly queue: number[] = []
  next = 1
  held = 0
  /** Messages that were peeked and not released: they come once more after a take-over. */
  handed = 0
  readonly #capacity: number

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  hasRoom(count: number): boolean {
    return this.queue.length + this.held + count <= this.#capacity
  }

  /** The numbers of the next messages. */
  send(count: number): number[] {
    const sent = Array.from({ length: count }, (_, index) => this.next + index)
    this.queue.push(...sent)
    this.next += count
    return sent
  }

  /** The consumer has looked: an empty ring is given back whole. */
  look(max: number): number[] {
    if (this.queue.length === 0) this.held = 0
    return this.queue.slice(0, max)
  }

  take(count: number): void {
    this.queue.splice(0, count)
    this.held += count
    this.handed = 0
    if (this.held >= Math.ceil(this.#capacity / 4)) this.held = 0
  }
}

const STEPS = [
  ...(["push", "pop", "pushMany", "popMany", "claim", "peek"] as const),
  ...(["giveBack", "newProducer", "newConsumer"] as const),
] as const

const messageOf = (number: number): Uint8Array => new Uint8Array(Float64Array.of(number).buffer)
const numbersIn = (bytes: Uint8Array | undefined): number[] =>
  bytes === undefined ? [] : [...new Float64Array(Uint8Array.from(bytes).buffer)]
const numberAt = (address: number): number => vspace.f64[address / 8] as number

function same(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(found)} where the queue has ${JSON.stringify(expected)}`)
}

/** The ring's two ends beside the model; each step does one operation and compares. */
class Pair {
  readonly #frame: number
  readonly #capacity: number
  readonly #model: Model
  #producer: ReturnType<typeof SharedRing.producer>
  #consumer: ReturnType<typeof SharedRing.consumer>

  constructor(frame: number, capacity: number, form: "index" | "slot", initialIndex: number) {
    this.#frame = frame
    this.#capacity = capacity
    this.#model = new Model(capacity)
    vspace.u8.fill(0, frame, frame + PAGE_BYTES)
    SharedRing.create(vspace, frame, PAGE_BYTES, { capacity, slotBytes: SLOT_BYTES, form, initialIndex })
    this.#producer = SharedRing.producer(vspace, frame, PAGE_BYTES)
    this.#consumer = SharedRing.consumer(vspace, frame, PAGE_BYTES)
  }

  close(): void {
    this.#producer.close()
    this.#consumer.close()
  }

  /** `size` is cut to what the ring can hold; `part` to what was claimed or peeked. */
  readonly steps: Record<(typeof STEPS)[number], (size: number, part: number) => void> = {
    push: () => {
      const room = this.#model.hasRoom(1)
      same("tryPush", this.#producer.tryPush(messageOf(this.#model.next)), room)
      if (room) this.#model.send(1)
    },
    pop: () => {
      const expected = this.#model.look(1)
      same("tryPop", numbersIn(this.#consumer.tryPop()), expected)
      if (expected.length > 0) this.#model.take(1)
    },
    pushMany: (size: number) => {
      const count = this.#cut(size)
      const room = this.#model.hasRoom(count)
      const numbers = Array.from({ length: count }, (_, index) => this.#model.next + index)
      const packed = new Uint8Array(Float64Array.from(numbers).buffer)
      const batch = size % 2 === 0 ? packed : numbers.map(messageOf)
      same("tryPushMany", this.#producer.tryPushMany(batch), room)
      if (room) this.#model.send(count)
    },
    popMany: (size: number) => {
      const expected = this.#model.look(this.#cut(size))
      same("tryPopMany", numbersIn(this.#consumer.tryPopMany(this.#cut(size))), expected)
      if (expected.length > 0) this.#model.take(expected.length)
    },
    claim: (size: number, part: number) => {
      const count = this.#cut(size)
      const room = this.#model.hasRoom(count)
      same("claimMany", this.#producer.claimMany(count) !== 0, room)
      if (!room) return
      for (let slot = 0; slot < count; slot++) {
        vspace.f64[this.#producer.slotAddress(slot) / 8] = this.#model.next + slot
      }
      const committed = part % (count + 1)
      // Nothing committed: the claim is given up by whatever comes next.
      if (committed === 0) return
      this.#producer.commitMany(committed)
      this.#model.send(committed)
    },
    peek: (size: number, part: number) => {
      const expected = this.#model.look(this.#cut(size))
      const count = this.#consumer.peekMany(this.#cut(size))
      const addresses = Array.from({ length: count }, (_, slot) => this.#consumer.slotAddress(slot))
      same("peekMany", addresses.map(numberAt), expected)
      if (count === 0) return
      this.#model.handed = count
      const released = part % (count + 1)
      if (released === 0) return
      this.#consumer.releaseMany(released)
      this.#model.take(released)
    },
    giveBack: () => {
      this.#consumer.giveBack()
      this.#model.held = 0
    },
    newProducer: () => {
      this.#producer.close()
      same("push of a closed end", this.#producer.push(messageOf(0)), "closed")
      this.#producer = SharedRing.producer(vspace, this.#frame, PAGE_BYTES)
    },
    newConsumer: () => {
      this.#consumer.close()
      same("pop of a closed end", this.#consumer.pop(), "closed")
      this.#model.held = 0
      this.#consumer = SharedRing.consumer(vspace, this.#frame, PAGE_BYTES)
      same("redelivered", this.#consumer.redelivered, this.#model.handed)
    },
  }

  #cut(size: number): number {
    return Math.min(size, this.#capacity)
  }
}

t.test("a ring does what a queue does, whatever the order of operations, in both forms", async t => {
  const [frame] = frameTwice(t)
  const step = fc.tuple(fc.constantFrom(...STEPS), fc.integer({ min: 1, max: MAX_CAPACITY }), fc.nat(MAX_CAPACITY))
  const property = fc.property(
    fc.integer({ min: 0, max: Math.log2(MAX_CAPACITY) }),
    fc.constantFrom("index" as const, "slot" as const),
    fc.constantFrom(0, 0xffff_ffc0, 0xffff_fff0, 0xffff_ffff),
    fc.array(step, { maxLength: 200 }),
    (bits, form, initialIndex, steps) => {
      const pair = new Pair(frame, 1 << bits, form, initialIndex)
      try {
        for (const [name, size, part] of steps) pair.steps[name](size, part)
      } finally {
        pair.close()
      }
    },
  )
  fc.assert(property, { numRuns: 500 })
})
