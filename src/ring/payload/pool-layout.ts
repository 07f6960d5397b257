// pool-layout.ts: a frame pool in shared memory: the header, a mark for each buffer, and the buffers, all written by the
// sender; the loans, a word for each buffer, written by the receiver.

import { ensureOptions, RingError } from "../errors.ts"
import type { Part } from "../ring-place.ts"
import type { VSpace } from "../vspace.ts"

export interface PoolGeometry {
  /** Payloads that can be under way or on loan at a time: 1 to 1,024. */
  readonly buffers: number
  /** Bytes of the largest payload: 1 to 64 MiB. */
  readonly bufferBytes: number
}

export const MAX_BUFFERS = 1_024
export const MAX_BUFFER_BYTES = 64 * 1024 * 1024

/** Payloads that a stream holds unless told otherwise: of 64 MiB even a few are much. */
export const STREAMED = 1

/** "KPOL" */
const MAGIC = 0x4c4f504b
const MAGIC_WORD = 0
const BUFFERS_WORD = 4
const BUFFER_BYTES_WORD = 8
const MARKS = 64
/** Buffers begin on pages, so that one of many pages crosses no more of them than it needs. */
const ALIGN_BYTES = 4_096

/** A descriptor, which travels to the receiver: buffer, bytes, mark; 32 bits each, the fourth word is 0. */
export const DESCRIPTOR_BYTES = 16
/** What comes back: buffer, mark. */
export const RETURN_BYTES = 8

/** @throws {RingError} InvalidArgument: a geometry that no pool can have */
export function checkPoolGeometry(geometry: PoolGeometry): void {
  ensureOptions(geometry, "buffers and bufferBytes")
  const { buffers, bufferBytes } = geometry
  const ensure = (name: string, value: number, limit: number): void => {
    if (Number.isInteger(value) && value >= 1 && value <= limit) return
    throw new RingError("InvalidArgument", `${name} is ${value}, which must be a whole number, 1 to ${limit}`)
  }
  ensure("buffers", buffers, MAX_BUFFERS)
  ensure("bufferBytes", bufferBytes, MAX_BUFFER_BYTES)
}

/** Slots of the descriptors' ring: none can find it full, also where a quarter of it has been read and not given back. */
export function descriptorSlots({ buffers }: PoolGeometry): number {
  return powerOfTwo(2 * buffers)
}

/** Slots of the returns' ring, likewise: each buffer once, and once more after a receiver's death. */
export function returnSlots({ buffers }: PoolGeometry): number {
  return powerOfTwo(4 * buffers)
}

/** Bytes of the frame that the sender writes. */
export function poolBytes(geometry: PoolGeometry): number {
  return buffersStart(geometry) + geometry.buffers * strideOf(geometry)
}

/** Bytes of the frame that the receiver writes. */
export function loansBytes({ buffers }: PoolGeometry): number {
  return buffers * 4
}

export function markAddress(pool: number, buffer: number): number {
  return pool + MARKS + buffer * 4
}

export function bufferAddress(pool: number, geometry: PoolGeometry, buffer: number): number {
  return pool + buffersStart(geometry) + buffer * strideOf(geometry)
}

export function loanAddress(loans: number, buffer: number): number {
  return loans + buffer * 4
}

/** Writes the header into an empty frame. The sender and the receiver attach afterwards. */
export function createPool(vspace: VSpace, address: number, geometry: PoolGeometry): void {
  vspace.storeWord(address + BUFFERS_WORD, geometry.buffers)
  vspace.storeWord(address + BUFFER_BYTES_WORD, geometry.bufferBytes)
  vspace.storeWord(address + MAGIC_WORD, MAGIC)
}

/**
 * Reads the header, each word once, and validates it against the frame.
 * @throws {RingError} NotARing: it is not that of a pool in such a frame
 */
export function readPool(vspace: VSpace, { address, bytes }: Part): PoolGeometry {
  const magic = vspace.loadWord(address + MAGIC_WORD)
  const geometry = {
    buffers: vspace.loadWord(address + BUFFERS_WORD),
    bufferBytes: vspace.loadWord(address + BUFFER_BYTES_WORD),
  }
  const { buffers, bufferBytes } = geometry
  const isPool =
    magic === MAGIC && buffers >= 1 && buffers <= MAX_BUFFERS && bufferBytes >= 1 && bufferBytes <= MAX_BUFFER_BYTES
  if (isPool && poolBytes(geometry) <= bytes) return geometry
  throw new RingError(
    "NotARing",
    `The frame at ${address}, ${bytes} bytes, is no frame pool: its header says magic 0x${magic.toString(16)}, ` +
      `${buffers} buffers of ${bufferBytes} bytes; create the pool first`,
  )
}

function buffersStart({ buffers }: PoolGeometry): number {
  return roundUp(MARKS + buffers * 4)
}

function strideOf({ bufferBytes }: PoolGeometry): number {
  return roundUp(bufferBytes)
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGN_BYTES) * ALIGN_BYTES
}

function powerOfTwo(atLeast: number): number {
  return 2 ** Math.ceil(Math.log2(atLeast))
}
