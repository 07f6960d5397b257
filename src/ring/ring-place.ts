// ring-place.ts: where a ring lies: in one frame that both ends write, or in two, of which each end writes its own.

import { RingError } from "./errors.ts"
import { LINE_BYTES, RING_CONSUMER_PART_BYTES } from "./layout.ts"
import { bytesNeeded, DEFAULT_FORM, producerPartBytes, readHeader, type Shape } from "./ring-header.ts"
import type { VSpace } from "./vspace.ts"

/** A frame as it is mapped here; its size comes from the kernel and not from a peer. */
export interface Part {
  /** A multiple of 128. */
  readonly address: number
  readonly bytes: number
}

/** The parts of a ring in two frames. The producer needs write on its own alone, and so does the consumer. */
export interface RingParts {
  /** Header, write index, slots. */
  readonly producerPart: Part
  /** Read index. */
  readonly consumerPart: Part
}

/** A validated ring: where its two parts are. They need not lie in one frame. */
export interface RingPlace extends Required<Shape> {
  readonly producerPart: number
  readonly consumerPart: number
}

/** One frame with the whole ring in it, or two. */
export type RingFrames = Part | RingParts

export function isSplit(frames: RingFrames): frames is RingParts {
  return "producerPart" in frames
}

/**
 * Where a ring that does not exist yet will lie.
 * @throws {RingError} RangeError, AlignmentError: a frame is too small, or not in the VSpace
 */
export function placeFor(
  vspace: VSpace,
  frames: RingFrames,
  { capacity, slotBytes, form = DEFAULT_FORM }: Shape,
): RingPlace {
  const geometry = { capacity, slotBytes, form }
  const what = form === "record" ? `records in ${capacity} bytes` : `${capacity} slots of ${slotBytes} bytes`
  const ensure = (name: string, { address, bytes }: Part, needed: number): void => {
    if (needed > bytes) {
      throw new RingError(
        "RangeError",
        `${name} is ${bytes}: ${what} need ${needed}; take a larger frame or a smaller ring`,
      )
    }
    vspace.checkRange("the ring's frame", address, bytes, LINE_BYTES)
  }
  if (!isSplit(frames)) {
    ensure("frameBytes", frames, bytesNeeded(geometry))
    return oneFrame(frames.address, geometry)
  }
  const { producerPart, consumerPart } = frames
  ensure("producerPart.bytes", producerPart, producerPartBytes(geometry))
  ensure("consumerPart.bytes", consumerPart, RING_CONSUMER_PART_BYTES)
  return { ...geometry, producerPart: producerPart.address, consumerPart: consumerPart.address }
}

/**
 * Where a ring lies by its header, which is validated.
 * @throws {RingError} NotARing: the header is not that of a ring in such a frame
 * @throws {RingError} RangeError, AlignmentError: a frame is not in the VSpace, or too small for its part
 */
export function placeOf(vspace: VSpace, frames: RingFrames, kind: "slots" | "records"): RingPlace {
  const { address, bytes } = isSplit(frames) ? frames.producerPart : frames
  vspace.checkRange("the ring's frame", address, bytes, LINE_BYTES)
  const geometry = readHeader(vspace, address, bytes, kind, isSplit(frames) ? producerPartBytes : bytesNeeded)
  return isSplit(frames) ? placeFor(vspace, frames, geometry) : oneFrame(address, geometry)
}

function oneFrame(address: number, geometry: Required<Shape>): RingPlace {
  return { ...geometry, producerPart: address, consumerPart: address + producerPartBytes(geometry) }
}
