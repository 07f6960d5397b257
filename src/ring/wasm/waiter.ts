// waiter.ts: the lanes of a notification that are in use, as the only writer of their acknowledgements sees them.

import {
  ACK_VALUE,
  MAX_LANES,
  NOTIFICATION_BADGES,
  NOTIFICATION_IN_USE,
  RESULT_DONE,
  RESULT_NONE,
  RESULT_STOPPED,
  WAITER_ACKED,
  WAITER_ACKS,
  WAITER_IN_USE,
  WAITER_KERNEL_PART,
  WAITER_LANES,
  WAITER_SEEN,
  WAITER_STATUS_WORD,
  WAITER_TAKEN,
} from "../words"
import { mayCome } from "./status"

const LANE_SET: u32 = (1 << MAX_LANES) - 1

function takeLane(waiter: usize, kernelPart: usize, index: u32): u64 {
  const lane = load<u32>(waiter + index * 4, WAITER_LANES)
  const acked = waiter + index * 8
  // ORDER lane-publish: sees the data written before signal() stored this lane.
  const value = atomic.load<u64>(lane)
  const pending = value ^ load<u64>(acked, WAITER_ACKED)
  if (pending == 0) return 0
  // ORDER lane-badge: between the load of the lane and the store of its acknowledgement. The kernel changes the badge of
  // a lane only when all of it is acknowledged, and before its next holder can write it.
  const badge = atomic.load<u64>(kernelPart + index * 8, NOTIFICATION_BADGES)
  atomic.store<u64>(load<u32>(waiter + index * 4, WAITER_ACKS), value, ACK_VALUE)
  store<u64>(acked, value, WAITER_ACKED)
  // ORDER lane-merge: this load comes after the store of the acknowledgement. A signal that merged with these bits
  // and did not see that store has stored the lane before: this load sees it, and with it the signaller's data.
  // Its value does not matter, bits that came with it are pending for the next take; kept, or a compiler drops the load.
  store<u64>(waiter, atomic.load<u64>(lane), WAITER_SEEN)
  // Bits that the holder's capability does not carry are acknowledged, so that they are nobody's later, and dropped.
  return pending & badge
}

/**
 * Takes all pending bits into WAITER_TAKEN. At most `spins` looks, at least 1. The status is loaded before the lanes and
 * believed after them: bits that came before the peer died are delivered first.
 */
export function take(waiter: usize, spins: u32): u32 {
  const status = load<u32>(waiter, WAITER_STATUS_WORD)
  const kernelPart = load<u32>(waiter, WAITER_KERNEL_PART)
  do {
    const live = mayCome(status)
    // ORDER lane-added: a lane that is in use here is mapped here, and its badge stands.
    const inUse = atomic.load<u32>(kernelPart, NOTIFICATION_IN_USE)
    store<u32>(waiter, inUse, WAITER_IN_USE)
    let bits: u64 = 0
    for (let lanes = inUse & LANE_SET; lanes != 0; lanes &= lanes - 1) bits |= takeLane(waiter, kernelPart, ctz(lanes))
    if (bits != 0) {
      store<u64>(waiter, bits, WAITER_TAKEN)
      return RESULT_DONE
    }
    if (!live) return RESULT_STOPPED
  } while (--spins != 0)
  return RESULT_NONE
}
