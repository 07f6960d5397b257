// records.test.ts: a ring of records does what a queue of byte strings does; what no ring can do is refused by name.

import fc from "fast-check"
import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { RING_SLOTS, RING_WRITE_INDEX } from "../../../src/ring/layout.ts"
import { RecordRing, type RecordRingOptions } from "../../../src/ring/record-ring.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, SECOND_NS, vspace } from "../../helpers/ring.ts"

const STEPS = [
  ...(["push", "pushMany", "claim", "pop", "popMany", "peek"] as const),
  ...(["newProducer", "newConsumer"] as const),
] as const

/** A record that shows a byte of it that is another's. */
const record = (bytes: number, mark: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, at) => mark + at * 7)
const text = (bytes: Uint8Array | undefined): string =>
  bytes === undefined ? "none" : Buffer.from(bytes).toString("hex")
const strideOf = (bytes: number): number => 8 + Math.ceil(bytes / 8) * 8

function same(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${found} where the queue has ${expected}`)
}

/** Byte strings in their order, and where they lie: what a ring of `capacity` bytes has room for. */
class Model {
  readonly queue: { hex: string; from: number; end: number }[] = []
  index = 0
  read = 0
  released = 0
  handed = false
  readonly capacity: number

  constructor(capacity: number) {
    this.capacity = capacity
  }

  /** Where a record would begin and end that is put behind `index`: not over the ring's end. */
  place(index: number, bytes: number): { from: number; end: number } {
    const rest = this.capacity - (index % this.capacity)
    const from = rest < strideOf(bytes) ? index + rest : index
    return { from, end: from + strideOf(bytes) }
  }

  fits(end: number): boolean {
    return end - this.released <= this.capacity
  }

  add(content: Uint8Array): void {
    const { from, end } = this.place(this.index, content.length)
    this.queue.push({ hex: text(content), from, end })
    this.index = end
  }

  /** The consumer looks: an empty ring is given back whole. */
  look(): string {
    if (this.queue.length === 0) this.released = this.read
    return this.queue[0]?.hex ?? "none"
  }

  take(): void {
    const taken = this.queue.shift()
    if (taken === undefined) return
    this.read = taken.end
    this.handed = false
    if (this.read - this.released >= this.capacity / 4) this.released = this.read
  }
}

t.test("a ring of records does what a queue does, whatever the lengths and the order of operations", async t => {
  const [frame] = frameTwice(t)
  const step = fc.tuple(
    fc.constantFrom(...STEPS),
    fc.array(fc.nat(0xffff), { minLength: 1, maxLength: 4 }),
    fc.nat(255),
  )
  const property = fc.property(
    fc.constantFrom(64, 128, 256, 1024),
    fc.constantFrom(0, 0xffff_fff8, 0xffff_ff80, 0x7fff_fff8),
    fc.array(step, { maxLength: 150 }),
    (capacityBytes, initialIndex, steps) => {
      vspace.u8.fill(0, frame, frame + PAGE_BYTES)
      RecordRing.create(vspace, frame, PAGE_BYTES, { capacityBytes, initialIndex })
      let producer = RecordRing.producer(vspace, frame, PAGE_BYTES)
      let consumer = RecordRing.consumer(vspace, frame, PAGE_BYTES)
      const model = new Model(capacityBytes)
      // Indices that are 2^32 apart, less the capacity, stand at the same place of the ring.
      model.index = model.read = model.released = initialIndex
      try {
        for (const [name, numbers, mark] of steps) {
          const lengths = numbers.map(number => 1 + (number % producer.maxBytes))
          const [bytes = 1, other = 1] = lengths
          const content = record(bytes, mark)
          const { end } = model.place(model.index, bytes)
          if (name === "push") {
            same("tryPush", producer.tryPush(content), model.fits(end))
            if (model.fits(end)) model.add(content)
          } else if (name === "pushMany") {
            const batch: Uint8Array[] = []
            let to = model.index
            for (const [index, length] of lengths.entries()) {
              const taken = batch.reduce((sum, { length }) => sum + strideOf(length), 0)
              if (taken + strideOf(length) > capacityBytes / 2) break
              batch.push(record(length, mark + index))
              to = model.place(to, length).end
            }
            same("tryPushMany", producer.tryPushMany(batch), model.fits(to))
            if (model.fits(to)) for (const each of batch) model.add(each)
          } else if (name === "claim") {
            const address = producer.claim(bytes)
            same("claim", address !== 0, model.fits(end))
            if (address === 0) continue
            const final = Math.min(other, bytes)
            vspace.u8.set(content, address)
            // Given up by whatever comes next.
            if (mark % 3 === 0) continue
            producer.commit(final)
            // It stays where the longer one was claimed.
            const { from } = model.place(model.index, bytes)
            model.queue.push({ hex: text(content.subarray(0, final)), from, end: from + strideOf(final) })
            model.index = from + strideOf(final)
          } else if (name === "pop") {
            same("tryPop", text(consumer.tryPop()), model.look())
            model.take()
          } else if (name === "popMany") {
            const max = 1 + (mark % 5)
            const found = consumer.tryPopMany(max)
            for (let count = 0; count < max; count++) {
              same("tryPopMany", text(found[count]), model.look())
              if (model.queue.length === 0) break
              model.take()
            }
          } else if (name === "peek") {
            const expected = model.look()
            const address = consumer.peek()
            const { peekedBytes } = consumer
            same("peek", address === 0 ? "none" : text(vspace.u8.slice(address, address + peekedBytes)), expected)
            if (address === 0) continue
            model.handed = true
            if (mark % 3 === 0) continue
            consumer.release()
            model.take()
          } else if (name === "newProducer") {
            producer.close()
            same("push of a closed end", producer.push(content), "closed")
            producer = RecordRing.producer(vspace, frame, PAGE_BYTES)
          } else {
            consumer.close()
            same("pop of a closed end", consumer.pop(), "closed")
            model.released = model.read
            consumer = RecordRing.consumer(vspace, frame, PAGE_BYTES)
            same("redelivered", consumer.redelivered, model.handed)
          }
        }
      } finally {
        producer.close()
        consumer.close()
      }
    },
  )
  fc.assert(property, { numRuns: 500 })
})

function ends(t: Test, options: RecordRingOptions) {
  const [a, b] = frameTwice(t)
  RecordRing.create(vspace, a, PAGE_BYTES, options)
  const wait = { spinNs: 0 }
  return {
    address: a,
    producer: RecordRing.producer(vspace, a, PAGE_BYTES, { wait }),
    consumer: RecordRing.consumer(vspace, b, PAGE_BYTES, { wait }),
  }
}

t.test("records from 1 byte to half the ring come whole, wherever the index stands", async t => {
  const { producer, consumer } = ends(t, { capacityBytes: 1024 })
  t.equal(producer.maxBytes, 504)
  for (let bytes = 1; bytes <= producer.maxBytes; bytes++) {
    t.equal(producer.push(record(bytes, bytes), SECOND_NS), "pushed")
    if (text(consumer.pop(SECOND_NS) as Uint8Array) !== text(record(bytes, bytes))) t.fail(`${bytes} bytes`)
  }
  t.match(producer.stats(), { pushed: 504, full: 0, sleeps: 0 })
  t.match(consumer.stats(), { popped: 504, empty: 0, sleeps: 0 })
})

t.test("refuses lengths, batches and capacities that no ring has, by name, value and limit", async t => {
  const { producer, consumer } = ends(t, { capacityBytes: 64 })
  const tooLong = { code: "RangeError", message: /The record has 25 bytes, .* 1 to 24/ }
  t.throws(() => producer.tryPush(new Uint8Array(25)), tooLong)
  t.throws(() => producer.push(new Uint8Array(25)), tooLong)
  t.throws(() => producer.claim(25), tooLong)
  for (const bytes of [0, -1, 1.5, Number.NaN]) t.throws(() => producer.claim(bytes), { code: "RangeError" })
  t.throws(() => producer.tryPush(new Uint8Array(0)), { code: "RangeError" })
  const batch = { code: "RangeError", message: /The batch is 3 records that take up 48 bytes: .* half the ring, 32/ }
  t.throws(() => producer.tryPushMany([record(1, 1), record(1, 2), record(1, 3)]), batch)
  t.throws(() => producer.pushMany([]), { code: "RangeError" })
  const illegal = { code: "IllegalOperation" }
  t.throws(() => producer.commit(), illegal)
  t.throws(() => consumer.release(), illegal)
  producer.claim(8)
  for (const bytes of [0, 9, 1.5]) t.throws(() => producer.commit(bytes), illegal)
  t.equal(consumer.peek(), 0)
  producer.commit(3)
  t.ok(consumer.peek() > 0)
  t.equal(consumer.peekedBytes, 3)
  const [address] = frameTwice(t)
  for (const capacityBytes of [0, 32, 65, 2 ** 30, 64.5, Number.NaN]) {
    const refused = { code: "InvalidArgument", message: new RegExp(`capacityBytes is ${capacityBytes},`) }
    t.throws(() => RecordRing.create(vspace, address, PAGE_BYTES, { capacityBytes }), refused)
  }
  t.throws(() => RecordRing.create(vspace, address, PAGE_BYTES, { capacityBytes: 64, initialIndex: 4 }), {
    code: "InvalidArgument",
    message: /initialIndex is 4, which must be a multiple of 8/,
  })
  t.throws(() => RecordRing.create(vspace, address, PAGE_BYTES, { capacityBytes: 4096 }), { code: "RangeError" })
  t.equal(vspace.loadWord(address), 0, "a refusal changes nothing")
})

t.test("a ring of one kind is refused by the other's ends", async t => {
  const { address } = ends(t, { capacityBytes: 64 })
  t.throws(() => SharedRing.consumer(vspace, address, PAGE_BYTES), { code: "NotARing", message: /use RecordRing/ })
  const [slots] = frameTwice(t)
  SharedRing.create(vspace, slots, PAGE_BYTES, { capacity: 4, slotBytes: 8 })
  t.throws(() => RecordRing.producer(vspace, slots, PAGE_BYTES), { code: "NotARing", message: /use SharedRing/ })
})

t.test("a head that lies is refused, named, and nothing outside what was published is read", async t => {
  const capacityBytes = 256
  const head = (index: number, address: number): number => address + RING_SLOTS + (index % capacityBytes)
  const cases = [
    // Where the consumer stands, how much is published, the head there, and, behind padding, at the start.
    [0, 16, 0],
    [0, 16, 9],
    [0, 16, 121],
    [0, 256, 0x7fff_ffff],
    [0, 16, 0x8000_0000],
    [0, 16, 0x8000_0010],
    [0, 256, 0x8000_0100],
    [240, 16, 0x8000_0010],
    [240, 32, 16],
    [240, 32, 0x8000_0008],
    [240, 32, 0x8000_0010, 9],
    [240, 32, 0x8000_0010, 0x8000_0100],
    [240, 20, 0x8000_0010, 8],
  ] as const
  for (const [start, published, first, second] of cases) {
    const { address, consumer } = ends(t, { capacityBytes, initialIndex: start })
    vspace.storeWord(head(start, address), first)
    if (second !== undefined) vspace.storeWord(head(0, address), second)
    vspace.storeWord(address + RING_WRITE_INDEX, start + published)
    const culprit = { name: "PeerMisbehaviorError", peer: "producer", what: "a record's head", value: second ?? first }
    t.throws(() => consumer.tryPop(), culprit)
    t.throws(() => consumer.pop(SECOND_NS), culprit)
    t.throws(() => consumer.peek(), culprit)
  }
  const { address, consumer } = ends(t, { capacityBytes, initialIndex: 240 })
  vspace.storeWord(head(240, address), 0x8000_0010)
  vspace.storeWord(head(0, address), 8)
  vspace.storeWord(address + RING_WRITE_INDEX, 240 + 32)
  t.equal(consumer.tryPop()?.length, 8, "and what is right is taken")
})

t.test("no lie in the producer's part leads out of bounds or to anything but a typed error", async t => {
  const { address, producer, consumer } = ends(t, { capacityBytes: 128, initialIndex: 0xffff_ffc0 })
  producer.close()
  const value = fc.oneof(
    fc.integer({ min: -200, max: 200 }).map(by => (0xffff_ffc0 + by) >>> 0),
    fc.integer({ min: 0, max: 200 }).map(by => (0x8000_0000 + by) >>> 0),
    fc.nat(0xffff_ffff),
  )
  const word = fc.oneof(
    fc.constant(RING_WRITE_INDEX),
    fc.nat((RING_SLOTS + 128) / 4 - 1).map(index => index * 4),
  )
  let misbehaved = 0
  const property = fc.property(fc.array(fc.tuple(word, value), { maxLength: 30 }), lies => {
    for (const [offset, lie] of lies) {
      vspace.storeWord(address + offset, lie)
      for (const operation of [() => consumer.tryPop(), () => consumer.peek() > 0 && consumer.release()]) {
        try {
          operation()
        } catch (error) {
          if ((error as Error).name !== "PeerMisbehaviorError") throw error
          misbehaved++
        }
      }
    }
  })
  fc.assert(property, { numRuns: 2_000 })
  t.ok(misbehaved > 100, `${misbehaved} lies were noticed`)
})

t.test("a record whose head grows while room is made for it comes with the length that was checked last", async t => {
  const [address, again] = frameTwice(t)
  RecordRing.create(vspace, address, PAGE_BYTES, { capacityBytes: 2_048 })
  const producer = RecordRing.producer(vspace, address, PAGE_BYTES)
  producer.push(record(300, 1))
  producer.push(record(900, 2))
  let lies = 0
  const hot = {
    ...vspace.hot,
    popRecord: (state: number, spins: number): number => {
      const result = vspace.hot.popRecord(state, spins)
      if (lies++ === 0) vspace.storeWord(address + RING_SLOTS, 1_000)
      return result
    },
  }
  const lying = new Proxy(vspace, {
    get: (target, key) => {
      const value = key === "hot" ? hot : Reflect.get(target, key, target)
      return typeof value === "function" ? value.bind(target) : value
    },
  })
  const consumer = RecordRing.consumer(lying, again, PAGE_BYTES)
  t.equal(consumer.tryPop()?.length, 1_000)
  t.equal(lies, 3, "too long, longer still, and then it fits")
})
