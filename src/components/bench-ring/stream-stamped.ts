// stream-stamped.ts: a message in private memory gets its number in the first and the last word, and is pushed whole; whoever
// pops it checks both. What lies between travels as it is.

import type { RingConsumer, RingProducer } from "../runtime/index.ts"
import { type Part, STREAM_TIMEOUT_NS, type StreamWork } from "./stream.ts"

export function sendStamped(ring: RingProducer, { count, batch }: StreamWork): void {
  if (batch > 1) return sendBatches(ring, count, batch)
  const words = wordsOf(ring.staging)
  const last = words.length - 1
  for (let sequence = 0; sequence < count; sequence++) {
    words[0] = sequence
    words[last] = sequence
    const outcome = ring.push(undefined, STREAM_TIMEOUT_NS)
    if (outcome !== "pushed") throw new Error(`Message ${sequence}: ${outcome}`)
  }
}

function sendBatches(ring: RingProducer, count: number, batch: number): void {
  const bytes = ring.staging.length
  const messages = new Uint8Array(batch * bytes)
  const stride = bytes / 8
  const f64 = new Float64Array(messages.buffer)
  for (let sequence = 0; sequence < count; sequence += batch) {
    const size = Math.min(batch, count - sequence)
    for (let number = 0; number < size; number++) {
      f64[number * stride] = sequence + number
      f64[number * stride + stride - 1] = sequence + number
    }
    const outcome = ring.pushMany(size === batch ? messages : messages.subarray(0, size * bytes), STREAM_TIMEOUT_NS)
    if (outcome !== "pushed") throw new Error(`Message ${sequence}: ${outcome}`)
  }
}

export function receiveStamped(ring: RingConsumer, f64: Float64Array, { batch }: StreamWork, part: Part): void {
  if (batch > 1) return receiveBatches(ring, f64, batch, part)
  const words = wordsOf(ring.staging)
  const last = words.length - 1
  for (let sequence = part.from; sequence < part.to; sequence++) {
    const message = ring.pop(STREAM_TIMEOUT_NS)
    if (typeof message === "string") throw new Error(`Message ${sequence}: ${message}`)
    check(words[0], words[last], sequence)
  }
}

function receiveBatches(ring: RingConsumer, f64: Float64Array, batch: number, { from, to }: Part): void {
  const stride = ring.staging.length / 8
  for (let sequence = from; sequence < to; ) {
    const messages = ring.popMany(Math.min(batch, to - sequence), STREAM_TIMEOUT_NS)
    if (typeof messages === "string") throw new Error(`Message ${sequence}: ${messages}`)
    const first = messages.byteOffset / 8
    const end = first + messages.length / 8
    for (let at = first; at < end; at += stride) check(f64[at], f64[at + stride - 1], sequence++)
  }
}

function check(first: number | undefined, last: number | undefined, sequence: number): void {
  if (first === sequence && last === sequence) return
  throw new Error(`Message ${sequence} begins with ${first} and ends with ${last}`)
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): Float64Array {
  return new Float64Array(buffer, byteOffset, length / 8)
}
