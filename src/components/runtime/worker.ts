// worker.ts: an end of a channel in a worker thread of its component. Only the main thread makes syscalls: it takes the end, lends it,
// and gives it up when the worker has ended.

import { Worker, workerData } from "node:worker_threads"
import { BootFd } from "../../kernel-daemon/abi/boot.ts"
import type { RingConsumer } from "../../ring/consumer.ts"
import type { RingProducer } from "../../ring/producer.ts"
import type { RingParts } from "../../ring/ring-place.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import { VSpace, type VSpaceShare } from "../../ring/vspace.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { ENDS, type End, ensureEnd, type TakenEnd, takeEnds } from "./channel.ts"
import type { Component } from "./component.ts"

export interface WorkerOptions {
  readonly wait?: WaitStrategy
  /** For the worker: whatever structured clone can copy. */
  readonly data?: unknown
}

/** What a worker thread does. It ends when nothing keeps its event loop alive. */
export type WorkerMain = (end: RingProducer | RingConsumer, data: unknown) => unknown

/** What the worker's thread gets as its `workerData`. */
interface LentEnd {
  readonly share: VSpaceShare
  readonly end: End
  readonly parts: RingParts
  readonly options: { readonly status: number; readonly bell: number; readonly wait: WaitStrategy }
  readonly data: unknown
}

/** For its state, its staging, and batches. */
const PRIVATE_BYTES = 256 * 1024

/** As Component.startWorker. */
export function startWorker(component: Component, slot: number, end: End, { wait = {}, data }: WorkerOptions): Worker {
  ensureEnd(end, ENDS)
  const { vspace } = component
  return takeEnds(component, [[slot, end]], ([taken]) => {
    const { address, bytes, status, bell, onClose } = taken as TakenEnd
    const consumerPart = component.frame(slot + 1)
    const parts = {
      producerPart: { address, bytes },
      consumerPart: { address: consumerPart.address, bytes: consumerPart.bytes },
    }
    const share = vspace.share(PRIVATE_BYTES)
    const lent: LentEnd = { share, end, parts, options: { status, bell, wait }, data }
    const worker = new Worker(`/proc/self/fd/${BootFd.script}`, { workerData: lent })
    vspace.workers += 1
    worker.once("exit", () => {
      vspace.workers -= 1
      vspace.freePrivate(share.privateStart, PRIVATE_BYTES)
      closeFor(vspace, lent, onClose)
    })
    return worker
  })
}

/** As the worker's successor: what it had sent stays, and the peer is told. */
function closeFor(vspace: VSpace, { end, parts, options: { status, bell } }: LentEnd, onClose: () => void): void {
  try {
    SharedRing[end](vspace, parts, { status, bell, onClose }).close()
  } catch {
    // Its pages have gone, or the peer has spoilt them: there is nobody to tell.
    onClose()
  }
}

/** In the worker: the end that it was lent, and what came with it. */
export function lentEnd(): [RingProducer | RingConsumer, unknown] {
  const { share, end, parts, options, data } = workerData as LentEnd
  return [SharedRing[end](VSpace.adopt(share), parts, options), data]
}
