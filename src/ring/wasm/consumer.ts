// consumer.ts: the consumer's hot path. `end` is the address of its private state (END_ in words.ts).

import {
  END_CAPACITY,
  END_INDEX,
  END_INDEX_WORD,
  END_PEER_INDEX,
  END_PEER_INDEX_WORD,
  END_REFUSED,
  END_SLOT_BYTES,
  END_STAGING,
  END_STATUS_WORD,
  RESULT_DONE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_STOPPED,
} from "../words"
import { copy, published, slotAt } from "./slot"
import { isLive } from "./status"

/** RESULT_DONE when a message is there, RESULT_NONE when the ring is empty. */
function items(end: usize): u32 {
  const index = load<u32>(end, END_INDEX)
  if (load<u32>(end, END_PEER_INDEX) != index) return RESULT_DONE
  // ORDER ring-publish: sees the slot bytes written before commit() stored this writeIndex.
  const peer = atomic.load<u32>(load<u32>(end, END_PEER_INDEX_WORD))
  if (peer == index) return RESULT_NONE
  if (peer - index > load<u32>(end, END_CAPACITY)) {
    store<u32>(end, peer, END_REFUSED)
    return RESULT_MISBEHAVED
  }
  store<u32>(end, peer, END_PEER_INDEX)
  return RESULT_DONE
}

/**
 * Waits for a message, at most `spins` looks. The status is loaded before the index and believed after it: what the
 * peer committed before it died is delivered first.
 */
function awaitItem(end: usize, spins: u32): u32 {
  const status = load<u32>(end, END_STATUS_WORD)
  do {
    const live = isLive(status)
    const result = items(end)
    if (result != RESULT_NONE) return result
    if (!live) return RESULT_STOPPED
  } while (--spins != 0)
  return RESULT_NONE
}

/**
 * Copies the oldest message to staging and frees its slot. `spins` is the number of looks at an empty ring, at least 1.
 */
export function pop(end: usize, spins: u32): u32 {
  const result = awaitItem(end, spins)
  if (result != RESULT_DONE) return result
  copy(load<u32>(end, END_STAGING), slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_SLOT_BYTES))
  return release(end)
}

/** Address of the oldest message's slot, or a RESULT_. */
export function peek(end: usize, spins: u32): usize {
  const result = awaitItem(end, spins)
  return result == RESULT_DONE ? slotAt(end, load<u32>(end, END_INDEX)) : result
}

/** Frees the slot that `peek` found. */
export function release(end: usize): u32 {
  const index = load<u32>(end, END_INDEX) + 1
  // ORDER ring-release: reads of the slot come before this store, which room() loads before the slot is written again.
  atomic.store<u32>(load<u32>(end, END_INDEX_WORD), index)
  store<u32>(end, index, END_INDEX)
  return published(end)
}
