// record-ring.ts: a single-producer single-consumer ring of records of any length: create it, attach to it.

import { ensureOptions, RingError } from "./errors.ts"
import { RECORD_ALIGN } from "./layout.ts"
import { RecordConsumer } from "./record-consumer.ts"
import { RecordProducer } from "./record-producer.ts"
import { bytesNeeded, checkRecordCapacity, maxRecordBytes, producerPartBytes, type Shape } from "./ring-header.ts"
import { placeFor, type RingParts } from "./ring-place.ts"
import { attacher, make, readArguments } from "./shared-ring.ts"
import type { VSpace } from "./vspace.ts"

export interface RecordRingOptions {
  /** Bytes for records and their heads of 8: a power of two, 64 to 2^29. A record may take up half of it. */
  readonly capacityBytes: number
  /** Where both free-running indices start: a multiple of 8, 0 to 2^32 - 8. For tests; by default 0. */
  readonly initialIndex?: number
}

const NEEDED = "capacityBytes"

function shapeOf(options: RecordRingOptions): Shape {
  ensureOptions(options, NEEDED)
  const { capacityBytes } = options
  checkRecordCapacity(capacityBytes)
  return { capacity: capacityBytes, slotBytes: maxRecordBytes(capacityBytes), form: "record" }
}

/**
 * Makes a ring of records in an empty frame, or in two; otherwise as SharedRing.create.
 * @throws {RingError} InvalidArgument: a capacity or initial index that no such ring can have
 */
function create(vspace: VSpace, address: number, frameBytes: number, options: RecordRingOptions): void
function create(vspace: VSpace, parts: RingParts, options: RecordRingOptions): void
function create(
  vspace: VSpace,
  where: number | RingParts,
  ...rest: [number, RecordRingOptions] | [RecordRingOptions]
): void {
  const [frames, options] = readArguments(where, rest)
  ensureOptions(options, NEEDED)
  const { initialIndex = 0 } = options
  const shape = shapeOf(options)
  if (initialIndex !== initialIndex >>> 0 || initialIndex % RECORD_ALIGN !== 0) {
    throw new RingError(
      "InvalidArgument",
      `initialIndex is ${initialIndex}, which must be a multiple of ${RECORD_ALIGN}, 0 to ${2 ** 32 - RECORD_ALIGN}`,
    )
  }
  make(vspace, placeFor(vspace, frames, shape), initialIndex)
}

/** Attaches as the producer of records; otherwise as SharedRing.producer. */
const producer = attacher("records", RecordProducer)

/** Attaches as the consumer of records; otherwise as SharedRing.consumer. */
const consumer = attacher("records", RecordConsumer)

export const RecordRing = {
  /** Bytes of a frame that holds such a ring. @throws {RingError} InvalidArgument */
  bytesNeeded: (options: RecordRingOptions): number => bytesNeeded(shapeOf(options)),
  /** Bytes of the producer's part alone, where the ring lies in two frames. @throws {RingError} InvalidArgument */
  producerPartBytes: (options: RecordRingOptions): number => producerPartBytes(shapeOf(options)),
  create,
  producer,
  consumer,
}
