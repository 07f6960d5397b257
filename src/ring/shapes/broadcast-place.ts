// broadcast-place.ts: where a broadcast lies: its producer's part, and for each consumer a link that the producer writes and
// a part that this consumer writes; and the headers of those.

import { RingError } from "../errors.ts"
import { LINE_BYTES, RING_CREATING } from "../layout.ts"
import { checkGeometry, type Geometry } from "../ring-header.ts"
import type { Part } from "../ring-place.ts"
import type { VSpace } from "../vspace.ts"
import {
  BROADCAST_CAPACITY_WORD,
  BROADCAST_CONSUMERS_WORD,
  BROADCAST_LAYOUT_VERSION,
  BROADCAST_MAGIC,
  BROADCAST_OVERWRITES_WORD,
  BROADCAST_SLOT_BYTES_WORD,
  BROADCAST_SLOTS,
  BROADCAST_VERSION_WORD,
  BROADCAST_WRITE_INDEX,
  CONSUMER_PART_BYTES,
  CONSUMER_READ_INDEX,
  LINK_ACCEPTED,
  LINK_BYTES,
  LINK_POLICY_WORD,
  LINK_START,
  MAX_CONSUMERS,
  POLICY_BLOCK,
  POLICY_DISCONNECT,
  POLICY_DROP_OLDEST,
  SLOT_SEQUENCE_BYTES,
} from "./words.ts"

/** What happens to a consumer that has not read what the producer would overwrite. */
export type ConsumerPolicy = "block" | "drop-oldest" | "disconnect"

const POLICY_NUMBERS = {
  block: POLICY_BLOCK,
  "drop-oldest": POLICY_DROP_OLDEST,
  disconnect: POLICY_DISCONNECT,
} as const satisfies Record<ConsumerPolicy, number>
const POLICIES = Object.keys(POLICY_NUMBERS) as ConsumerPolicy[]

export interface BroadcastConsumerOptions {
  readonly policy: ConsumerPolicy
  /**
   * False: its first attach gets all messages, from the creation on, and a blocking one is waited for before it has come.
   * True: those that are sent after it has come, as for every later attach. By default false.
   */
  readonly late?: boolean
}

export interface BroadcastOptions extends Geometry {
  /** 1 to 63. */
  readonly consumers: readonly (ConsumerPolicy | BroadcastConsumerOptions)[]
  /** The number of the first message, 0 to 2^64 - 1. For tests of its overflow; by default 0. */
  readonly initialIndex?: bigint
}

/** What the producer and one consumer share. The link is written by the producer alone, the part by the consumer alone. */
export interface BroadcastLink {
  readonly link: Part
  readonly consumerPart: Part
}

/** A validated header. */
export interface BroadcastHeader extends Geometry {
  readonly consumers: number
  readonly overwrites: boolean
}

/** @throws {RingError} InvalidArgument: no ring has such slots */
export function broadcastPartBytes(geometry: Geometry): number {
  checkGeometry(geometry)
  return partBytes(geometry)
}

function partBytes({ capacity, slotBytes }: Geometry): number {
  const bytes = BROADCAST_SLOTS + capacity * (SLOT_SEQUENCE_BYTES + slotBytes)
  return Math.ceil(bytes / LINE_BYTES) * LINE_BYTES
}

/** @throws {RingError} InvalidArgument: not 1 to 63 */
export function checkConsumerCount(count: unknown): void {
  if (typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= MAX_CONSUMERS) return
  throw new RingError(
    "InvalidArgument",
    `consumers are ${String(count)}, which must be 1 to ${MAX_CONSUMERS}: their producer sleeps on 128 words, two for each`,
  )
}

/** @throws {RingError} InvalidArgument: not 1 to 63 consumers, or no such policy */
export function checkConsumers(consumers: BroadcastOptions["consumers"]): BroadcastConsumerOptions[] {
  checkConsumerCount(Array.isArray(consumers) ? consumers.length : consumers)
  return consumers.map(consumer => {
    const options = typeof consumer === "string" ? { policy: consumer } : consumer
    if (POLICIES.includes(options?.policy)) return options
    throw new RingError(
      "InvalidArgument",
      `policy is ${String(options?.policy)}, which must be one of ${POLICIES.join(", ")}`,
    )
  })
}

/**
 * Makes a broadcast in zeroed memory. A parent does this, to whom all of it is writable; then all ends attach.
 * @throws {RingError} InvalidArgument: slots, consumers or an initial index that cannot be
 * @throws {RingError} RangeError, AlignmentError: a part is too small, or not in the VSpace
 * @throws {RingError} IllegalOperation: the producer's part holds something already
 * @throws {PageFault} a part is not mapped here, or read-only
 */
