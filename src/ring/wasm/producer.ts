// producer.ts: the producer's hot path. `end` is the address of its private state (END_ in words.ts).

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

/** RESULT_DONE when a slot is free, RESULT_NONE when the ring is full. */
function room(end: usize): u32 {
  const index = load<u32>(end, END_INDEX)
  const capacity = load<u32>(end, END_CAPACITY)
  const seen = load<u32>(end, END_PEER_INDEX)
  if (index - seen < capacity) return RESULT_DONE
  // ORDER ring-release: the consumer's reads of a slot come before its store of readIndex, which this load sees.
  const peer = atomic.load<u32>(load<u32>(end, END_PEER_INDEX_WORD))
  if (peer == seen) return RESULT_NONE
  if (peer - seen > index - seen) {
    store<u32>(end, peer, END_REFUSED)
    return RESULT_MISBEHAVED
  }
  store<u32>(end, peer, END_PEER_INDEX)
  return RESULT_DONE
}

/** Waits for room, at most `spins` looks. Nothing is sent to a peer that is gone, so the status comes first. */
function awaitRoom(end: usize, spins: u32): u32 {
  const status = load<u32>(end, END_STATUS_WORD)
  do {
    if (!isLive(status)) return RESULT_STOPPED
    const result = room(end)
    if (result != RESULT_NONE) return result
  } while (--spins != 0)
  return RESULT_NONE
}

/** Sends what is in staging. `spins` is the number of looks at a full ring, at least 1. */
export function push(end: usize, spins: u32): u32 {
  const result = awaitRoom(end, spins)
  if (result != RESULT_DONE) return result
  copy(slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_STAGING), load<u32>(end, END_SLOT_BYTES))
  return commit(end)
}

/** Address of the next free slot, or a RESULT_. */
export function claim(end: usize, spins: u32): usize {
  const result = awaitRoom(end, spins)
  return result == RESULT_DONE ? slotAt(end, load<u32>(end, END_INDEX)) : result
}

/** Publishes the slot that `claim` found. */
export function commit(end: usize): u32 {
  const index = load<u32>(end, END_INDEX) + 1
  // ORDER ring-publish: slot bytes written before this store are visible to items(), which loads writeIndex.
  atomic.store<u32>(load<u32>(end, END_INDEX_WORD), index)
  store<u32>(end, index, END_INDEX)
  return published(end)
}
