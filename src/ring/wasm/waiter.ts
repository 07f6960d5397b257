// waiter.ts: all lanes of a notification, as the only writer of the acknowledgements sees them.

import {
  MAX_LANES,
  RESULT_DONE,
  RESULT_NONE,
  RESULT_STOPPED,
  WAITER_ACKED,
  WAITER_ACKS,
  WAITER_LANES,
  WAITER_SEEN,
  WAITER_STATUS_WORD,
  WAITER_TAKEN,
} from "../words"
import { isLive } from "./status"

function takeLane(waiter: usize, index: i32): u64 {
  const lane = load<u32>(waiter + index * 4, WAITER_LANES)
  const acked = waiter + index * 8
  // ORDER lane-publish: sees the data written before signal() stored this lane.
  const value = atomic.load<u64>(lane)
  const pending = value ^ load<u64>(acked, WAITER_ACKED)
  if (pending != 0) {
    atomic.store<u64>(load<u32>(waiter, WAITER_ACKS) + index * 8, value)
    store<u64>(acked, value, WAITER_ACKED)
    // ORDER lane-merge: this load comes after the store of the acknowledgement. A signal that merged with these bits
    // and did not see that store has stored the lane before: this load sees it, and with it the signaller's data.
    // Its value does not matter, new bits are for the next take; it is kept so that no compiler drops the load.
    store<u64>(waiter, atomic.load<u64>(lane), WAITER_SEEN)
  }
  return pending
}

/**
 * Takes all pending bits into WAITER_TAKEN. At most `spins` looks, at least 1. The status is loaded before the lanes
 * and believed after them: bits that came before the peer died are delivered first.
 */
export function take(waiter: usize, spins: u32): u32 {
  const status = load<u32>(waiter, WAITER_STATUS_WORD)
  do {
    const live = isLive(status)
    let bits: u64 = 0
    for (let index = 0; index < MAX_LANES; index++) bits |= takeLane(waiter, index)
    if (bits != 0) {
      store<u64>(waiter, bits, WAITER_TAKEN)
      return RESULT_DONE
    }
    if (!live) return RESULT_STOPPED
  } while (--spins != 0)
  return RESULT_NONE
}
