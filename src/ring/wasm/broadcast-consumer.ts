// broadcast-consumer.ts: one of the consumers of a broadcast. `receiver` is the address of its private state (RECEIVER_ in
// ../shapes/words.ts).

import {
  BROADCAST_CLOSED,
  BROADCAST_WRITE_INDEX,
  CONSUMER_LOST,
  CONSUMER_READ_INDEX,
  LINK_ACCEPTED,
  LINK_ENDED,
  LINK_PRODUCER_SLEEP,
  LINK_START,
  POLICY_BLOCK,
  POLICY_DROP_OLDEST,
  RECEIVER_ATTACH,
  RECEIVER_CAPACITY,
  RECEIVER_INDEX,
  RECEIVER_JOINED,
  RECEIVER_LINK,
  RECEIVER_LOST,
  RECEIVER_PART,
  RECEIVER_POLICY,
  RECEIVER_RECEIVED,
  RECEIVER_REFUSED,
  RECEIVER_SLOT_BYTES,
  RECEIVER_SLOTS,
  RECEIVER_STAGING,
  RECEIVER_STATUS_WORD,
  RECEIVER_WOKEN,
  RECEIVER_WRITE_WORD,
  RESULT_DISCONNECTED,
  SLOT_SEQUENCE_BYTES,
} from "../shapes/words"
import { RESULT_CLOSED, RESULT_DONE, RESULT_DONE_WAKE, RESULT_MISBEHAVED, RESULT_NONE, RESULT_STOPPED } from "../words"
import { copyIn } from "./atomic-copy"
import { sequencedSlotAt } from "./broadcast-producer"
import { mustWake } from "./sleep"
import { copy } from "./slot"
import { mayCome } from "./status"

const CLOSED_AFTER_INDEX: usize = BROADCAST_CLOSED - BROADCAST_WRITE_INDEX

/** Slots in a row that may be overwritten while they are read, before one call gives up. */
const CHASES: u32 = 16

/** True once the producer has accepted this attach; then the index is that of the first message for it. */
function joined(receiver: usize): bool {
  if (load<u32>(receiver, RECEIVER_JOINED) != 0) return true
  const link = load<u32>(receiver, RECEIVER_LINK)
  // ORDER broadcast-join: sees the start that was stored before this number.
  if (atomic.load<u32>(link, LINK_ACCEPTED) != load<u32>(receiver, RECEIVER_ATTACH)) return false
  const start = atomic.load<u64>(link, LINK_START)
  store<u64>(receiver, start, RECEIVER_INDEX)
  atomic.store<u64>(load<u32>(receiver, RECEIVER_PART), start, CONSUMER_READ_INDEX)
  store<u32>(receiver, 1, RECEIVER_JOINED)
  return true
}

function isEnded(receiver: usize): bool {
  // ORDER broadcast-ended: before and after the reads of a slot; the producer stores it before it overwrites one.
  return atomic.load<u32>(load<u32>(receiver, RECEIVER_LINK), LINK_ENDED) == load<u32>(receiver, RECEIVER_ATTACH)
}

function misbehaved(receiver: usize, writeIndex: u64): u32 {
  store<u64>(receiver, writeIndex, RECEIVER_REFUSED)
  return RESULT_MISBEHAVED
}

function slotOf(receiver: usize, index: u64): usize {
  const bytes = load<u32>(receiver, RECEIVER_SLOT_BYTES)
  return sequencedSlotAt(load<u32>(receiver, RECEIVER_SLOTS), load<u32>(receiver, RECEIVER_CAPACITY), bytes, index)
}

/** Copies message `index` to staging. False when another one is, or comes, in its slot: then staging is worth nothing. */
function copyUntorn(receiver: usize, index: u64): bool {
  const slot = slotOf(receiver, index)
  // ORDER slot-sequence: the number of this very message, before its first word is loaded and after its last.
  const whole = 2 * index + 2
  if (atomic.load<u64>(slot) != whole) return false
  copyIn(load<u32>(receiver, RECEIVER_STAGING), slot + SLOT_SEQUENCE_BYTES, load<u32>(receiver, RECEIVER_SLOT_BYTES))
  return atomic.load<u64>(slot) == whole
}

function received(receiver: usize, index: u64): void {
  store<u64>(receiver, index + 1, RECEIVER_INDEX)
  store<u64>(receiver, load<u64>(receiver, RECEIVER_RECEIVED) + 1, RECEIVER_RECEIVED)
}

