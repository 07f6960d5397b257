// stream-work.ts: what the streams of all payloads share: what is to be done, and how they wait for a slot.

import type { RingConsumer, RingProducer } from "../runtime/index.ts"

export interface StreamWork {
  readonly count: number
  readonly batch: number
  /** A filled one is read in the slots, not by a copying pop. */
  readonly inPlace: boolean
  /** A BenchPayload. */
  readonly payload: number
}

/** Messages from number `from` up to but not including `to`. */
export interface Part {
  readonly from: number
  readonly to: number
}

export const STREAM_TIMEOUT_NS = 5e9

/** The address of a free slot, which it waits for. @throws {Error} nobody reads any more */
export function claimed(ring: RingProducer, sequence: number): number {
  let address = ring.claim()
  while (address === 0) {
    refuseInterruption(ring.interruption(), sequence)
    address = ring.claim()
  }
  return address
}

/** The address of the next message, which it waits for. @throws {Error} nobody writes any more */
export function peeked(ring: RingConsumer, sequence: number): number {
  let address = ring.peek()
  while (address === 0) {
    refuseInterruption(ring.interruption(), sequence)
    address = ring.peek()
  }
  return address
}

/** @throws {Error} the wait did not end with what it was for */
export function refuseInterruption(interruption: string | undefined, sequence: number): void {
  if (interruption !== undefined) throw new Error(`Message ${sequence}: ${interruption}`)
}
