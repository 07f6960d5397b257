// broadcast-producer.ts: one producer, many consumers: who takes part, whom it waits for, and how it publishes.
// `sender` is the address of its private state (SENDER_ in ../shapes/words.ts).

import {
  ATTACH_CLOSED,
  CONSUMER_ATTACH,
  CONSUMER_READ_INDEX,
  CONSUMER_SLEEP,
  LINK_ACCEPTED,
  LINK_ENDED,
  LINK_START,
  LINK_WAKE,
  POLICY_BLOCK,
  POLICY_DROP_OLDEST,
  SENDER_CAPACITY,
  SENDER_CONSUMERS,
  SENDER_INDEX,
  SENDER_INDEX_WORD,
  SENDER_LOOKING_AT,
  SENDER_OVERWRITES,
  SENDER_OWN,
  SENDER_PUBLISHED,
  SENDER_SLOT_BYTES,
  SENDER_SLOTS,
  SENDER_STAGING,
  SENDER_STATUS_WORD,
  SENDER_TARGETS,
  SENDER_TO_WAKE,
  SLOT_SEQUENCE_BYTES,
  TARGET_ABSENT,
  TARGET_ACCEPTED,
  TARGET_BYTES,
  TARGET_DISCONNECTED,
  TARGET_EXCLUDED,
  TARGET_LINK,
  TARGET_LOADED,
  TARGET_MISBEHAVED,
  TARGET_OBSTRUCTS,
  TARGET_PART,
  TARGET_POLICY,
  TARGET_PRESENT,
  TARGET_SEEN,
  TARGET_STATE,
  TARGET_STATUS_WORD,
  TARGET_WAKE,
  TARGET_WOKEN,
} from "../shapes/words"
import { RESULT_DONE, RESULT_DONE_WAKE, RESULT_NONE, RESULT_STOPPED } from "../words"
import { copyOut } from "./atomic-copy"
import { mustWake } from "./sleep"
import { copy } from "./slot"
import { isLive } from "./status"

export function sequencedSlotAt(slots: usize, capacity: u32, slotBytes: u32, index: u64): usize {
  return slots + (<u32>index & (capacity - 1)) * (SLOT_SEQUENCE_BYTES + slotBytes)
}

/** The attach that took part does so no more. */
function end(target: usize): void {
  const link = load<u32>(target, TARGET_LINK)
  // ORDER broadcast-ended: before the store of any slot that this consumer has not read; isEnded() loads it before and
  // after the slot is read.
  atomic.store<u32>(link, load<u32>(target, TARGET_ACCEPTED), LINK_ENDED)
  store<u32>(target, TARGET_ABSENT, TARGET_STATE)
}

/** Lets the attach take part, from message `index` on. */
function accept(target: usize, attach: u32, index: u64): void {
  const link = load<u32>(target, TARGET_LINK)
  store<u64>(target, index, TARGET_SEEN)
  store<u32>(target, attach, TARGET_ACCEPTED)
  store<u32>(target, TARGET_PRESENT, TARGET_STATE)
  atomic.store<u64>(link, index, LINK_START)
  // ORDER broadcast-join: the start was stored before; joined() loads this, then the start.
  atomic.store<u32>(link, attach, LINK_ACCEPTED)
}

/** Whether a consumer has not read the slot that would be written next, by a look at its index. */
function isOverdue(target: usize, index: u64, capacity: u32): bool {
  const seen = load<u64>(target, TARGET_SEEN)
  // ORDER broadcast-release: the consumer's reads of a slot come before its store of the index, which this load sees.
  const peer = atomic.load<u64>(load<u32>(target, TARGET_PART), CONSUMER_READ_INDEX)
  store<u32>(target, <u32>peer, TARGET_LOADED)
  if (peer - seen <= index - seen) {
    store<u64>(target, peer, TARGET_SEEN)
    return index - peer >= capacity
  }
  // Less than was seen is what an earlier consumer left: no progress.
  if (<i64>(peer - index) <= 0) return true
  // It says that it has read what was never sent.
  store<u32>(target, load<u32>(target, TARGET_MISBEHAVED) + 1, TARGET_MISBEHAVED)
  end(target)
  return false
}

/** Whether this consumer keeps the producer from writing the next slot. One that is dead never does. */
function obstructs(target: usize, index: u64, capacity: u32): bool {
  const present = load<u32>(target, TARGET_STATE) == TARGET_PRESENT
  if (!isLive(load<u32>(target, TARGET_STATUS_WORD))) {
    if (present) end(target)
    return false
  }
  // ORDER broadcast-attach: a consumer that has attached has stored this number; it waits for LINK_ACCEPTED to follow.
  const attach = atomic.load<u32>(load<u32>(target, TARGET_PART), CONSUMER_ATTACH)
  if (attach != 0 && attach != load<u32>(target, TARGET_ACCEPTED)) {
    if ((attach & ATTACH_CLOSED) != 0) {
      if (present) end(target)
      return false
    }
    accept(target, attach, index)
  } else if (!present) return false
  if (load<u32>(target, TARGET_POLICY) == POLICY_DROP_OLDEST) return false
  return index - load<u64>(target, TARGET_SEEN) >= capacity && isOverdue(target, index, capacity)
}

