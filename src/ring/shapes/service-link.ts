// service-link.ts: what a client and its server share: a ring of requests and a ring of replies, in two frames, of which each
// of the two writes one. And what stands in their slots.

import { ensureBytes, RingError } from "../errors.ts"
import { RING_CONSUMER_PART_BYTES } from "../layout.ts"
import { checkGeometry, producerPartBytes } from "../ring-header.ts"
import type { Part, RingParts } from "../ring-place.ts"
import { SharedRing } from "../shared-ring.ts"
import type { VSpace } from "../vspace.ts"
import type { EndOptions } from "../wait.ts"

export interface ServiceOptions {
  /** The longest request and the longest reply, 0 to 1 MiB - 8 bytes. */
  readonly requestBytes: number
  readonly replyBytes: number
  /** Calls of one client that may be under way at once: a power of two, 1 to 65,536. */
  readonly inFlight: number
}

/** The frame that the client writes and the one that the server writes, as they are mapped here. */
export interface ServiceFrames {
  readonly clientFrame: Part
  readonly serverFrame: Part
}

/** What belongs to the two ends that one side of a link has, where the kernel gave them. */
export interface LinkEnds {
  readonly requests: Pick<EndOptions, "bell" | "onClose">
  readonly replies: Pick<EndOptions, "bell" | "onClose">
}

/** In front of each payload: the call's number and the payload's length, 32 bits each. */
export const CALL_BYTES = 8
/**
 * A consumer gives slots back by quarters of the ring. With room for twice the calls under way a ring is never full, as long
 * as both ends keep to that number.
 */
const SLOTS_A_CALL = 2
const MAX_IN_FLIGHT = 65_536
/** In a reply's head instead of a length: no reply, but a server's word that it took over. */
const TAKEN_OVER = 0xffff_ffff

/** @throws {RingError} InvalidArgument: lengths or a number of calls that cannot be */
function ringsOf({ requestBytes, replyBytes, inFlight }: ServiceOptions) {
  for (const [name, bytes] of Object.entries({ requestBytes, replyBytes })) {
    if (!Number.isInteger(bytes) || bytes < 0) {
      throw new RingError("InvalidArgument", `${name} is ${bytes}, which must be an integer, 0 to 2^20 - ${CALL_BYTES}`)
    }
  }
  checkInFlight(inFlight)
  const ring = (bytes: number) => {
    const geometry = { capacity: SLOTS_A_CALL * inFlight, slotBytes: CALL_BYTES + Math.ceil(bytes / 8) * 8 }
    checkGeometry(geometry)
    return geometry
  }
  return { requests: ring(requestBytes), replies: ring(replyBytes) }
}

/** @throws {RingError} InvalidArgument */
export function checkInFlight(inFlight: number): void {
  const isWhole = Number.isInteger(inFlight) && inFlight >= 1 && inFlight <= MAX_IN_FLIGHT
  if (isWhole && (inFlight & (inFlight - 1)) === 0) return
  throw new RingError(
    "InvalidArgument",
    `inFlight is ${String(inFlight)}, which must be a power of two, 1 to ${MAX_IN_FLIGHT}`,
  )
}

/** Bytes of the two frames. @throws {RingError} InvalidArgument: lengths or a number of calls that cannot be */
export function serviceBytes(options: ServiceOptions): readonly [clientFrame: number, serverFrame: number] {
  const { requests, replies } = ringsOf(options)
  return [RING_CONSUMER_PART_BYTES + producerPartBytes(requests), RING_CONSUMER_PART_BYTES + producerPartBytes(replies)]
}

/** Makes both rings in zeroed frames. @throws as SharedRing.create */
export function createServiceLink(vspace: VSpace, frames: ServiceFrames, options: ServiceOptions): void {
  const { requests, replies } = ringsOf(options)
  SharedRing.create(vspace, requestRing(frames), requests)
  SharedRing.create(vspace, replyRing(frames), replies)
}

/** A frame holds its writer's consumer part, whose size is known before anything is read, and then its producer part. */
export function requestRing({ clientFrame, serverFrame }: ServiceFrames): RingParts {
  return { producerPart: rest(clientFrame), consumerPart: serverFrame }
}

export function replyRing({ clientFrame, serverFrame }: ServiceFrames): RingParts {
  return { producerPart: rest(serverFrame), consumerPart: clientFrame }
}

function rest({ address, bytes }: Part): Part {
  return { address: address + RING_CONSUMER_PART_BYTES, bytes: bytes - RING_CONSUMER_PART_BYTES }
}

/** @throws {RingError} InvalidArgument: no bytes. RangeError: the payload is longer than the slot takes */
export function ensureCall(staging: Uint8Array, payload: Uint8Array): void {
  ensureBytes("payload", payload)
  const room = staging.length - CALL_BYTES
  if (payload.length > room) {
    throw new RingError("RangeError", `The payload has ${payload.length} bytes: this side may send ${room}; split it`)
  }
}

/** Writes a call's head and payload into a producer's staging. @throws as ensureCall */
export function stageCall(staging: Uint8Array, call: number, payload: Uint8Array): void {
  ensureCall(staging, payload)
  const head = new DataView(staging.buffer, staging.byteOffset, CALL_BYTES)
  head.setUint32(0, call, true)
  head.setUint32(4, payload.length, true)
  staging.set(payload, CALL_BYTES)
}

/**
 * Writes into a slot of replies that its server goes on where another died: that one took all requests below `index`, modulo
 * 2^32, and whatever it had not answered, nobody will answer.
 */
export function writeTakeOver(vspace: VSpace, slot: number, index: number): void {
  const head = new DataView(vspace.u8.buffer, slot, CALL_BYTES)
  head.setUint32(0, index, true)
  head.setUint32(4, TAKEN_OVER, true)
}

/** The index that a server wrote by `writeTakeOver`; undefined where the message is a reply. */
export function readTakeOver(message: Uint8Array): number | undefined {
  const head = new DataView(message.buffer, message.byteOffset, CALL_BYTES)
  return head.getUint32(4, true) === TAKEN_OVER ? head.getUint32(0, true) : undefined
}

/** The number and payload of a call that was popped; undefined when its length is impossible. */
export function readCall(message: Uint8Array): { call: number; payload: Uint8Array } | undefined {
  const head = new DataView(message.buffer, message.byteOffset, CALL_BYTES)
  const bytes = head.getUint32(4, true)
  if (bytes > message.length - CALL_BYTES) return undefined
  return { call: head.getUint32(0, true), payload: message.subarray(CALL_BYTES, CALL_BYTES + bytes) }
}
