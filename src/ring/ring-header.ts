// ring-header.ts: a ring's geometry: what is allowed, how much memory it needs, and its header in shared memory.

import { ensureOptions, RingError } from "./errors.ts"
import {
  CACHE_LINE_BYTES,
  FORM_INDEX,
  FORM_RECORD,
  FORM_SLOT,
  LINE_BYTES,
  RECORD_HEAD_BYTES,
  RING_CAPACITY_WORD,
  RING_CONSUMER_PART_BYTES,
  RING_CREATING,
  RING_FORM_WORD,
  RING_LAYOUT_VERSION,
  RING_MAGIC,
  RING_MAGIC_WORD,
  RING_SLOT_BYTES_WORD,
  RING_SLOTS,
  RING_STRIDE_WORD,
  RING_VERSION_WORD,
  SLOT_HEAD_BYTES,
} from "./layout.ts"
import type { VSpace } from "./vspace.ts"

export const MAX_CAPACITY = 1 << 20
export const MAX_SLOT_BYTES = 1 << 20
const SLOT_ALIGN = 8
const MIN_RECORD_CAPACITY = 64
const MAX_RECORD_CAPACITY = 1 << 29
const RECORD_CAPACITY_LIMIT = `a power of two, ${MIN_RECORD_CAPACITY} to ${MAX_RECORD_CAPACITY} bytes`

/** What says that a message is there: an index word for the whole ring, or a sequence word in front of each payload. */
export type RingForm = "index" | "slot"

export interface Geometry {
  /** Slots: a power of two, 1 to 2^20. All of them are usable. */
  readonly capacity: number
  /** Bytes of a message: a multiple of 8, 8 to 1 MiB. */
  readonly slotBytes: number
  /**
   * "index": slots are dense, and a message moves two cache lines at least. "slot": one line moves for a message of up
   * to 56 bytes; slots are 8 bytes longer and padded to lines. By default DEFAULT_FORM; see decision 0015.
   */
  readonly form?: RingForm
}

/** What stands in a header: of a ring of records the capacity is in bytes, and slotBytes what one record may have. */
export interface Shape extends Omit<Geometry, "form"> {
  readonly form?: RingForm | "record"
}

export const DEFAULT_FORM: RingForm = "index"
const FORMS = { index: FORM_INDEX, slot: FORM_SLOT, record: FORM_RECORD } as const

/** Bytes from one slot to the next. A slot with a sequence word lies across no more lines than it needs. */
export function strideOf({ slotBytes, form = DEFAULT_FORM }: Shape): number {
  if (form === "record") return 1
  if (form === "index") return slotBytes
  const bytes = slotBytes + SLOT_HEAD_BYTES
  let unit = 2 * SLOT_HEAD_BYTES
  while (unit < CACHE_LINE_BYTES && unit < bytes) unit *= 2
  return Math.ceil(bytes / unit) * unit
}

/** Bytes of the producer's part: header, write index, slots. The consumer's part follows it in the one-frame form. */
export function producerPartBytes(geometry: Shape): number {
  return Math.ceil((RING_SLOTS + geometry.capacity * strideOf(geometry)) / LINE_BYTES) * LINE_BYTES
}

/** Bytes of a frame that holds the whole ring. */
export function bytesNeeded(geometry: Shape): number {
  return producerPartBytes(geometry) + RING_CONSUMER_PART_BYTES
}

/** @throws {RingError} InvalidArgument: a capacity or slot size that no ring can have */
export function checkGeometry(geometry: Geometry | undefined): asserts geometry is Geometry {
  ensureOptions(geometry, "capacity and slotBytes")
  const { capacity, slotBytes, form = DEFAULT_FORM } = geometry
  if (!isCapacity(capacity)) {
    throw new RingError(
      "InvalidArgument",
      `capacity is ${capacity}, which must be a power of two, 1 to ${MAX_CAPACITY}`,
    )
  }
  if (!isSlotBytes(slotBytes)) {
    throw new RingError(
      "InvalidArgument",
      `slotBytes is ${slotBytes}, which must be a multiple of ${SLOT_ALIGN}, ${SLOT_ALIGN} to ${MAX_SLOT_BYTES}`,
    )
  }
  if (!Object.hasOwn(FORMS, form))
    throw new RingError("InvalidArgument", `form is ${form}, which must be index or slot`)
}

/**
 * Marks the frame as taken by a creator. Of two at once one wins.
 * @throws {RingError} IllegalOperation: the frame holds a ring, or anything else, at its start
 */
export function claimHeader(vspace: VSpace, address: number): void {
  const found = vspace.compareExchangeWord(address + RING_MAGIC_WORD, 0, RING_CREATING)
  if (found === 0) return
  const what =
    found === RING_MAGIC || found === RING_CREATING ? "a ring already" : `0x${found.toString(16)} in its first word`
  throw new RingError(
    "IllegalOperation",
    `The frame at ${address} holds ${what}, which must be 0 before create(); attach to it, or take a new frame`,
  )
}