/** One look at every consumer. False if one of them must be waited for; else who was too slow is disconnected. */
function makeRoom(sender: usize): bool {
  const index = load<u64>(sender, SENDER_INDEX)
  const capacity = load<u32>(sender, SENDER_CAPACITY)
  const targets = sender + SENDER_TARGETS
  const after = targets + load<u32>(sender, SENDER_CONSUMERS) * TARGET_BYTES
  let waits = false
  let disconnects = false
  for (let target = targets; target != after; target += TARGET_BYTES) {
    if (load<u32>(target, TARGET_STATE) == TARGET_EXCLUDED) continue
    store<u32>(sender, target - targets, SENDER_LOOKING_AT)
    const obstructed = obstructs(target, index, capacity)
    store<u32>(target, obstructed ? 1 : 0, TARGET_OBSTRUCTS)
    if (!obstructed) continue
    if (load<u32>(target, TARGET_POLICY) == POLICY_BLOCK) waits = true
    else disconnects = true
  }
  // While the producer has to wait anyway, nobody is too slow.
  if (!waits && disconnects) disconnect(sender, targets, after)
  store<u32>(sender, SENDER_OWN, SENDER_LOOKING_AT)
  return !waits
}

function disconnect(sender: usize, targets: usize, after: usize): void {
  for (let target = targets; target != after; target += TARGET_BYTES) {
    if (load<u32>(target, TARGET_STATE) == TARGET_EXCLUDED || load<u32>(target, TARGET_OBSTRUCTS) == 0) continue
    store<u32>(sender, target - targets, SENDER_LOOKING_AT)
    store<u32>(target, 0, TARGET_OBSTRUCTS)
    store<u32>(target, load<u32>(target, TARGET_DISCONNECTED) + 1, TARGET_DISCONNECTED)
    end(target)
  }
}

/**
 * After a message was published: marks who sleeps, and changes the word that it sleeps on. RESULT_DONE_WAKE if there is
 * anybody. To be called again when a consumer's page faulted.
 */
export function broadcastWake(sender: usize): u32 {
  const targets = sender + SENDER_TARGETS
  const count = load<u32>(sender, SENDER_CONSUMERS)
  for (let at: u32 = 0; at < count; at++) {
    const target = targets + at * TARGET_BYTES
    if (load<u32>(target, TARGET_STATE) == TARGET_EXCLUDED) continue
    store<u32>(sender, target - targets, SENDER_LOOKING_AT)
    // ORDER sleep: after the store of the write index; the consumer stores its number, then looks at that once more.
    if (!mustWake(load<u32>(target, TARGET_PART) + CONSUMER_SLEEP, target + TARGET_WOKEN)) continue
    const wake = load<u32>(target, TARGET_WAKE) + 1
    store<u32>(target, wake, TARGET_WAKE)
    // ORDER broadcast-wake: a consumer that has announced its sleep, and not yet fallen asleep, finds this word changed.
    atomic.store<u32>(load<u32>(target, TARGET_LINK), wake, LINK_WAKE)
    store<u64>(sender, load<u64>(sender, SENDER_TO_WAKE) | ((<u64>1) << at), SENDER_TO_WAKE)
  }
  store<u32>(sender, SENDER_OWN, SENDER_LOOKING_AT)
  return load<u64>(sender, SENDER_TO_WAKE) == 0 ? RESULT_DONE : RESULT_DONE_WAKE
}

/** Sends what is in staging. `spins` is the number of looks at those who must be waited for, at least 1. */
export function broadcastPush(sender: usize, spins: u32): u32 {
  const status = load<u32>(sender, SENDER_STATUS_WORD)
  store<u32>(sender, 0, SENDER_PUBLISHED)
  do {
    if (!isLive(status)) return RESULT_STOPPED
    if (makeRoom(sender)) {
      publish(sender)
      return broadcastWake(sender)
    }
  } while (--spins != 0)
  return RESULT_NONE
}

function publish(sender: usize): void {
  const index = load<u64>(sender, SENDER_INDEX)
  const bytes = load<u32>(sender, SENDER_SLOT_BYTES)
  const slot = sequencedSlotAt(load<u32>(sender, SENDER_SLOTS), load<u32>(sender, SENDER_CAPACITY), bytes, index)
  const staging = load<u32>(sender, SENDER_STAGING)
  if (load<u32>(sender, SENDER_OVERWRITES) != 0) {
    // ORDER slot-sequence: odd before the first word of the message, even after the last; the consumer loads it before and
    // after it copies. All are sequentially consistent: twice the same even number means that no word changed between.
    atomic.store<u64>(slot, 2 * index + 1)
    copyOut(slot + SLOT_SEQUENCE_BYTES, staging, bytes)
    atomic.store<u64>(slot, 2 * index + 2)
  } else copy(slot + SLOT_SEQUENCE_BYTES, staging, bytes)
  // ORDER broadcast-publish: the slot was written before; consumers load this index before they read it.
  atomic.store<u64>(load<u32>(sender, SENDER_INDEX_WORD), index + 1)
  store<u64>(sender, index + 1, SENDER_INDEX)
  store<u32>(sender, 1, SENDER_PUBLISHED)
}
