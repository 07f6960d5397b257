// consumer.ts: the consumer's hot path. `end` is the address of its private state (END_ in words.ts).

import {
  END_CAPACITY,
  END_COUNT,
  END_FORM,
  END_INDEX,
  END_INDEX_WORD,
  END_PEER_CLOSED_WORD,
  END_PEER_INDEX,
  END_PEER_INDEX_WORD,
  END_PROGRESS_WORD,
  END_REFUSED,
  END_RELEASE_AFTER,
  END_RELEASED,
  END_SLOT_BYTES,
  END_STAGING,
  END_STATUS_WORD,
  FORM_SLOT,
  RESULT_CLOSED,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_NONE_WAKE,
  RESULT_STOPPED,
  RING_READ_HANDED,
  RING_READ_PROGRESS,
} from "../words"
import { copy, inOnePiece, pause, published, sequenceAt, slotAt } from "./slot"
import { mayCome } from "./status"

/** RESULT_DONE when message `index` is there, RESULT_NONE when it is not yet. For slots with sequence words. */
function sequenced(end: usize, index: u32): u32 {
  // ORDER ring-publish: sees the slots written before commit() stored this sequence.
  const sequence = atomic.load<u32>(sequenceAt(end, index))
  if (sequence == index + 1) return RESULT_DONE
  // The lap before left its own number there; before the first lap it is 0.
  if (sequence == 0 || sequence == index + 1 - load<u32>(end, END_CAPACITY)) {
    store<u32>(end, sequence, END_PEER_INDEX)
    return RESULT_NONE
  }
  store<u32>(end, sequence, END_REFUSED)
  return RESULT_MISBEHAVED
}

/** RESULT_DONE when writeIndex is beyond `index`, RESULT_NONE when it stands there. */
function indexed(end: usize, index: u32): u32 {
  // ORDER ring-publish: sees the slots written before commit() stored this writeIndex.
  const peer = atomic.load<u32>(load<u32>(end, END_PEER_INDEX_WORD))
  // It moves on from where it was last seen, and stays within the capacity.
  if (peer - load<u32>(end, END_PEER_INDEX) > load<u32>(end, END_CAPACITY) - (load<u32>(end, END_PEER_INDEX) - index)) {
    store<u32>(end, peer, END_REFUSED)
    return RESULT_MISBEHAVED
  }
  store<u32>(end, peer, END_PEER_INDEX)
  return peer == index ? RESULT_NONE : RESULT_DONE
}

/** RESULT_DONE when a message is there, RESULT_NONE when the ring is empty. */
function items(end: usize): u32 {
  const index = load<u32>(end, END_INDEX)
  if (load<u32>(end, END_FORM) == FORM_SLOT) return sequenced(end, index)
  return load<u32>(end, END_PEER_INDEX) != index ? RESULT_DONE : indexed(end, index)
}

/** Looks that the word alone is watched for, between two looks at the status. */
const WATCH: u32 = 16

/**
 * Watches the word that the next message changes, until it does or the status is due. Returns the looks that are left.
 * The pause stands between the load and what is made of it: without, the processor runs ahead to the slot that the peer
 * is about to write, and takes its line away.
 */
function watch(end: usize, spins: u32): u32 {
  const sequenced = load<u32>(end, END_FORM) == FORM_SLOT
  const word = sequenced ? sequenceAt(end, load<u32>(end, END_INDEX)) : <usize>load<u32>(end, END_PEER_INDEX_WORD)
  const seen = load<u32>(end, END_PEER_INDEX)
  const left = spins > WATCH ? spins - WATCH : 1
  do {
    // What it says is decided by items(), which loads it once more.
    const now = atomic.load<u32>(word)
    pause(end)
    if (now != seen) return spins - 1
  } while (--spins > left)
  return left
}

/**
 * Waits for a message, at most `spins` looks. The status is loaded before the index and believed after it: what the
 * peer committed before it died is delivered first.
 */
