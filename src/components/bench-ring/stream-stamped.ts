// stream-stamped.ts: a message in private memory gets its stamps and is pushed whole; whoever pops it checks both.

import { checkStamps, stamp, wordsOf } from "../../protocols/stamps.ts"
import type { RingConsumer, RingProducer } from "../runtime/index.ts"
import { type Part, STREAM_TIMEOUT_NS, type StreamWork } from "./stream-work.ts"

export function sendStamped(ring: RingProducer, { count, batch }: StreamWork): void {
  if (batch > 1) return sendBatches(ring, count, batch)
  const words = wordsOf(ring.staging)
  for (let sequence = 0; sequence < count; sequence++) {
    stamp(words, sequence)
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
      stamp(f64, sequence + number, number * stride, number * stride + stride - 1)
    }
    const outcome = ring.pushMany(size === batch ? messages : messages.subarray(0, size * bytes), STREAM_TIMEOUT_NS)
    if (outcome !== "pushed") throw new Error(`Message ${sequence}: ${outcome}`)
  }
}

export function receiveStamped(ring: RingConsumer, f64: Float64Array, { batch }: StreamWork, part: Part): void {
  if (batch > 1) return receiveBatches(ring, f64, batch, part)
  const words = wordsOf(ring.staging)
  for (let sequence = part.from; sequence < part.to; sequence++) {
    const message = ring.pop(STREAM_TIMEOUT_NS)
    if (typeof message === "string") throw new Error(`Message ${sequence}: ${message}`)
    checkStamps(words, sequence)
  }
}

function receiveBatches(ring: RingConsumer, f64: Float64Array, batch: number, { from, to }: Part): void {
  const stride = ring.staging.length / 8
  for (let sequence = from; sequence < to; ) {
    const messages = ring.popMany(Math.min(batch, to - sequence), STREAM_TIMEOUT_NS)
    if (typeof messages === "string") throw new Error(`Message ${sequence}: ${messages}`)
    const first = messages.byteOffset / 8
    const end = first + messages.length / 8
    for (let at = first; at < end; at += stride) checkStamps(f64, sequence++, at, at + stride - 1)
  }
}
