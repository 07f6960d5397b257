// pool-bells.ts: both ends of a payload channel in one process, with the bells that the kernel would hang.

import type { Test } from "tap"
import { PAGE_BYTES } from "../../src/kernel-daemon/abi/limits.ts"
import { RING_WRITE_INDEX } from "../../src/ring/layout.ts"
import { PayloadReceiver } from "../../src/ring/payload/payload-receiver.ts"
import { PayloadSender } from "../../src/ring/payload/payload-sender.ts"
import {
  createPool,
  DESCRIPTOR_BYTES,
  descriptorSlots,
  RETURN_BYTES,
  returnSlots,
} from "../../src/ring/payload/pool-layout.ts"
import { frameTwice, vspace } from "./ring.ts"
import { endsWithBells, type Wiring } from "./ring-bells.ts"

export interface Pool {
  readonly sender: PayloadSender
  readonly receiver: PayloadReceiver
  readonly descriptors: Wiring
  readonly returns: Wiring
  /** Where the sender and the receiver have the pool. */
  readonly at: readonly [number, number]
  readonly loans: number
}

export const POOL_BYTES = 8 * PAGE_BYTES

/** @param buffers of 64 bytes each, 1 to 7 */
export function newPool(t: Test, buffers: number, checkNs = 0): Pool {
  const geometry = { buffers, bufferBytes: 64 }
  const ring = (capacity: number, slotBytes: number) => endsWithBells(t, { capacity, slotBytes }, { checkNs })
  const descriptors = ring(descriptorSlots(geometry), DESCRIPTOR_BYTES)
  const returns = ring(returnSlots(geometry), RETURN_BYTES)
  const [mine, yours] = frameTwice(t, POOL_BYTES)
  createPool(vspace, mine, geometry)
  const [loans] = frameTwice(t)
  const writeIndexWord = descriptors.at[0] + RING_WRITE_INDEX
  const sender = { descriptors: descriptors.producer, writeIndexWord, returns: returns.consumer }
  const receiver = { descriptors: descriptors.consumer, returns: returns.producer }
  return {
    sender: new PayloadSender(vspace, { ...sender, pool: { address: mine, bytes: POOL_BYTES } }),
    receiver: new PayloadReceiver(vspace, {
      ...receiver,
      pool: { address: yours, bytes: POOL_BYTES },
      loans: { address: loans, bytes: PAGE_BYTES },
    }),
    descriptors,
    returns,
    at: [mine, yours],
    loans,
  }
}
