// slot.ts: where a slot is, how its bytes move, and when the peer must be woken.

import {
  END_CAPACITY,
  END_PAUSE,
  END_PEER_SLEEP_WORD,
  END_SLOT_BYTES,
  END_SLOTS,
  END_STRIDE,
  END_WOKEN,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  SLOT_HEAD_BYTES,
} from "../words"
import { mustWake } from "./sleep"

/** Address of a slot's payload. */
export function slotAt(end: usize, index: u32): usize {
  return load<u32>(end, END_SLOTS) + (index & (load<u32>(end, END_CAPACITY) - 1)) * load<u32>(end, END_STRIDE)
}

/** Address of a slot's sequence word, in a ring that has them. */
export function sequenceAt(end: usize, index: u32): usize {
  return slotAt(end, index) - SLOT_HEAD_BYTES
}

/** How many of `count` messages from `index` on lie in one piece: up to the ring's end, or one where each has its head. */
export function inOnePiece(end: usize, index: u32, count: u32): u32 {
  if (load<u32>(end, END_STRIDE) != load<u32>(end, END_SLOT_BYTES)) return 1
  const capacity = load<u32>(end, END_CAPACITY)
  return min(count, capacity - (index & (capacity - 1)))
}

/** Copies `bytes`, a multiple of 8. */
export function copy(to: usize, from: usize, bytes: u32): void {
  while (bytes >= 64) {
    const a = v128.load(from)
    const b = v128.load(from, 16)
    const c = v128.load(from, 32)
    const d = v128.load(from, 48)
    v128.store(to, a)
    v128.store(to, b, 16)
    v128.store(to, c, 32)
    v128.store(to, d, 48)
    to += 64
    from += 64
    bytes -= 64
  }
  while (bytes != 0) {
    store<u64>(to, load<u64>(from))
    to += 8
    from += 8
    bytes -= 8
  }
}

/** The result of an operation that has just stored its index. */
export function published(end: usize): u32 {
  return mustWake(load<u32>(end, END_PEER_SLEEP_WORD), end + END_WOKEN) ? RESULT_DONE_WAKE : RESULT_DONE
}

/**
 * A turn of a spin loop. WebAssembly has no pause instruction; an exchange of a private word is a fence on every processor
 * that V8 compiles for, so that nothing behind it is done ahead of what stands before. See decision 0016.
 */
export function pause(end: usize): void {
  atomic.xchg<u32>(end + END_PAUSE, 0)
}
