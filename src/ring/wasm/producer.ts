// producer.ts: the producer's hot path. `end` is the address of its private state (END_ in words.ts).

import {
  CACHE_LINE_BYTES,
  END_AHEAD,
  END_AHEAD_BYTES,
  END_CAPACITY,
  END_FORM,
  END_INDEX,
  END_INDEX_WORD,
  END_PEER_CLOSED_WORD,
  END_PEER_INDEX,
  END_PEER_INDEX_WORD,
  END_REFUSED,
  END_SLOT_BYTES,
  END_STAGING,
  END_STATUS_WORD,
  END_WAKE_WORD,
  FORM_SLOT,
  RESULT_CLOSED,
  RESULT_DONE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_STOPPED,
} from "../words"
import { copy, inOnePiece, published, sequenceAt, slotAt } from "./slot"
import { isLive } from "./status"

/** RESULT_DONE when `count` slots are free, RESULT_NONE when fewer are. */
function room(end: usize, count: u32): u32 {
  const index = load<u32>(end, END_INDEX)
  const capacity = load<u32>(end, END_CAPACITY)
  const seen = load<u32>(end, END_PEER_INDEX)
  if (capacity - (index - seen) >= count) return RESULT_DONE
  // ORDER ring-release: the consumer's reads of a slot come before its store of readIndex, which this load sees.
  const peer = atomic.load<u32>(load<u32>(end, END_PEER_INDEX_WORD))
  if (peer == seen) return RESULT_NONE
  if (peer - seen > index - seen) {
    store<u32>(end, peer, END_REFUSED)
    return RESULT_MISBEHAVED
  }
  store<u32>(end, peer, END_PEER_INDEX)
  return capacity - (index - peer) >= count ? RESULT_DONE : RESULT_NONE
}

/** Waits for room, at most `spins` looks. Nothing is sent to a peer that is gone, so the status comes first. */
export function awaitRoom(end: usize, count: u32, spins: u32): u32 {
  const status = load<u32>(end, END_STATUS_WORD)
  do {
    if (!isLive(status)) return RESULT_STOPPED
    const result = room(end, count)
    if (result != RESULT_NONE) return result
  } while (--spins != 0)
  // ORDER ring-closed: what a consumer gave back before it closed is room all the same.
  if (atomic.load<u32>(load<u32>(end, END_PEER_CLOSED_WORD)) == 0) return RESULT_NONE
  const result = room(end, count)
  return result == RESULT_NONE ? RESULT_CLOSED : result
}

/** Sends what is in staging. `spins` is the number of looks at a full ring, at least 1. */
export function push(end: usize, spins: u32): u32 {
  const result = awaitRoom(end, 1, spins)
  if (result != RESULT_DONE) return result
  copy(slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_STAGING), load<u32>(end, END_SLOT_BYTES))
  return commit(end, 1)
}

/** Sends `count` messages, 1 to the capacity, that stand one behind the other at `from`: all of them or none. */
export function pushMany(end: usize, from: usize, count: u32, spins: u32): u32 {
  const result = awaitRoom(end, count, spins)
  if (result != RESULT_DONE) return result
  const bytes = load<u32>(end, END_SLOT_BYTES)
  const first = load<u32>(end, END_INDEX)
  for (let message: u32 = 0; message < count; ) {
    const piece = inOnePiece(end, first + message, count - message)
    copy(slotAt(end, first + message), from, piece * bytes)
    from += piece * bytes
    message += piece
  }
  return commit(end, count)
}

/** Address of the next free slot when `count` of them, 1 to the capacity, are free to be written; or a RESULT_. */
export function claim(end: usize, count: u32, spins: u32): usize {
  const result = awaitRoom(end, count, spins)
  return result == RESULT_DONE ? slotAt(end, load<u32>(end, END_INDEX)) : result
}

/** Publishes the next `count` slots, which `claim` found free: with one store that the consumer can see. */
export function commit(end: usize, count: u32): u32 {
  const first = load<u64>(end, END_INDEX)
  const next = first + count
  if (load<u32>(end, END_FORM) == FORM_SLOT) {
    // The consumer looks at a slot's sequence when it has seen the one before: so these are published by the first's.
    for (let index = <u32>first + 1; index != <u32>next; index++) store<u32>(sequenceAt(end, index), index + 1)
    const word = sequenceAt(end, <u32>first)
    // ORDER ring-publish: slots written before this store are visible to items(), which loads this sequence.
    atomic.store<u32>(word, <u32>first + 1)
    store<u32>(end, word, END_WAKE_WORD)
    // Polled by nobody: where a producer that takes over begins to look.
    store<u32>(load<u32>(end, END_INDEX_WORD), <u32>next)
  } else {
    // ORDER ring-publish: slots written before this store are visible to items(), which loads writeIndex.
    atomic.store<u32>(load<u32>(end, END_INDEX_WORD), <u32>next)
  }
  store<u64>(end, next, END_INDEX)
  askAhead(end, <u32>first, <u32>next)
  return published(end)
}

/**
 * Asks for the lines of the next group of slots together, when a publish has come to it or has begun the one before it, and all
 * of it is free: by a store to each, which is all that WebAssembly has for it. They are in the consumer's cache, and without
 * this each publish would wait for its own. See decision 0030.
 */
function askAhead(end: usize, first: u32, next: u32): void {
  const ahead = load<u32>(end, END_AHEAD)
  // Of which group an index is. Where nothing is asked for, ahead is 0, and all indices are of the same.
  const group = ~(ahead - 1)
  if (((first ^ next) & group) == 0) return
  const start = (next + ahead - 1) & group
  if (start - load<u32>(end, END_PEER_INDEX) > load<u32>(end, END_CAPACITY) - ahead) return
  const from = slotAt(end, start)
  const to = from + load<u32>(end, END_AHEAD_BYTES)
  for (let at = from; at < to; at += CACHE_LINE_BYTES) store<u32>(at, 0)
}
