// record.ts: what both ends of a ring of records know: its bytes are addressed as slots of one byte.

import { RECORD_ALIGN, RECORD_HEAD_BYTES } from "../words"

/** What a record of `bytes` takes up. */
export function recordStride(bytes: u32): u32 {
  return aligned(bytes) + RECORD_HEAD_BYTES
}

export function aligned(bytes: u32): u32 {
  return (bytes + (RECORD_ALIGN - 1)) & ~(RECORD_ALIGN - 1)
}
