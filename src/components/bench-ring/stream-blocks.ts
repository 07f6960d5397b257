// stream-blocks.ts: large messages, written and read in place: copied into the slot in one go, compared there in one go.
// Message n is n itself, then the words behind word n % 64 of a pattern that never repeats: what an earlier message left
// behind is not taken for this one's.

import type { RingConsumer, RingProducer, VSpace } from "../runtime/index.ts"
import { claimed, type Part, peeked, type StreamWork } from "./stream-work.ts"

const WORD_BYTES = 8
const SHIFTS = 64

export function sendBlocks(ring: RingProducer, vspace: VSpace, { count }: StreamWork): void {
  const bytes = ring.staging.length
  const pattern = patternFor(bytes)
  const source = vspace.allocatePrivate(pattern.length, WORD_BYTES)
  vspace.u8.set(pattern, source)
  for (let sequence = 0; sequence < count; sequence++) {
    const address = claimed(ring, sequence)
    vspace.f64[address / WORD_BYTES] = sequence
    vspace.copy(address + WORD_BYTES, source + (sequence % SHIFTS) * WORD_BYTES, bytes - WORD_BYTES)
    ring.commit()
  }
}

export function receiveBlocks(ring: RingConsumer, { u8, f64 }: VSpace, { from, to }: Part): void {
  const bytes = ring.staging.length
  const pattern = patternFor(bytes)
  const memory = Buffer.from(u8.buffer)
  for (let sequence = from; sequence < to; sequence++) {
    const address = peeked(ring, sequence)
    const start = (sequence % SHIFTS) * WORD_BYTES
    const isWhole =
      f64[address / WORD_BYTES] === sequence &&
      memory.compare(pattern, start, start + bytes - WORD_BYTES, address + WORD_BYTES, address + bytes) === 0
    if (!isWhole) throw new Error(`Message ${sequence} is not what was sent`)
    ring.release()
  }
}

function patternFor(bytes: number): Uint8Array {
  return new Uint8Array(Float64Array.from({ length: bytes / WORD_BYTES + SHIFTS }, (_, word) => word).buffer)
}