/** Writes the header; the magic last, so that whoever sees it sees the rest. */
export function publishHeader(vspace: VSpace, address: number, geometry: Shape): void {
  const { capacity, slotBytes, form = DEFAULT_FORM } = geometry
  vspace.storeWord(address + RING_VERSION_WORD, RING_LAYOUT_VERSION)
  vspace.storeWord(address + RING_CAPACITY_WORD, capacity)
  vspace.storeWord(address + RING_SLOT_BYTES_WORD, slotBytes)
  vspace.storeWord(address + RING_STRIDE_WORD, strideOf(geometry))
  vspace.storeWord(address + RING_FORM_WORD, FORMS[form])
  // ORDER ring-header: header and indices written before this store are visible to readHeader(), which loads the magic.
  vspace.storeWord(address + RING_MAGIC_WORD, RING_MAGIC)
}

/**
 * Reads the header, each word once, and validates it against the frame it stands in.
 * @param kind what ring the caller attaches to
 * @param needed what a ring of that shape takes up of the frame
 * @throws {RingError} NotARing: naming the word that no ring of this layout, in a frame of this size, can have
 */
export function readHeader(
  vspace: VSpace,
  address: number,
  frameBytes: number,
  kind: "slots" | "records",
  needed: (shape: Shape) => number,
): Required<Shape> {
  // ORDER ring-header: sees the header and indices that were written before publishHeader() stored the magic.
  const magic = vspace.loadWord(address + RING_MAGIC_WORD)
  if (magic === RING_CREATING)
    refuse(address, "magic", magic, "published: its creator has not finished; attach after it has")
  if (magic !== RING_MAGIC) refuse(address, "magic", magic, `0x${RING_MAGIC.toString(16)}; create the ring first`)
  const version = vspace.loadWord(address + RING_VERSION_WORD)
  if (version !== RING_LAYOUT_VERSION)
    refuse(address, "layout version", version, `${RING_LAYOUT_VERSION}; use one build`)
  const form = readForm(vspace, address, kind)
  const capacity = vspace.loadWord(address + RING_CAPACITY_WORD)
  const slotBytes = vspace.loadWord(address + RING_SLOT_BYTES_WORD)
  if (form === "record") {
    if (!isRecordCapacity(capacity)) refuse(address, "capacity", capacity, RECORD_CAPACITY_LIMIT)
    if (slotBytes !== maxRecordBytes(capacity))
      refuse(address, "slotBytes", slotBytes, `${maxRecordBytes(capacity)}, by its capacity`)
  } else {
    if (!isCapacity(capacity)) refuse(address, "capacity", capacity, `a power of two, 1 to ${MAX_CAPACITY}`)
    if (!isSlotBytes(slotBytes))
      refuse(address, "slotBytes", slotBytes, `a multiple of ${SLOT_ALIGN}, up to ${MAX_SLOT_BYTES}`)
  }
  const shape = { capacity, slotBytes, form }
  const stride = vspace.loadWord(address + RING_STRIDE_WORD)
  if (stride !== strideOf(shape)) refuse(address, "stride", stride, `${strideOf(shape)}, by slotBytes and form`)
  const bytes = needed(shape)
  if (bytes > frameBytes) refuse(address, "size by its header", bytes, `at most the frame's ${frameBytes} bytes`)
  return shape
}

function readForm(vspace: VSpace, address: number, kind: "slots" | "records"): RingForm | "record" {
  const number = vspace.loadWord(address + RING_FORM_WORD)
  const form = (Object.keys(FORMS) as (keyof typeof FORMS)[]).find(name => FORMS[name] === number)
  if (form === undefined || (form === "record") !== (kind === "records")) {
    const allowed = `${FORM_INDEX}, index, or ${FORM_SLOT}, slot; for ${FORM_RECORD}, records, use RecordRing`
    refuse(address, "form", number, kind === "records" ? `${FORM_RECORD}, records; for others use SharedRing` : allowed)
  }
  return form
}

function refuse(address: number, what: string, value: number, limit: string): never {
  const text = what === "magic" ? `0x${value.toString(16)}` : `${value}`
  throw new RingError(
    "NotARing",
    `The frame at ${address} is not a ring's: its ${what} is ${text}, which must be ${limit}`,
  )
}

/** What a record may have beside its head: with it at most half the ring, so that it fits wherever the index stands. */
export function maxRecordBytes(capacityBytes: number): number {
  return capacityBytes / 2 - RECORD_HEAD_BYTES
}

/** @throws {RingError} InvalidArgument: a size that no ring of records can have */
export function checkRecordCapacity(capacityBytes: number): void {
  if (isRecordCapacity(capacityBytes)) return
  throw new RingError("InvalidArgument", `capacityBytes is ${capacityBytes}, which must be ${RECORD_CAPACITY_LIMIT}`)
}

function isRecordCapacity(value: number): boolean {
  return (
    Number.isInteger(value) &&
    value >= MIN_RECORD_CAPACITY &&
    value <= MAX_RECORD_CAPACITY &&
    (value & (value - 1)) === 0
  )
}

function isCapacity(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_CAPACITY && (value & (value - 1)) === 0
}

function isSlotBytes(value: number): boolean {
  return value >= SLOT_ALIGN && value <= MAX_SLOT_BYTES && value % SLOT_ALIGN === 0
}
