// latency-steps.ts: the geometry and the rounds of a latency trial, which both sides walk through in step.

import { PAGE_BYTES, SharedRing } from "../runtime/index.ts"

/** Round trips before anything is measured, so that both ends run optimised code. */
export const WARM_UP_ROUNDS = 50_000
/** Medians come from blocks: one stamp resolves 26 cycles, a block of 1,000 round trips much less than one. */
export const BLOCKS = 100
export const BLOCK_ROUNDS = 1_000
/** Round trips with a stamp each, for the percentiles. */
export const STAMPED_ROUNDS = 100_000
/** The bare cache-line round trip that brackets a trial. */
export const PROBE_BLOCKS = 50
export const PROBE_ROUNDS = 1_000
/** Each of these costs a wake-up of tens of microseconds. */
export const WAKE_ROUNDS = 1_000
export const PARK_ROUNDS = 2_000
/** Long enough for the peer to be asleep on its futex. */
export const FALL_ASLEEP_NS = 100_000

/** A watchdog for one message; a measured one takes a fraction of a microsecond. */
export const MESSAGE_TIMEOUT_NS = 5e9

const PROBE_LINE_BYTES = 256

/** Where things stand in the latency frame: ring there, ring back, and a line for each end's probe word. */
export interface LatencyGeometry {
  readonly there: number
  readonly back: number
  readonly ringBytes: number
  readonly probeLeader: number
  readonly probeFollower: number
  readonly totalBytes: number
}

export function latencyGeometry(
  base: number,
  slots: number,
  bytes: number,
  form: "index" | "slot" = "index",
): LatencyGeometry {
  const needed = SharedRing.bytesNeeded({ capacity: slots, slotBytes: bytes, form })
  const ringBytes = Math.ceil(needed / PAGE_BYTES) * PAGE_BYTES
  const probeLeader = base + 2 * ringBytes
  return {
    there: base,
    back: base + ringBytes,
    ringBytes,
    probeLeader,
    probeFollower: probeLeader + PROBE_LINE_BYTES,
    totalBytes: 2 * ringBytes + PAGE_BYTES,
  }
}