/** A consumer that the producer does not wait for. */
function takeOldestLeft(receiver: usize): u32 {
  const capacity: u64 = load<u32>(receiver, RECEIVER_CAPACITY)
  const writeWord: usize = load<u32>(receiver, RECEIVER_WRITE_WORD)
  let index = load<u64>(receiver, RECEIVER_INDEX)
  let result: u32 = RESULT_NONE
  let lost: u64 = 0
  for (let chase: u32 = 0; chase < CHASES; chase++) {
    // ORDER broadcast-publish: sees the slots written before this index was stored.
    const write = atomic.load<u64>(writeWord)
    if (write == index) break
    if (<i64>(write - index) < 0) return misbehaved(receiver, write)
    if (write - index > capacity) {
      lost += write - capacity - index
      index = write - capacity
    }
    if (copyUntorn(receiver, index)) {
      received(receiver, index)
      index++
      result = RESULT_DONE
      break
    }
    // Only message index + capacity can have come into the slot, and it is begun when those before it are committed.
    const now = atomic.load<u64>(writeWord)
    if (<i64>(now - index) < <i64>capacity) return misbehaved(receiver, now)
    lost++
    index++
  }
  store<u64>(receiver, index, RECEIVER_INDEX)
  if (lost != 0) {
    lost += load<u64>(receiver, RECEIVER_LOST)
    store<u64>(receiver, lost, RECEIVER_LOST)
    // For the producer's count alone.
    atomic.store<u64>(load<u32>(receiver, RECEIVER_PART), lost, CONSUMER_LOST)
  }
  return result
}

/** A consumer that the producer waits for, until it disconnects it. */
function takeNext(receiver: usize): u32 {
  const index = load<u64>(receiver, RECEIVER_INDEX)
  // ORDER broadcast-publish: sees the slots written before this index was stored.
  const write = atomic.load<u64>(load<u32>(receiver, RECEIVER_WRITE_WORD))
  if (write == index) return RESULT_NONE
  const impossible = write - index > load<u32>(receiver, RECEIVER_CAPACITY)
  if (load<u32>(receiver, RECEIVER_POLICY) == POLICY_BLOCK) {
    if (impossible) return isEnded(receiver) ? RESULT_DISCONNECTED : misbehaved(receiver, write)
    const bytes = load<u32>(receiver, RECEIVER_SLOT_BYTES)
    copy(load<u32>(receiver, RECEIVER_STAGING), slotOf(receiver, index) + SLOT_SEQUENCE_BYTES, bytes)
  } else if (impossible || !copyUntorn(receiver, index)) {
    return isEnded(receiver) ? RESULT_DISCONNECTED : misbehaved(receiver, write)
  }
  received(receiver, index)
  // ORDER broadcast-release: reads of the slot come before this store, which isOverdue() loads before it is written again.
  atomic.store<u64>(load<u32>(receiver, RECEIVER_PART), index + 1, CONSUMER_READ_INDEX)
  // ORDER sleep: after the store of the read index; the producer stores its number, then looks at that once more.
  const sleepWord: usize = load<u32>(receiver, RECEIVER_LINK) + LINK_PRODUCER_SLEEP
  return mustWake(sleepWord, receiver + RECEIVER_WOKEN) ? RESULT_DONE_WAKE : RESULT_DONE
}

function take(receiver: usize): u32 {
  if (isEnded(receiver)) return RESULT_DISCONNECTED
  if (!joined(receiver)) return RESULT_NONE
  return load<u32>(receiver, RECEIVER_POLICY) == POLICY_DROP_OLDEST ? takeOldestLeft(receiver) : takeNext(receiver)
}

/**
 * Copies the oldest message that is left to staging. At most `spins` looks, at least 1. The status is loaded before the
 * index and believed after it: what the producer committed before it died is delivered first.
 */
export function broadcastPop(receiver: usize, spins: u32): u32 {
  const status = load<u32>(receiver, RECEIVER_STATUS_WORD)
  const closedWord: usize = load<u32>(receiver, RECEIVER_WRITE_WORD)
  do {
    const live = mayCome(status)
    const result = take(receiver)
    if (result != RESULT_NONE) return result
    if (!live) return RESULT_STOPPED
    // ORDER ring-closed: what was committed before this was stored is seen by the take that follows.
    if (atomic.load<u32>(closedWord, CLOSED_AFTER_INDEX) != 0) {
      const last = take(receiver)
      return last == RESULT_NONE ? RESULT_CLOSED : last
    }
  } while (--spins != 0)
  return RESULT_NONE
}
