// record-producer.ts: a producer of records. Several can be staged one behind the other, and are published by one commit.

import {
  END_CAPACITY,
  END_COUNT,
  END_INDEX,
  END_RECORD_AT,
  RECORD_HEAD_BYTES,
  RECORD_PADDING,
  RESULT_DONE,
  RESULT_LAST,
} from "../words"
import { awaitRoom, commit } from "./producer"
import { aligned, recordStride } from "./record"
import { copy, slotAt } from "./slot"

/**
 * Address where a record of `bytes` can be written, `at` bytes behind this end's index; or a RESULT_. END_RECORD_AT tells
 * where its head is: further on where it would run over the ring's end, which is then padding.
 */
export function claimRecord(end: usize, at: u32, bytes: u32, spins: u32): usize {
  const capacity = load<u32>(end, END_CAPACITY)
  const index = load<u32>(end, END_INDEX) + at
  const rest = capacity - (index & (capacity - 1))
  const padding = rest < recordStride(bytes) ? rest : 0
  const result = awaitRoom(end, at + padding + recordStride(bytes), spins)
  if (result != RESULT_DONE) return result
  // Published with the record behind it: by the commit, as all payload is.
  if (padding != 0) store<u32>(slotAt(end, index), RECORD_PADDING | padding)
  store<u32>(end, at + padding, END_RECORD_AT)
  return slotAt(end, index + padding) + RECORD_HEAD_BYTES
}

/** Writes the head of the record at `at`, of its final length. Returns where the next one may begin: what to commit. */
export function endRecord(end: usize, at: u32, bytes: u32): u32 {
  store<u32>(slotAt(end, load<u32>(end, END_INDEX) + at), bytes)
  return at + recordStride(bytes)
}

/** Copies a record from `from` to behind what is staged already, `at`. END_COUNT tells where the next may begin. */
export function stageRecord(end: usize, from: usize, at: u32, bytes: u32, spins: u32): u32 {
  const to = claimRecord(end, at, bytes, spins)
  if (to <= <usize>RESULT_LAST) return <u32>to
  copy(to, from, aligned(bytes))
  store<u32>(end, endRecord(end, load<u32>(end, END_RECORD_AT), bytes), END_COUNT)
  return RESULT_DONE
}

/** Sends one record. */
export function pushRecord(end: usize, from: usize, bytes: u32, spins: u32): u32 {
  const result = stageRecord(end, from, 0, bytes, spins)
  return result == RESULT_DONE ? commit(end, load<u32>(end, END_COUNT)) : result
}
