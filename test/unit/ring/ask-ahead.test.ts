// ask-ahead.test.ts: what a producer does to get the next slots' cache lines (decision 0030): it stores zero to each line of
// the next group, once, when it comes to a group that is free, and nowhere else.

import t, { type Test } from "tap"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { CACHE_LINE_BYTES, RING_SLOTS } from "../../../src/ring/layout.ts"
import { strideOf } from "../../../src/ring/ring-header.ts"
import { type RingOptions, SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, vspace } from "../../helpers/ring.ts"

const UNTOUCHED = 0xa5a5_a5a5

/** A ring whose slots hold a pattern that no message has. */
function ends(t: Test, options: RingOptions) {
  const [address, other] = frameTwice(t)
  SharedRing.create(vspace, address, PAGE_BYTES, options)
  const words = new Uint32Array(vspace.u8.buffer, address + RING_SLOTS, (options.capacity * strideOf(options)) / 4)
  words.fill(UNTOUCHED)
  const wait = { spinNs: 0 }
  return {
    words,
    producer: SharedRing.producer(vspace, address, PAGE_BYTES, { wait }),
    consumer: SharedRing.consumer(vspace, other, PAGE_BYTES, { wait }),
  }
}

/** Offsets of the words from byte `from` up to `to` that hold zero. */
function zeros(words: Uint32Array, from: number, to: number): number[] {
  const found: number[] = []
  for (let at = from; at < to; at += 4) if (words[at / 4] === 0) found.push(at)
  return found
}

function untouched(words: Uint32Array, from: number, to: number): boolean {
  return words.subarray(from / 4, to / 4).every(word => word === UNTOUCHED)
}

/** Message bytes without a zero. */
const filled = (slotBytes: number, value: number): Uint8Array => new Uint8Array(slotBytes).fill(1 + (value % 250))

for (const { slotBytes, capacity, group } of [
  { slotBytes: 8, capacity: 64, group: 16 },
  { slotBytes: 64, capacity: 32, group: 8 },
  { slotBytes: 192, capacity: 16, group: 2 },
]) {
  t.test(`slots of ${slotBytes} bytes: the next ${group} are asked for, the ones behind them are not`, async t => {
    const { words, producer } = ends(t, { capacity, slotBytes })
    const bytes = group * slotBytes
    for (let sent = 0; sent < group; sent++) {
      t.ok(untouched(words, bytes, capacity * slotBytes), `before message ${sent}`)
      producer.tryPush(filled(slotBytes, sent))
    }
    const lines = Array.from({ length: bytes / CACHE_LINE_BYTES }, (_, line) => bytes + line * CACHE_LINE_BYTES)
    t.same(zeros(words, bytes, 2 * bytes), lines, "one word of each line")
    t.ok(untouched(words, 2 * bytes, capacity * slotBytes), "the group behind it")
    const last = (capacity - group) * slotBytes
    for (let sent = group; sent < capacity - group; sent++) producer.tryPush(filled(slotBytes, sent))
    t.same(
      zeros(words, last, last + bytes),
      lines.map(line => line - bytes + last),
      "the last that is free",
    )
  })
}

t.test("batches that begin in the middle of a group have the next one asked for as well", async t => {
  const { words, producer } = ends(t, { capacity: 32, slotBytes: 64 })
  producer.tryPush(filled(64, 0))
  producer.tryPushMany(new Uint8Array(8 * 64).fill(1))
  const lines = Array.from({ length: 8 }, (_, slot) => (16 + slot) * 64)
  t.same(zeros(words, 9 * 64, 32 * 64), lines)
  t.ok(untouched(words, 9 * 64, 16 * 64), "what is left of the group that was begun")
})

t.test("a group that has one message not yet given back is left alone", async t => {
  const { producer, consumer } = ends(t, { capacity: 32, slotBytes: 64 })
  let [sent, received] = [0, 0]
  const send = (until: number): void => {
    for (; sent < until; sent++) t.ok(producer.tryPush(filled(64, sent)), `message ${sent} has room`)
  }
  const receive = (until: number): void => {
    for (; received < until; received++) t.same(consumer.tryPop(), filled(64, received), `message ${received} is whole`)
  }
  send(7)
  receive(7)
  t.equal(consumer.tryPop(), undefined, "so that seven are given back")
  send(33)
  receive(15) // A quarter more: fifteen are given back.
  // The last one comes to slots 8 to 15, of which the last is unread; until then the producer knows of seven.
  send(40)
  receive(40)
})

t.test("slots with sequence words and rings of less than four slots are never asked for", async t => {
  for (const options of [
    { capacity: 8, slotBytes: 56, form: "slot" },
    { capacity: 2, slotBytes: 64 },
  ] as const) {
    const { words, producer, consumer } = ends(t, options)
    for (let sent = 0; sent < 20; sent++) {
      const before = words.slice()
      producer.tryPush(filled(options.slotBytes, sent))
      const slots = Array.from(words.keys())
        .filter(at => words[at] !== before[at])
        .map(at => Math.floor(at / 16))
      t.same([...new Set(slots)], [sent % options.capacity], `message ${sent} writes its own slot alone`)
      consumer.tryPop()
    }
  }
})
