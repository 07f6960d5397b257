// broadcast-sender.ts: a broadcast producer's private state, as the hot code finds it: what is the same for all consumers, and for
// each what its link says.

import { LINE_BYTES } from "../layout.ts"
import { statusWord } from "../ring-end.ts"
import type { Part } from "../ring-place.ts"
import type { VSpace } from "../vspace.ts"
import { type BroadcastHeader, type BroadcastLink, loadLong, policyNumber, readPolicy } from "./broadcast-place.ts"
import {
  BROADCAST_SLOTS,
  BROADCAST_WRITE_INDEX,
  LINK_ACCEPTED,
  LINK_ENDED,
  LINK_START,
  LINK_WAKE,
  SENDER_BYTES,
  SENDER_CAPACITY,
  SENDER_CONSUMERS,
  SENDER_INDEX,
  SENDER_INDEX_WORD,
  SENDER_LOOKING_AT,
  SENDER_OVERWRITES,
  SENDER_OWN,
  SENDER_SLOT_BYTES,
  SENDER_SLOTS,
  SENDER_STAGING,
  SENDER_STATUS_WORD,
  SENDER_TARGETS,
  TARGET_ABSENT,
  TARGET_ACCEPTED,
  TARGET_BYTES,
  TARGET_LINK,
  TARGET_PART,
  TARGET_POLICY,
  TARGET_PRESENT,
  TARGET_SEEN,
  TARGET_STATE,
  TARGET_STATUS_WORD,
  TARGET_WAKE,
} from "./words.ts"

/** One consumer as its producer sees it: the link writable, the part readable. */
export interface BroadcastTarget extends BroadcastLink {
  /** Address of the status word that tells about this consumer; none: nobody tells that it is gone. */
  readonly status?: number
  /** Address of the bells of its link. */
  readonly bell?: number
}

/**
 * Returns its address; the staging is at SENDER_STAGING.
 * @throws {RingError} NotEnoughMemory: no private memory is left. NotARing: a link that is none. {PageFault} it is not mapped
 */
export function makeSender(
  vspace: VSpace,
  producerPart: Part,
  header: BroadcastHeader,
  targets: readonly BroadcastTarget[],
  status: number,
): number {
  const policies = targets.map(({ link }) => policyNumber(readPolicy(vspace, link)))
  const statuses = targets.map(({ status }) => statusWord(vspace, status))

  const staging = vspace.allocatePrivate(header.slotBytes, LINE_BYTES)
  const state = vspace.allocatePrivate(SENDER_BYTES, LINE_BYTES)
  vspace.u64[(state + SENDER_INDEX) / 8] = loadLong(vspace, producerPart.address + BROADCAST_WRITE_INDEX)
  const set = (offset: number, value: number): void => {
    vspace.u32[(state + offset) / 4] = value
  }
  const fields = [
    [SENDER_CAPACITY, header.capacity],
    [SENDER_SLOT_BYTES, header.slotBytes],
    [SENDER_SLOTS, producerPart.address + BROADCAST_SLOTS],
    [SENDER_INDEX_WORD, producerPart.address + BROADCAST_WRITE_INDEX],
    [SENDER_STATUS_WORD, status],
    [SENDER_STAGING, staging],
    [SENDER_OVERWRITES, Number(header.overwrites)],
    [SENDER_CONSUMERS, targets.length],
    [SENDER_LOOKING_AT, SENDER_OWN],
  ] as const
  for (const [offset, value] of fields) set(offset, value)
  for (const [at, { link, consumerPart }] of targets.entries()) {
    const target = SENDER_TARGETS + at * TARGET_BYTES
    const accepted = vspace.loadWord(link.address + LINK_ACCEPTED)
    const takesPart = accepted !== 0 && vspace.loadWord(link.address + LINK_ENDED) !== accepted
    set(target + TARGET_LINK, link.address)
    set(target + TARGET_PART, consumerPart.address)
    set(target + TARGET_STATUS_WORD, statuses[at] as number)
    set(target + TARGET_POLICY, policies[at] as number)
    set(target + TARGET_ACCEPTED, accepted)
    set(target + TARGET_WAKE, vspace.loadWord(link.address + LINK_WAKE))
    set(target + TARGET_STATE, takesPart ? TARGET_PRESENT : TARGET_ABSENT)
    // At least this much it has read; how much more is looked up when it matters.
    vspace.u64[(state + target + TARGET_SEEN) / 8] = loadLong(vspace, link.address + LINK_START)
  }
  return state
}
