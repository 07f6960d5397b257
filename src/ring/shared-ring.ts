// shared-ring.ts: a single-producer single-consumer ring of fixed slots in a shared frame: create it, attach to it.

import { RingConsumer } from "./consumer.ts"
import { RingError } from "./errors.ts"
import { RING_READ_HANDED, RING_READ_INDEX, RING_READ_PROGRESS, RING_SLOTS, RING_WRITE_INDEX } from "./layout.ts"
import { RingProducer } from "./producer.ts"
import { bytesNeeded, checkGeometry, claimHeader, type Geometry, publishHeader, strideOf } from "./ring-header.ts"
import { placeFor, placeOf, type RingFrames, type RingParts, type RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import type { EndOptions } from "./wait.ts"

export interface RingOptions extends Geometry {
  /** Where both free-running indices start, 0 to 2^32 - 1. For tests of their overflow; by default 0. */
  readonly initialIndex?: number
}

/**
 * Bytes of a frame that holds such a ring; the frame's own size is a multiple of the page size.
 * @throws {RingError} InvalidArgument: a capacity or slot size that no ring can have
 */
function bytesNeededChecked(geometry: Geometry): number {
  checkGeometry(geometry)
  return bytesNeeded(geometry)
}

/**
 * Makes a ring in an empty frame, or in two. Exactly one of the two ends, or their parent, does this; then both attach.
 *
 * @param address where the frame is mapped, writable; a multiple of 128. Or the two parts, both writable: so only a
 *   parent can make a ring of which each end writes its own part alone
 * @param frameBytes its size, from the kernel and not from a peer
 * @throws {RingError} InvalidArgument: capacity, slot size or initial index that no ring can have
 * @throws {RingError} RangeError, AlignmentError: a frame is too small for the ring, or not in the VSpace
 * @throws {RingError} IllegalOperation: the frame's first word is not 0: it holds a ring already
 * @throws {PageFault} a frame is not mapped here, or read-only
 * Cost: microseconds; of the slots at most one is touched.
 */
function create(vspace: VSpace, address: number, frameBytes: number, options: RingOptions): void
function create(vspace: VSpace, parts: RingParts, options: RingOptions): void
function create(vspace: VSpace, where: number | RingParts, ...rest: [number, RingOptions] | [RingOptions]): void {
  const [frames, options] = readArguments(where, rest)
  checkGeometry(options)
  const { initialIndex = 0 } = options
  if (initialIndex !== initialIndex >>> 0) {
    throw new RingError(
      "InvalidArgument",
      `initialIndex is ${initialIndex}, which must be an integer, 0 to ${2 ** 32 - 1}`,
    )
  }
  make(vspace, placeFor(vspace, frames, options), initialIndex)
}

/** @throws as create, of a ring of slots or of records */
export function make(vspace: VSpace, place: RingPlace, initialIndex: number): void {
  const { producerPart, consumerPart } = place
  claimHeader(vspace, producerPart)
  vspace.storeWord(producerPart + RING_WRITE_INDEX, initialIndex)
  for (const word of [RING_READ_INDEX, RING_READ_PROGRESS, RING_READ_HANDED]) {
    vspace.storeWord(consumerPart + word, initialIndex)
  }
  if (place.form === "slot") beginSequences(vspace, place, initialIndex)
  publishHeader(vspace, producerPart, place)
}

/** An empty slot's sequence is 0 in the first lap, save where 0 is what that lap's message will have. */
function beginSequences(vspace: VSpace, place: RingPlace, initialIndex: number): void {
  const { capacity, producerPart } = place
  const laps = (0xffff_ffff - initialIndex) >>> 0 < capacity
  if (laps) vspace.storeWord(producerPart + RING_SLOTS + (capacity - 1) * strideOf(place), -capacity)
}

/**
 * Attaches as the producer. The header is validated now and never read again. A new producer goes on where one that
 * died, or closed, left off: what was committed stays, what was only claimed never was.
 *
 * @param address where the frame is mapped here, readable and writable. Or the two parts: the producer's readable and
 *   writable, the consumer's readable; nothing is stored in the consumer's
 * @param frameBytes its size, from the kernel and not from a peer
 * @throws {RingError} NotARing: the header is not that of a ring in such a frame
 * @throws {RingError} RangeError, AlignmentError: a frame is not in the VSpace, or too small for its part
 * @throws {RingError} IllegalOperation: this process is the ring's producer already; close that one first
 * @throws {RingError} NotEnoughMemory: no private memory is left for one more slot; close an end, or use smaller slots
 * @throws {PeerMisbehaviorError} the consumer's index is impossible
 * @throws {PageFault} a frame is not mapped here
 * Cost: a few microseconds.
 */
const producer = attacher("slots", RingProducer)

/**
 * Attaches as the consumer, which stores in the consumer's part alone; otherwise as `producer`. A new consumer goes on
 * with the first message that was not released; `redelivered` tells how many of those had been handed out.
 */
const consumer = attacher("slots", RingConsumer)

export const SharedRing = { bytesNeeded: bytesNeededChecked, create, producer, consumer }

/** One end of a ring in one frame, or in two. */
export interface Attach<E> {
  (vspace: VSpace, address: number, frameBytes: number, options?: EndOptions): E
  (vspace: VSpace, parts: RingParts, options?: EndOptions): E
}

export function attacher<E>(
  kind: "slots" | "records",
  End: new (vspace: VSpace, place: RingPlace, options: EndOptions) => E,
): Attach<E> {
  return (
    vspace: VSpace,
    where: number | RingParts,
    ...rest: [number, (EndOptions | undefined)?] | [(EndOptions | undefined)?]
  ): E => {
    const [frames, options = {}] = readArguments(where, rest)
    return new End(vspace, placeOf(vspace, frames, kind), options)
  }
}

/** One frame takes two arguments, two parts take one; the options follow. */
export function readArguments<O>(
  where: number | RingParts,
  rest: [number, (O | undefined)?] | [(O | undefined)?],
): [RingFrames, O | undefined] {
  if (typeof where !== "number") return [where, rest[0] as O | undefined]
  return [{ address: where, bytes: rest[0] as number }, rest[1]]
}