export function createBroadcast(
  vspace: VSpace,
  producerPart: Part,
  links: readonly BroadcastLink[],
  options: BroadcastOptions,
): void {
  const { capacity, slotBytes, initialIndex = 0n } = options
  const consumers = checkConsumers(options.consumers)
  if (initialIndex !== BigInt.asUintN(64, initialIndex)) {
    throw new RingError("InvalidArgument", `initialIndex is ${initialIndex}, which must be 0 to 2^64 - 1`)
  }
  if (links.length !== consumers.length) {
    throw new RingError("InvalidArgument", `links are ${links.length}, one for each of ${consumers.length} consumers`)
  }
  ensure(vspace, "the producer's part", producerPart, broadcastPartBytes(options))
  for (const link of links) checkLink(vspace, link)

  const found = vspace.compareExchangeWord(producerPart.address, 0, RING_CREATING)
  if (found !== 0) {
    throw new RingError(
      "IllegalOperation",
      `The frame at ${producerPart.address} holds 0x${found.toString(16)} in its first word, which must be 0; take a new one`,
    )
  }
  const storeIndex = (address: number): void => {
    vspace.storeWord(address, Number(initialIndex & 0xffff_ffffn))
    vspace.storeWord(address + 4, Number(initialIndex >> 32n))
  }
  storeIndex(producerPart.address + BROADCAST_WRITE_INDEX)
  for (const [at, { link, consumerPart }] of links.entries()) {
    const { policy, late = false } = consumers[at] as BroadcastConsumerOptions
    storeIndex(consumerPart.address + CONSUMER_READ_INDEX)
    storeIndex(link.address + LINK_START)
    vspace.storeWord(link.address + LINK_ACCEPTED, late ? 0 : 1)
    vspace.storeWord(link.address + LINK_POLICY_WORD, POLICY_NUMBERS[policy])
  }
  const overwrites = consumers.some(({ policy }) => policy !== "block")
  vspace.storeWord(producerPart.address + BROADCAST_VERSION_WORD, BROADCAST_LAYOUT_VERSION)
  vspace.storeWord(producerPart.address + BROADCAST_CAPACITY_WORD, capacity)
  vspace.storeWord(producerPart.address + BROADCAST_SLOT_BYTES_WORD, slotBytes)
  vspace.storeWord(producerPart.address + BROADCAST_CONSUMERS_WORD, consumers.length)
  vspace.storeWord(producerPart.address + BROADCAST_OVERWRITES_WORD, overwrites ? 1 : 0)
  // ORDER broadcast-header: all that was written before is visible to readBroadcast(), which loads the magic.
  vspace.storeWord(producerPart.address, BROADCAST_MAGIC)
}

/**
 * Reads the header, each word once, and validates it against the memory it stands in.
 * @throws {RingError} NotARing: it is not a broadcast's. RangeError, AlignmentError: it is not in the VSpace
 */
export function readBroadcast(vspace: VSpace, part: Part): BroadcastHeader {
  vspace.checkRange("the broadcast's frame", part.address, part.bytes, LINE_BYTES)
  // ORDER broadcast-header: sees all that createBroadcast() wrote before it stored the magic.
  const magic = vspace.loadWord(part.address)
  if (magic !== BROADCAST_MAGIC) refuse(part, "magic", magic, `${BROADCAST_MAGIC}; create the broadcast first`)
  const version = vspace.loadWord(part.address + BROADCAST_VERSION_WORD)
  if (version !== BROADCAST_LAYOUT_VERSION) refuse(part, "layout version", version, `${BROADCAST_LAYOUT_VERSION}`)
  const capacity = vspace.loadWord(part.address + BROADCAST_CAPACITY_WORD)
  const slotBytes = vspace.loadWord(part.address + BROADCAST_SLOT_BYTES_WORD)
  const consumers = vspace.loadWord(part.address + BROADCAST_CONSUMERS_WORD)
  const overwrites = vspace.loadWord(part.address + BROADCAST_OVERWRITES_WORD)
  try {
    checkGeometry({ capacity, slotBytes })
  } catch (cause) {
    throw new RingError("NotARing", `The frame at ${part.address} is not a broadcast's`, { cause })
  }
  if (consumers < 1 || consumers > MAX_CONSUMERS) refuse(part, "consumers", consumers, `1 to ${MAX_CONSUMERS}`)
  const bytes = partBytes({ capacity, slotBytes })
  if (bytes > part.bytes) refuse(part, "size by its header", bytes, `at most the frame's ${part.bytes} bytes`)
  return { capacity, slotBytes, consumers, overwrites: overwrites !== 0 }
}

/** @throws {RingError} NotARing: a link that no createBroadcast() made */
export function readPolicy(vspace: VSpace, link: Part): ConsumerPolicy {
  const number = vspace.loadWord(link.address + LINK_POLICY_WORD)
  const policy = POLICIES.find(name => POLICY_NUMBERS[name] === number)
  return policy ?? refuse(link, "policy", number, `1 to ${POLICIES.length}`)
}

export function policyNumber(policy: ConsumerPolicy): number {
  return POLICY_NUMBERS[policy]
}

/** @throws {RingError} RangeError, AlignmentError: too small, or not in the VSpace */
export function checkLink(vspace: VSpace, { link, consumerPart }: BroadcastLink): void {
  ensure(vspace, "a consumer's link", link, LINK_BYTES)
  ensure(vspace, "a consumer's part", consumerPart, CONSUMER_PART_BYTES)
}

/** A 64-bit shared word. @throws {PageFault} it is not mapped here */
export function loadLong(vspace: VSpace, address: number): bigint {
  try {
    return BigInt.asUintN(64, vspace.hot.loadLane(address))
  } catch (error) {
    throw vspace.faultOf(error)
  }
}

function ensure(vspace: VSpace, what: string, { address, bytes }: Part, needed: number): void {
  if (bytes < needed) throw new RingError("RangeError", `${what} has ${bytes} bytes, and needs ${needed}`)
  vspace.checkRange(what, address, bytes, LINE_BYTES)
}

function refuse({ address }: Part, what: string, value: number, limit: string): never {
  throw new RingError(
    "NotARing",
    `The frame at ${address} is not a broadcast's: its ${what} is ${value}, which must be ${limit}`,
  )
}
