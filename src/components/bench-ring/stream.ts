// stream.ts: one message after the other, each published by itself; every word written by the sender and checked.

import type { LatencyGeometry } from "../plan/latency-steps.ts"
import { type FrameMapping, monotonicNs, SharedRing, type VSpace } from "../runtime/index.ts"

const STREAM_TIMEOUT_NS = 5e9

/** Messages are written and read in place, in 8-byte words: word i of message n holds n + i. */
export function sendStream(
  vspace: VSpace,
  frame: FrameMapping,
  { there, ringBytes }: LatencyGeometry,
  count: number,
): void {
  const ring = SharedRing.producer(vspace, there, ringBytes, { status: frame.status })
  const { f64 } = vspace
  const words = ring.staging.length / 8
  for (let sequence = 0; sequence < count; sequence++) {
    let address = ring.claim()
    while (address === 0) {
      refuseInterruption(ring.interruption(), sequence)
      address = ring.claim()
    }
    const first = address / 8
    for (let word = 0; word < words; word++) f64[first + word] = sequence + word
    ring.commit()
  }
}

/** Returns messages a second, from the first to the last. */
export function receiveStream(
  vspace: VSpace,
  frame: FrameMapping,
  { there, ringBytes }: LatencyGeometry,
  count: number,
): number {
  const ring = SharedRing.consumer(vspace, there, ringBytes, { status: frame.status })
  const message = new Float64Array(ring.staging.buffer, ring.staging.byteOffset, ring.staging.length / 8)
  let begun = 0
  for (let sequence = 0; sequence < count; sequence++) {
    const popped = ring.pop(STREAM_TIMEOUT_NS)
    if (typeof popped === "string") throw new Error(`Message ${sequence}: ${popped}`)
    if (sequence === 0) begun = monotonicNs()
    for (let word = 0; word < message.length; word++) {
      if (message[word] !== sequence + word) throw new Error(`Message ${sequence}, word ${word} is ${message[word]}`)
    }
  }
  return ((count - 1) * 1e9) / (monotonicNs() - begun)
}

function refuseInterruption(interruption: string | undefined, sequence: number): void {
  if (interruption !== undefined) throw new Error(`Message ${sequence}: ${interruption}`)
}
