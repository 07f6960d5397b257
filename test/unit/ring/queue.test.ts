// queue.test.ts: a ring does what a queue does, whatever the order of operations, batches and take-overs included.

import fc from "fast-check"
import t from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, vspace } from "../../helpers/ring.ts"

/** Several to a line, one to a line, and some lines for one: what a producer asks ahead for differs. */
const SLOT_BYTES = [8, 24, 64, 192] as const
const MAX_CAPACITY = 32
const FRAME_BYTES = 3 * PAGE_BYTES

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

/** What each word of a message holds: no byte of it is 0, as those of a small whole number are. */
const wordOf = (number: number): number => number + 0.1
const wordsOf = (numbers: readonly number[], words: number): Float64Array =>
  Float64Array.from({ length: numbers.length * words }, (_, word) =>
    wordOf(numbers[Math.floor(word / words)] as number),
  )
/** The number of a message, or all its words where one is not as it was sent. */
const numberOf = (words: Float64Array): number | number[] => {
  const number = Math.floor(words[0] as number)
  return words.every(word => word === wordOf(number)) ? number : [...words]
}

function same(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  throw new Error(`${what}: ${JSON.stringify(found)} where the queue has ${JSON.stringify(expected)}`)
}

/** The ring's two ends beside the model; each step does one operation and compares. */
class Pair {
  readonly #frame: number
  readonly #capacity: number
  readonly #words: number
  readonly #model: Model
  #producer: ReturnType<typeof SharedRing.producer>
  #consumer: ReturnType<typeof SharedRing.consumer>

  constructor(frame: number, geometry: { capacity: number; slotBytes: number; form: "index" | "slot" }, first: number) {
    this.#frame = frame
    this.#capacity = geometry.capacity
    this.#words = geometry.slotBytes / 8
    this.#model = new Model(geometry.capacity)
    vspace.u8.fill(0, frame, frame + FRAME_BYTES)
    SharedRing.create(vspace, frame, FRAME_BYTES, { ...geometry, initialIndex: first })
    this.#producer = SharedRing.producer(vspace, frame, FRAME_BYTES)
    this.#consumer = SharedRing.consumer(vspace, frame, FRAME_BYTES)
  }

  close(): void {
    this.#producer.close()
    this.#consumer.close()
  }

  /** `size` is cut to what the ring can hold; `part` to what was claimed or peeked. */
  readonly steps: Record<(typeof STEPS)[number], (size: number, part: number) => void> = {
    push: () => {
      const room = this.#model.hasRoom(1)
      same("tryPush", this.#producer.tryPush(this.#messageOf(this.#model.next)), room)
      if (room) this.#model.send(1)
    },
    pop: () => {
      const expected = this.#model.look(1)
      same("tryPop", this.#numbersIn(this.#consumer.tryPop()), expected)
      if (expected.length > 0) this.#model.take(1)
    },
    pushMany: (size: number) => {
      const count = this.#cut(size)
      const room = this.#model.hasRoom(count)
      const numbers = Array.from({ length: count }, (_, index) => this.#model.next + index)
      const packed = new Uint8Array(wordsOf(numbers, this.#words).buffer)
      const batch = size % 2 === 0 ? packed : numbers.map(number => this.#messageOf(number))
      same("tryPushMany", this.#producer.tryPushMany(batch), room)
      if (room) this.#model.send(count)
    },
    popMany: (size: number) => {
      const expected = this.#model.look(this.#cut(size))
      same("tryPopMany", this.#numbersIn(this.#consumer.tryPopMany(this.#cut(size))), expected)
      if (expected.length > 0) this.#model.take(expected.length)
    },
    claim: (size: number, part: number) => {
      const count = this.#cut(size)
      const room = this.#model.hasRoom(count)
      same("claimMany", this.#producer.claimMany(count) !== 0, room)
      if (!room) return
      for (let slot = 0; slot < count; slot++) {
        this.#wordsAt(this.#producer.slotAddress(slot)).fill(wordOf(this.#model.next + slot))
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
      const numbers = addresses.map(address => numberOf(this.#wordsAt(address)))
      same("peekMany", numbers, expected)
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
      same("push of a closed end", this.#producer.push(this.#messageOf(0)), "closed")
      this.#producer = SharedRing.producer(vspace, this.#frame, FRAME_BYTES)
    },
    newConsumer: () => {
      this.#consumer.close()
      same("pop of a closed end", this.#consumer.pop(), "closed")
      this.#model.held = 0
      this.#consumer = SharedRing.consumer(vspace, this.#frame, FRAME_BYTES)
      same("redelivered", this.#consumer.redelivered, this.#model.handed)
    },
  }

  #messageOf(number: number): Uint8Array {
    return new Uint8Array(wordsOf([number], this.#words).buffer)
  }

  #numbersIn(bytes: Uint8Array | undefined): (number | number[])[] {
    const words = new Float64Array(Uint8Array.from(bytes ?? []).buffer)
    return Array.from({ length: words.length / this.#words }, (_, message) =>
      numberOf(words.subarray(message * this.#words, (message + 1) * this.#words)),
    )
  }

  #wordsAt(address: number): Float64Array {
    return vspace.f64.subarray(address / 8, address / 8 + this.#words)
  }

  #cut(size: number): number {
    return Math.min(size, this.#capacity)
  }
}

t.test("a ring does what a queue does, whatever the order of operations, in both forms", async t => {
  const [frame] = frameTwice(t, FRAME_BYTES)
  const step = fc.tuple(fc.constantFrom(...STEPS), fc.integer({ min: 1, max: MAX_CAPACITY }), fc.nat(MAX_CAPACITY))
  const property = fc.property(
    fc.integer({ min: 0, max: Math.log2(MAX_CAPACITY) }),
    fc.constantFrom(...SLOT_BYTES),
    fc.constantFrom("index" as const, "slot" as const),
    fc.constantFrom(0, 0xffff_ffc0, 0xffff_fff0, 0xffff_ffff),
    fc.array(step, { maxLength: 200, size: "max" }),
    (bits, slotBytes, form, initialIndex, steps) => {
      const pair = new Pair(frame, { capacity: 1 << bits, slotBytes, form }, initialIndex)
      try {
        for (const [name, size, part] of steps) pair.steps[name](size, part)
      } finally {
        pair.close()
      }
    },
  )
  fc.assert(property, { numRuns: 500 })
})
