// record-consumer.ts: a consumer of records. A head is loaded once, atomically, and checked before anything is read.

import {
  END_CAPACITY,
  END_COUNT,
  END_INDEX,
  END_PEER_INDEX,
  END_PROGRESS_WORD,
  END_RECORD_AT,
  END_REFUSED,
  END_SLOT_BYTES,
  END_STAGING,
  END_STAGING_BYTES,
  RECORD_HEAD_BYTES,
  RECORD_PADDING,
  RESULT_BAD_RECORD,
  RESULT_DONE,
  RESULT_LONG,
  RING_READ_HANDED,
  RING_READ_PROGRESS,
} from "../words"
import { awaitItem, release } from "./consumer"
import { aligned, recordStride } from "./record"
import { copy, slotAt } from "./slot"

function badRecord(end: usize, head: u32): u32 {
  store<u32>(end, head, END_REFUSED)
  return RESULT_BAD_RECORD
}

/** Finds the oldest record: END_RECORD_AT is where its head is, behind this end's index, END_COUNT its length. */
function awaitRecord(end: usize, spins: u32): u32 {
  const result = awaitItem(end, spins)
  if (result != RESULT_DONE) return result
  const index = load<u32>(end, END_INDEX)
  const capacity = load<u32>(end, END_CAPACITY)
  const published = load<u32>(end, END_PEER_INDEX) - index
  let at: u32 = 0
  let rest = capacity - (index & (capacity - 1))
  let head = atomic.load<u32>(slotAt(end, index))
  if ((head & RECORD_PADDING) != 0) {
    // Padding ends where the ring does, and is published with a record.
    if (head != (RECORD_PADDING | rest) || rest >= published) return badRecord(end, head)
    at = rest
    rest = capacity
    head = atomic.load<u32>(slotAt(end, index + at))
  }
  if (head == 0 || head > load<u32>(end, END_SLOT_BYTES)) return badRecord(end, head)
  if (recordStride(head) > min(published - at, rest)) return badRecord(end, head)
  store<u32>(end, at, END_RECORD_AT)
  store<u32>(end, head, END_COUNT)
  return RESULT_DONE
}

/** Copies the oldest record to staging and frees it; RESULT_LONG when there is too little room: END_COUNT tells. */
export function popRecord(end: usize, spins: u32): u32 {
  const result = awaitRecord(end, spins)
  if (result != RESULT_DONE) return result
  const bytes = aligned(load<u32>(end, END_COUNT))
  if (bytes > load<u32>(end, END_STAGING_BYTES)) return RESULT_LONG
  const from = slotAt(end, load<u32>(end, END_INDEX) + load<u32>(end, END_RECORD_AT)) + RECORD_HEAD_BYTES
  copy(load<u32>(end, END_STAGING), from, bytes)
  return releaseRecord(end)
}

/** Address of the oldest record's payload, or a RESULT_. END_COUNT tells its length. */
export function peekRecord(end: usize, spins: u32): usize {
  const result = awaitRecord(end, spins)
  if (result != RESULT_DONE) return result
  const at = load<u32>(end, END_INDEX) + load<u32>(end, END_RECORD_AT)
  const handed = load<u32>(end, END_PROGRESS_WORD) + (RING_READ_HANDED - RING_READ_PROGRESS)
  store<u32>(handed, at + recordStride(load<u32>(end, END_COUNT)))
  return slotAt(end, at) + RECORD_HEAD_BYTES
}

/** Frees the record that was found last. */
export function releaseRecord(end: usize): u32 {
  return release(end, load<u32>(end, END_RECORD_AT) + recordStride(load<u32>(end, END_COUNT)))
}
