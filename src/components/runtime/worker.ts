// worker.ts: ends in a worker thread of their component. Only the main thread makes syscalls: it takes the ends, lends them, and gives
// them up when the worker has ended.

import type { Worker } from "node:worker_threads"
import { BootFd } from "../../kernel-daemon/abi/boot.ts"
import { PAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import { ensureOptions, RingError } from "../../ring/errors.ts"
import { VSpace, type VSpaceShare } from "../../ring/vspace.ts"
import { type Attachment, type Taken, takeAll } from "./attachment.ts"
import type { Component } from "./component.ts"
import { attachmentOf, type LentEnd } from "./ends.ts"

/** Loaded for those that have workers: it takes 100 KiB and half a millisecond. */
const threads = () => process.getBuiltinModule("node:worker_threads")

export type Loans = Readonly<Record<string, LentEnd>>

export interface WorkerOptions {
  /** For the worker: whatever structured clone can copy. */
  readonly data?: unknown
  /** Private memory for the state, staging and batches of its ends; by default 256 KiB for each. */
  readonly privateBytes?: number
}

/** What the worker's thread gets as its `workerData`. */
interface Lent {
  readonly share: VSpaceShare
  readonly loans: Loans
  /** Of all ends, one behind the other. */
  readonly taken: readonly Omit<Taken, "onClose">[]
  readonly data: unknown
}

const PRIVATE_BYTES_AN_END = 256 * 1024

/** As Component.startWorker. */
export function startWorker(component: Component, loans: Loans, options: WorkerOptions): Worker {
  ensureOptions(options, "data and privateBytes, both optional")
  const { data, privateBytes } = options
  const attachments = attachmentsOf(loans)
  const bytes = checkPrivate(privateBytes ?? PRIVATE_BYTES_AN_END * Math.max(1, attachments.length))
  const wanted = attachments.flatMap(attachment => [...attachment.wanted])
  const { vspace } = component
  return takeAll(component, wanted, taken => {
    const share = vspace.share(bytes)
    const plain = taken.map(({ onClose: _, ...each }) => each)
    const lent: Lent = { share, loans, taken: plain, data }
    let worker: Worker
    try {
      worker = new (threads().Worker)(`/proc/self/fd/${BootFd.script}`, { workerData: lent })
    } catch (error) {
      vspace.freePrivate(share.privateStart, bytes)
      throw error
    }
    vspace.workers += 1
    worker.once("exit", () => {
      vspace.workers -= 1
      vspace.freePrivate(share.privateStart, bytes)
      eachWith(attachments, taken, (attachment, its) => closeFor(vspace, attachment, its))
    })
    return worker
  })
}

/** In the worker: the ends that it was lent, by their names, and what came with them. */
export function lentEnds(): [ends: Record<string, unknown>, data: unknown] {
  const { share, loans, taken, data } = threads().workerData as Lent
  const vspace = VSpace.adopt(share)
  const made: unknown[] = []
  const given = taken.map(each => ({ ...each, onClose: () => {} }))
  eachWith(attachmentsOf(loans), given, (attachment, its) => made.push(attachment.make(vspace, its)))
  return [Object.fromEntries(Object.keys(loans).map((name, at) => [name, made[at]])), data]
}

function attachmentsOf(loans: Loans): Attachment<{ close(): void }>[] {
  ensureOptions(loans, 'the worker\'s ends by name, as { jobs: ["consumer", slot] }')
  return Object.entries(loans).map(([name, loan]) => attachmentOf(name, loan))
}

/** @throws {RingError} InvalidArgument */
function checkPrivate(bytes: number): number {
  if (Number.isInteger(bytes) && bytes >= PAGE_BYTES && bytes % PAGE_BYTES === 0) return bytes
  throw new RingError("InvalidArgument", `privateBytes is ${bytes}, which must be a multiple of ${PAGE_BYTES}`)
}

function eachWith<E>(
  attachments: readonly Attachment<E>[],
  taken: readonly Taken[],
  apply: (attachment: Attachment<E>, its: readonly Taken[]) => void,
): void {
  let at = 0
  for (const attachment of attachments) {
    const { length } = attachment.wanted
    apply(attachment, taken.slice(at, at + length))
    at += length
  }
}

/** As the worker's successor: what it had sent stays, and the peer is told. */
function closeFor(vspace: VSpace, attachment: Attachment<{ close(): void }>, taken: readonly Taken[]): void {
  try {
    attachment.make(vspace, taken).close()
  } catch {
    // Its pages have gone, or the peer has spoilt them: there is nobody to tell.
  }
  for (const { onClose } of taken) onClose()
}
