// shared-ring.ts: a single-producer single-consumer ring of fixed slots in a shared frame: create it, attach to it.

import { RingConsumer } from "./consumer.ts"
import { RingError } from "./errors.ts"
import { LINE_BYTES, RING_READ_INDEX, RING_WRITE_INDEX } from "./layout.ts"
import { RingProducer } from "./producer.ts"
import type { RingPlace } from "./ring-end.ts"
import {
  bytesNeeded,
  checkGeometry,
  claimHeader,
  type Geometry,
  producerPartBytes,
  publishHeader,
  readHeader,
} from "./ring-header.ts"
import type { VSpace } from "./vspace.ts"
import type { EndOptions } from "./wait.ts"

export interface RingOptions extends Geometry {
  /** Where both free-running indices start, 0 to 2^32 - 1. For tests of their overflow; by default 0. */
  readonly initialIndex?: number
}

export const SharedRing = {
  /**
   * Bytes of a frame that holds such a ring; the frame's own size is a multiple of the page size.
   * @throws {RingError} InvalidArgument: a capacity or slot size that no ring can have
   */
  bytesNeeded(geometry: Geometry): number {
    checkGeometry(geometry)
    return bytesNeeded(geometry)
  },

  /**
   * Makes a ring in an empty frame. Exactly one of the two ends, or their parent, does this; then both attach.
   *
   * @param address where the frame is mapped, writable; a multiple of 128
   * @param frameBytes its size, from the kernel and not from a peer
   * @throws {RingError} InvalidArgument: capacity, slot size or initial index that no ring can have
   * @throws {RingError} RangeError, AlignmentError: the frame is too small for the ring, or not in the VSpace
   * @throws {RingError} IllegalOperation: the frame's first word is not 0: it holds a ring already
   * @throws {PageFault} the frame is not mapped here, or read-only
   * Cost: under a microsecond; the slots are not touched.
   */
  create(vspace: VSpace, address: number, frameBytes: number, options: RingOptions): void {
    const { initialIndex = 0 } = options
    const needed = SharedRing.bytesNeeded(options)
    if (initialIndex !== initialIndex >>> 0) {
      throw new RingError(
        "InvalidArgument",
        `initialIndex is ${initialIndex}, which must be an integer, 0 to ${2 ** 32 - 1}`,
      )
    }
    if (needed > frameBytes) {
      const { capacity, slotBytes } = options
      throw new RingError(
        "RangeError",
        `frameBytes is ${frameBytes}: ${capacity} slots of ${slotBytes} bytes need ${needed}; use a larger frame`,
      )
    }
    vspace.checkRange("the ring's frame", address, frameBytes, LINE_BYTES)
    claimHeader(vspace, address)
    vspace.storeWord(address + RING_WRITE_INDEX, initialIndex)
    vspace.storeWord(address + producerPartBytes(options) + RING_READ_INDEX, initialIndex)
    publishHeader(vspace, address, options)
  },

  /**
   * Attaches as the producer. The header is validated now and never read again. A new producer goes on where one that
   * died left off.
   *
   * @param address where the frame is mapped here, readable and writable
   * @param frameBytes its size, from the kernel and not from a peer
   * @throws {RingError} NotARing: the header is not that of a ring in such a frame
   * @throws {RingError} RangeError, AlignmentError: the frame is not in the VSpace
   * @throws {RingError} NotEnoughMemory: no private memory is left for one more slot; an end keeps its memory for ever
   * @throws {PeerMisbehaviorError} the consumer's index is impossible
   * @throws {PageFault} the frame is not mapped here
   * Cost: a few microseconds.
   */
  producer(vspace: VSpace, address: number, frameBytes: number, options: EndOptions = {}): RingProducer {
    return new RingProducer(vspace, place(vspace, address, frameBytes), options)
  },

  /** Attaches as the consumer; otherwise as `producer`. */
  consumer(vspace: VSpace, address: number, frameBytes: number, options: EndOptions = {}): RingConsumer {
    return new RingConsumer(vspace, place(vspace, address, frameBytes), options)
  },
}

function place(vspace: VSpace, address: number, frameBytes: number): RingPlace {
  vspace.checkRange("the ring's frame", address, frameBytes, LINE_BYTES)
  const geometry = readHeader(vspace, address, frameBytes)
  return { ...geometry, producerPart: address, consumerPart: address + producerPartBytes(geometry) }
}
