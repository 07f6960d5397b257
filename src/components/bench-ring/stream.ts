// stream.ts: one message after the other, published one by one or in batches; every word written by the sender and checked.

import type { LatencyGeometry } from "../plan/latency-steps.ts"
import {
  type FrameMapping,
  monotonicNs,
  type RingConsumer,
  type RingProducer,
  SharedRing,
  type VSpace,
} from "../runtime/index.ts"

export interface StreamWork {
  readonly count: number
  readonly batch: number
  /** Read in the slots, not by a copying pop. */
  readonly inPlace: boolean
}

const STREAM_TIMEOUT_NS = 5e9

/** Messages are written in place, in 8-byte words: word i of message n holds n + i. */
export function sendStream(
  vspace: VSpace,
  frame: FrameMapping,
  { there, ringBytes }: LatencyGeometry,
  { count, batch }: StreamWork,
): void {
  const ring = SharedRing.producer(vspace, there, ringBytes, { status: frame.status })
  const words = ring.staging.length / 8
  if (batch > 1) return sendBatches(ring, vspace.f64, words, count, batch)
  for (let sequence = 0; sequence < count; sequence++) {
    let address = ring.claim()
    while (address === 0) {
      refuseInterruption(ring.interruption(), sequence)
      address = ring.claim()
    }
    fill(vspace.f64, address / 8, words, sequence)
    ring.commit()
  }
}

function sendBatches(ring: RingProducer, f64: Float64Array, words: number, count: number, batch: number): void {
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

/** Returns messages a second, from the first to the last. */
export function receiveStream(
  vspace: VSpace,
  frame: FrameMapping,
  { there, ringBytes }: LatencyGeometry,
  { count, batch, inPlace }: StreamWork,
): number {
  const ring = SharedRing.consumer(vspace, there, ringBytes, { status: frame.status })
  if (batch > 1) return receiveBatches(ring, vspace.f64, count, batch)
  const receive = inPlace ? readInPlace(ring, vspace.f64) : popCopies(ring)
  receive(0)
  const begun = monotonicNs()
  for (let sequence = 1; sequence < count; sequence++) receive(sequence)
  return ((count - 1) * 1e9) / (monotonicNs() - begun)
}

function receiveBatches(ring: RingConsumer, f64: Float64Array, count: number, batch: number): number {
  const words = ring.staging.length / 8
  let begun = 0
  for (let sequence = 0; sequence < count; ) {
    const size = ring.peekMany(batch)
    if (size === 0) {
      refuseInterruption(ring.interruption(), sequence)
      continue
    }
    if (sequence === 0) begun = monotonicNs()
    for (let number = 0; number < size; number++) check(f64, ring.slotAddress(number) / 8, words, sequence++)
    ring.releaseMany()
  }
  return ((count - 1) * 1e9) / (monotonicNs() - begun)
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
    let address = ring.peek()
    while (address === 0) {
      refuseInterruption(ring.interruption(), sequence)
      address = ring.peek()
    }
    check(f64, address / 8, words, sequence)
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

function refuseInterruption(interruption: string | undefined, sequence: number): void {
  if (interruption !== undefined) throw new Error(`Message ${sequence}: ${interruption}`)
}
