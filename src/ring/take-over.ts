// take-over.ts: where an end begins when it attaches: where the one before it left off, dead or closed.

import { PeerMisbehaviorError, RingError } from "./errors.ts"
import {
  RECORD_ALIGN,
  RING_READ_HANDED,
  RING_READ_INDEX,
  RING_READ_PROGRESS,
  RING_SLOTS,
  RING_WRITE_INDEX,
} from "./layout.ts"
import { strideOf } from "./ring-header.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"

export interface Start {
  /** This end's index. */
  readonly index: number
  /** The peer's, as accepted; for a consumer of a ring with sequences its own. */
  readonly peerIndex: number
  /** The consumer's index as the producer knows it. */
  readonly released: number
  /** Messages that an earlier consumer was handed and did not release. */
  readonly redelivered: number
}

/**
 * Stores in the producer's part alone, and there only what a producer that died while publishing left unfinished.
 * @throws {PeerMisbehaviorError} the consumer's index is impossible
 */
export function producerStart(vspace: VSpace, place: RingPlace): Start {
  const released = vspace.loadWord(place.consumerPart + RING_READ_INDEX)
  let index = vspace.loadWord(place.producerPart + RING_WRITE_INDEX)
  if (place.form === "slot") index = unfinished(vspace, place, index)
  if ((index - released) >>> 0 > place.capacity) throw readMisbehaviour(released, index, place.capacity)
  return { index, peerIndex: released, released, redelivered: 0 }
}

/**
 * The index is stored after the sequence that publishes, so a producer may have died in between: what is published stays.
 * Behind it may stand sequences of a batch whose first was never stored: they must not show a message when that one is.
 */
function unfinished(vspace: VSpace, place: RingPlace, stored: number): number {
  const { capacity } = place
  const at = (index: number): number =>
    place.producerPart + RING_SLOTS + ((index & (capacity - 1)) >>> 0) * strideOf(place)
  const isThere = (index: number): boolean => vspace.loadWord(at(index)) === (index + 1) >>> 0
  let index = stored
  for (let looks = 0; looks < capacity && isThere(index); looks++) index++
  for (let stale = index + 1; stale < index + capacity && isThere(stale); stale++) {
    vspace.storeWord(at(stale), (stale + 1 - capacity) >>> 0)
  }
  return index >>> 0
}

/**
 * Stores nothing.
 * @throws {PeerMisbehaviorError} the producer's index is impossible
 * @throws {RingError} NotARing: an earlier consumer cannot have left these indices
 */
export function consumerStart(vspace: VSpace, place: RingPlace): Start {
  const { capacity, consumerPart } = place
  const released = vspace.loadWord(consumerPart + RING_READ_INDEX)
  const index = vspace.loadWord(consumerPart + RING_READ_PROGRESS)
  const handed = (vspace.loadWord(consumerPart + RING_READ_HANDED) - index) >>> 0
  for (const [name, count] of [
    ["released", (index - released) >>> 0],
    ["handed out", handed],
  ] as const) {
    if (count <= capacity) continue
    throw new RingError(
      "NotARing",
      `The ring's consumer part is not one: ${count} slots are ${name} there, which must be at most ${capacity}`,
    )
  }
  const peerIndex = place.form === "slot" ? index : vspace.loadWord(place.producerPart + RING_WRITE_INDEX)
  if ((peerIndex - index) >>> 0 > capacity) throw writeMisbehaviour(peerIndex, index, capacity)
  return { index, peerIndex, released, redelivered: handed }
}

/** @throws {RingError} NotARing: a ring of records is full of records, so its indices stand on their boundaries */
export function checkAligned({ index }: Start): void {
  if (index % RECORD_ALIGN === 0) return
  throw new RingError("NotARing", `The ring's own index is ${index}, which must be a multiple of ${RECORD_ALIGN}`)
}

export function readMisbehaviour(value: number, writeIndex: number, capacity: number): PeerMisbehaviorError {
  const limit = `at most writeIndex, ${writeIndex}, at least ${capacity} less, and never move back`
  return new PeerMisbehaviorError("consumer", "readIndex", value, limit)
}

export function writeMisbehaviour(value: number, readIndex: number, capacity: number): PeerMisbehaviorError {
  const limit = `at least readIndex, ${readIndex}, at most ${capacity} more, and never move back`
  return new PeerMisbehaviorError("producer", "writeIndex", value, limit)
}

export function headMisbehaviour(value: number, maxBytes: number): PeerMisbehaviorError {
  const limit = `a length from 1 to ${maxBytes} within what was published, or padding to the ring's end`
  return new PeerMisbehaviorError("producer", "a record's head", value, limit)
}

export function sequenceMisbehaviour(value: number): PeerMisbehaviorError {
  const limit = "the number of the slot's next message, that of the lap before, or 0"
  return new PeerMisbehaviorError("producer", "a slot's sequence", value, limit)
}
