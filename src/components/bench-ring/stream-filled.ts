// stream-filled.ts: word i of message n holds n + i; JavaScript writes each into the slot, and checks each.

import type { RingConsumer, RingProducer } from "../runtime/index.ts"
import { claimed, type Part, peeked, refuseInterruption, STREAM_TIMEOUT_NS, type StreamWork } from "./stream-work.ts"

export function sendFilled(ring: RingProducer, f64: Float64Array, { count, batch }: StreamWork): void {
  const words = ring.staging.length / 8
  if (batch > 1) return sendBatches(ring, f64, count, batch)
  for (let sequence = 0; sequence < count; sequence++) {
    fill(f64, claimed(ring, sequence) / 8, words, sequence)
    ring.commit()
  }
}

function sendBatches(ring: RingProducer, f64: Float64Array, count: number, batch: number): void {
  const words = ring.staging.length / 8
  for (let sequence = 0; sequence < count; sequence += batch) {
    const size = Math.min(batch, count - sequence)
    while (ring.claimMany(size) === 0) refuseInterruption(ring.interruption(), sequence)
    for (let number = 0; number < size; number++) fill(f64, ring.slotAddress(number) / 8, words, sequence + number)
    ring.commitMany()
  }
}

function fill(f64: Float64Array, first: number, words: number, sequence: number): void {
  for (let word = 0; word < words; word++) f64[first + word] = sequence + word
}

export function receiveFilled(
  ring: RingConsumer,
  f64: Float64Array,
  { batch, inPlace }: StreamWork,
  { from, to }: Part,
): void {
  if (batch > 1) return receiveBatches(ring, f64, batch, { from, to })
  const receive = inPlace ? readInPlace(ring, f64) : popCopies(ring)
  for (let sequence = from; sequence < to; sequence++) receive(sequence)
}

function receiveBatches(ring: RingConsumer, f64: Float64Array, batch: number, { from, to }: Part): void {
  const words = ring.staging.length / 8
  for (let sequence = from; sequence < to; ) {
    const size = ring.peekMany(Math.min(batch, to - sequence))
    if (size === 0) {
      refuseInterruption(ring.interruption(), sequence)
      continue
    }
    for (let number = 0; number < size; number++) check(f64, ring.slotAddress(number) / 8, words, sequence++)
    ring.releaseMany()
  }
}

function popCopies(ring: RingConsumer): (sequence: number) => void {
  const message = new Float64Array(ring.staging.buffer, ring.staging.byteOffset, ring.staging.length / 8)
  return sequence => {
    const popped = ring.pop(STREAM_TIMEOUT_NS)
    if (typeof popped === "string") throw new Error(`Message ${sequence}: ${popped}`)
    check(message, 0, message.length, sequence)
  }
}

function readInPlace(ring: RingConsumer, f64: Float64Array): (sequence: number) => void {
  const words = ring.staging.length / 8
  return sequence => {
    check(f64, peeked(ring, sequence) / 8, words, sequence)
    ring.release()
  }
}

function check(message: Float64Array, first: number, words: number, sequence: number): void {
  for (let word = 0; word < words; word++) {
    if (message[first + word] !== sequence + word) {
      throw new Error(`Message ${sequence}, word ${word} is ${message[first + word]}`)
    }
  }
}
