// signaller.ts: one lane of a notification, as its only writer sees it. Pending = lane XOR acknowledgement.

import {
  RESULT_DONE,
  RESULT_DONE_WAKE,
  SIGNALLER_ACK,
  SIGNALLER_LANE,
  SIGNALLER_SLEEP_WORD,
  SIGNALLER_VALUE,
  SIGNALLER_WOKEN,
} from "../words"
import { mustWake } from "./sleep"

/**
 * Makes `bits` pending. Returns RESULT_DONE_WAKE when the waiter sleeps, else RESULT_DONE.
 *
 * A bit that is pending already merges: it must not be toggled. The lane is stored all the same, because the store
 * publishes what was written before; then the acknowledgement is looked at once more. If the waiter has taken the bit
 * meanwhile, perhaps without having seen that store, the bit is toggled now. Nobody else can make it pending again, so
 * this is needed at most once.
 */
export function signal(signaller: usize, bits: u64): u32 {
  const lane = load<u32>(signaller, SIGNALLER_LANE)
  const ack = load<u32>(signaller, SIGNALLER_ACK)
  let value = load<u64>(signaller, SIGNALLER_VALUE)
  const toggled = bits & ~(value ^ atomic.load<u64>(ack))
  const merged = bits ^ toggled
  value ^= toggled
  // ORDER lane-publish: data written before this store is visible to take(), which loads the lane.
  atomic.store<u64>(lane, value)
  if (merged != 0) {
    // ORDER lane-merge: this load comes after the store of the lane; take() stores the acknowledgement, then loads the
    // lane again. So either we see here that the bit was taken, or that second load sees our store.
    const taken = merged & ~(value ^ atomic.load<u64>(ack))
    if (taken != 0) {
      value ^= taken
      atomic.store<u64>(lane, value)
    }
  }
  store<u64>(signaller, value, SIGNALLER_VALUE)
  // Also where all bits merged: whoever held this lane before may have died between its store and its wake.
  const sleepWord = load<u32>(signaller, SIGNALLER_SLEEP_WORD)
  return mustWake(sleepWord, signaller + SIGNALLER_WOKEN) ? RESULT_DONE_WAKE : RESULT_DONE
}
