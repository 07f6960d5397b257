// stream.ts: one message after the other, published one by one or in batches; what is in them, and how it is checked, is
// the payload's (protocols/bench.ts).

import { BenchPayload } from "../../protocols/bench.ts"
import type { LatencyGeometry } from "../plan/latency-steps.ts"
import { type FrameMapping, monotonicNs, SharedRing, type VSpace } from "../runtime/index.ts"
import { receiveBlocks, sendBlocks } from "./stream-blocks.ts"
import { receiveFilled, sendFilled } from "./stream-filled.ts"
import { receiveStamped, sendStamped } from "./stream-stamped.ts"
import type { Part, StreamWork } from "./stream-work.ts"

/** Messages before the rate is measured, so that both ends run optimised code. */
const WARM_UP_MESSAGES = 50_000

export function sendStream(
  vspace: VSpace,
  frame: FrameMapping,
  { there, ringBytes }: LatencyGeometry,
  work: StreamWork,
): void {
  const ring = SharedRing.producer(vspace, there, ringBytes, { status: frame.status })
  if (work.payload === BenchPayload.block) sendBlocks(ring, vspace, work)
  else if (work.payload === BenchPayload.filled) sendFilled(ring, vspace.f64, work)
  else sendStamped(ring, work)
}

/** Returns messages a second, once warm. */
export function receiveStream(
  vspace: VSpace,
  frame: FrameMapping,
  { there, ringBytes }: LatencyGeometry,
  work: StreamWork,
): number {
  const ring = SharedRing.consumer(vspace, there, ringBytes, { status: frame.status })
  const receive = (part: Part): void => {
    if (work.payload === BenchPayload.block) receiveBlocks(ring, vspace, part)
    else if (work.payload === BenchPayload.filled) receiveFilled(ring, vspace.f64, work, part)
    else receiveStamped(ring, vspace.f64, work, part)
  }
  const { count } = work
  const warmUp = Math.min(WARM_UP_MESSAGES, Math.floor(count / 2))
  receive({ from: 0, to: warmUp })
  const begun = monotonicNs()
  receive({ from: warmUp, to: count })
  return ((count - warmUp) * 1e9) / (monotonicNs() - begun)
}
