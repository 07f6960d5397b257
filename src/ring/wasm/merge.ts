// merge.ts: one consumer of many rings: which is popped next. Round robin, each ring a bounded number of messages in a row.

import {
  MERGE_BUDGET,
  MERGE_CLOSED,
  MERGE_COUNT,
  MERGE_ENDS,
  MERGE_EXCLUDED,
  MERGE_GONE,
  MERGE_LEFT,
  MERGE_LIVE,
  MERGE_NEXT,
  MERGE_NOBODY,
  MERGE_SOURCE,
  MERGE_STATES,
  MERGE_TAKEN,
} from "../shapes/words"
import {
  RESULT_CLOSED,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_NONE_WAKE,
  RESULT_STOPPED,
} from "../words"
import { pop } from "./consumer"

function taken(merge: usize, source: u32, next: u32): void {
  const count = merge + source * 8
  store<u64>(count, load<u64>(count, MERGE_TAKEN) + 1, MERGE_TAKEN)
  const left = load<u32>(merge, MERGE_LEFT) - 1
  store<u32>(merge, left == 0 ? next : source, MERGE_NEXT)
  store<u32>(merge, left == 0 ? load<u32>(merge, MERGE_BUDGET) : left, MERGE_LEFT)
}

/** One look at each ring, from the one whose turn it is. */
function round(merge: usize): u32 {
  const count = load<u32>(merge, MERGE_COUNT)
  let source = load<u32>(merge, MERGE_NEXT)
  let present: u32 = 0
  for (let looked: u32 = 0; looked < count; looked++) {
    const next = source + 1 == count ? 0 : source + 1
    const state = merge + source * 4
    const known = load<u32>(state, MERGE_STATES)
    if (known != MERGE_EXCLUDED) {
      // Before its pages are touched: after a fault this tells whose they were.
      store<u32>(merge, source, MERGE_SOURCE)
      const result = pop(load<u32>(state, MERGE_ENDS), 1)
      if (result == RESULT_DONE || result == RESULT_DONE_WAKE) {
        store<u32>(state, MERGE_LIVE, MERGE_STATES)
        taken(merge, source, next)
        return result
      }
      if (result == RESULT_MISBEHAVED) {
        store<u32>(state, MERGE_EXCLUDED, MERGE_STATES)
        return result
      }
      if (result == RESULT_STOPPED || result == RESULT_CLOSED) {
        if (known == MERGE_LIVE) {
          store<u32>(state, result == RESULT_CLOSED ? MERGE_CLOSED : MERGE_GONE, MERGE_STATES)
          return RESULT_STOPPED
        }
      } else {
        store<u32>(state, MERGE_LIVE, MERGE_STATES)
        present++
        if (result == RESULT_NONE_WAKE) return result
      }
    }
    source = next
    store<u32>(merge, source, MERGE_NEXT)
    store<u32>(merge, load<u32>(merge, MERGE_BUDGET), MERGE_LEFT)
  }
  if (present != 0) return RESULT_NONE
  store<u32>(merge, MERGE_NOBODY, MERGE_SOURCE)
  return RESULT_STOPPED
}

/**
 * Copies the next message to the staging of its ring's end and frees its slot; at most `spins` rounds, at least 1.
 * MERGE_SOURCE says which ring the result is about. RESULT_STOPPED, RESULT_MISBEHAVED: that one's producer is gone, said
 * once; with MERGE_NOBODY every producer is, said each time. RESULT_NONE_WAKE: nothing, and that ring's producer sleeps.
 */
export function mergePop(merge: usize, spins: u32): u32 {
  do {
    const result = round(merge)
    if (result != RESULT_NONE) return result
  } while (--spins != 0)
  return RESULT_NONE
}
