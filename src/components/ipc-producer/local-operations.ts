// local-operations.ts: what an operation costs when no cache line has to come from another processor.

import type { Percentiles } from "../../protocols/ipc-test.ts"
import { percentiles } from "../plan/percentiles.ts"
import {
  NotificationFrame,
  NotificationSignaller,
  NotificationWaiter,
  SharedRing,
  tsc,
  type VSpace,
} from "../runtime/index.ts"

const PAGE_BYTES = 4096
const BLOCKS = 1_000
const BLOCK_ROUNDS = 200

/** Cycles of one push or one pop: half of a pair, in blocks, both ends in this process. */
export function ringOpCycles(vspace: VSpace, slots: number, bytes: number): Percentiles {
  const ringBytes = SharedRing.bytesNeeded({ capacity: slots, slotBytes: bytes })
  const address = vspace.allocatePrivate(ringBytes, PAGE_BYTES)
  SharedRing.create(vspace, address, ringBytes, { capacity: slots, slotBytes: bytes })
  const producer = SharedRing.producer(vspace, address, ringBytes)
  const consumer = SharedRing.consumer(vspace, address, ringBytes)
  return inBlocks(() => {
    producer.tryPush()
    consumer.tryPop()
  }, 2)
}

/** Cycles of a signal that finds nobody asleep: a signal and a poll, less the poll alone. */
export function signalNoWakeCycles(vspace: VSpace): Percentiles {
  const page = vspace.allocatePrivate(PAGE_BYTES, PAGE_BYTES)
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(page, 0))
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, page, 1))
  const pollOnly = inBlocks(() => waiter.poll(), 1)
  const both = inBlocks(() => {
    signaller.signal(1n)
    waiter.poll()
  }, 1)
  const less = (name: keyof Percentiles): number => Math.max(0, both[name] - pollOnly.p50)
  return { p50: less("p50"), p99: less("p99"), p999: less("p999"), max: less("max") }
}

function inBlocks(operation: () => void, operations: number): Percentiles {
  const samples = new Float64Array(BLOCKS)
  for (let block = -BLOCKS; block < BLOCKS; block++) {
    const begun = tsc()
    for (let round = 0; round < BLOCK_ROUNDS; round++) operation()
    // Negative blocks warm up.
    if (block >= 0) samples[block] = (tsc() - begun) / BLOCK_ROUNDS / operations
  }
  return percentiles(samples)
}