export function awaitItem(end: usize, spins: u32): u32 {
  const status = load<u32>(end, END_STATUS_WORD)
  for (;;) {
    const live = mayCome(status)
    const result = items(end)
    if (result != RESULT_NONE) return result
    if (!live) return RESULT_STOPPED
    if (spins <= 1) break
    spins = watch(end, spins)
  }
  // An empty ring is all the producer's: it may wait for more of it than a quarter leaves.
  if (giveBack(end) == RESULT_DONE_WAKE) return RESULT_NONE_WAKE
  if (atomic.load<u32>(load<u32>(end, END_PEER_CLOSED_WORD)) == 0) return RESULT_NONE
  // ORDER ring-closed: what was committed before the producer closed is seen after the load of that word.
  const result = items(end)
  return result == RESULT_NONE ? RESULT_CLOSED : result
}

/** Waits for a message; then finds how many there are, at most `max`, into END_COUNT. */
function awaitItems(end: usize, max: u32, spins: u32): u32 {
  let result = awaitItem(end, spins)
  if (result != RESULT_DONE) return result
  const index = load<u32>(end, END_INDEX)
  let count: u32 = 1
  if (load<u32>(end, END_FORM) == FORM_SLOT) {
    while (count < max && result == RESULT_DONE) {
      result = sequenced(end, index + count)
      if (result == RESULT_DONE) count++
    }
  } else {
    if (load<u32>(end, END_PEER_INDEX) - index < max) result = indexed(end, index)
    count = min(load<u32>(end, END_PEER_INDEX) - index, max)
  }
  store<u32>(end, count, END_COUNT)
  return result == RESULT_MISBEHAVED ? RESULT_MISBEHAVED : RESULT_DONE
}

/**
 * Copies the oldest message to staging and frees its slot. `spins` is the number of looks at an empty ring, at least 1.
 */
export function pop(end: usize, spins: u32): u32 {
  const result = awaitItem(end, spins)
  if (result != RESULT_DONE) return result
  copy(load<u32>(end, END_STAGING), slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_SLOT_BYTES))
  return release(end, 1)
}

/** Copies the oldest messages, at most `max`, to `to`, one behind the other, and frees their slots. */
export function popMany(end: usize, to: usize, max: u32, spins: u32): u32 {
  const result = awaitItems(end, max, spins)
  if (result != RESULT_DONE) return result
  const bytes = load<u32>(end, END_SLOT_BYTES)
  const first = load<u32>(end, END_INDEX)
  const count = load<u32>(end, END_COUNT)
  for (let message: u32 = 0; message < count; ) {
    const piece = inOnePiece(end, first + message, count - message)
    copy(to, slotAt(end, first + message), piece * bytes)
    to += piece * bytes
    message += piece
  }
  return release(end, count)
}

/** Address of the oldest message's slot, or a RESULT_. END_COUNT tells how many are there to be read, at most `max`. */
export function peek(end: usize, max: u32, spins: u32): usize {
  const result = awaitItems(end, max, spins)
  if (result != RESULT_DONE) return result
  const index = load<u32>(end, END_INDEX)
  const handed = load<u32>(end, END_PROGRESS_WORD) + (RING_READ_HANDED - RING_READ_PROGRESS)
  store<u32>(handed, index + load<u32>(end, END_COUNT))
  return slotAt(end, index)
}

/** Frees the oldest `count` slots, which were read. The producer is told by quarters of the ring. */
export function release(end: usize, count: u32): u32 {
  const index = load<u64>(end, END_INDEX) + count
  // Progress and handed are one store: nothing is handed out now. Read by whoever takes over after this end's death.
  store<u64>(load<u32>(end, END_PROGRESS_WORD), ((<u64>(<u32>index)) << 32) | <u64>(<u32>index))
  store<u64>(end, index, END_INDEX)
  if (<u32>index - load<u32>(end, END_RELEASED) < load<u32>(end, END_RELEASE_AFTER)) return RESULT_DONE
  return giveBack(end)
}

/** Tells the producer of all slots that were read. */
export function giveBack(end: usize): u32 {
  const index = load<u32>(end, END_INDEX)
  if (index == load<u32>(end, END_RELEASED)) return RESULT_DONE
  // ORDER ring-release: reads of a slot come before this store, which room() loads before the slot is written again.
  atomic.store<u32>(load<u32>(end, END_INDEX_WORD), index)
  store<u32>(end, index, END_RELEASED)
  return published(end)
}
