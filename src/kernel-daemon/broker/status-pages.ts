// status-pages.ts: the page of status words that each component can read and only the daemon can write.

import { type Fd, native } from "../../../native/index.ts"
import { Status } from "../../ring/layout.ts"
import { VSpace } from "../../ring/vspace.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import { FRAMES_END, FRAMES_START, PRIVATE_END, PRIVATE_START, VSPACE_BYTES } from "../abi/vspace-map.ts"
import type { HandleStatus } from "../invocation/effects.ts"

const READ_WRITE = 3

const numberOf: Record<HandleStatus, number> = {
  live: Status.Live,
  "peer-gone": Status.PeerGone,
  revoked: Status.Revoked,
}

/** One component's page: a descriptor to hand over, which can only be read, and the daemon's own writable view. */
export interface StatusPage {
  readonly fd: Fd
  readonly address: number
}

/** All pages lie in one VSpace of the daemon's own, so they are written by the same WebAssembly that reads them. */
export class StatusPages {
  readonly #vspace: VSpace
  readonly #free: number[] = []
  #next = FRAMES_START

  constructor(ringWasm: Uint8Array) {
    const map = { bytes: VSPACE_BYTES, privateStart: PRIVATE_START, privateEnd: PRIVATE_END }
    this.#vspace = VSpace.create(map, ringWasm)
  }

  /** @throws {NativeError} when memory, mappings or descriptors have run out; nothing is then held */
  create(): StatusPage {
    const address = this.#free.at(-1) ?? this.#next
    if (address >= FRAMES_END) throw new Error(`No address left for a status page below ${FRAMES_END}`)
    const writable = native.createFrame(PAGE_BYTES, "kaal-status")
    try {
      const fd = native.reopenReadOnly(writable)
      try {
        native.map(address, PAGE_BYTES, writable, READ_WRITE)
      } catch (error) {
        native.closeFd(fd)
        throw error
      }
      // Nobody shall write it but through this mapping.
      native.sealFutureWrites(writable)
      if (this.#free.pop() === undefined) this.#next += PAGE_BYTES
      return { fd, address }
    } finally {
      native.closeFd(writable)
    }
  }

  /** Writes one word and wakes everybody who sleeps on it. */
  set(page: StatusPage, index: number, status: HandleStatus): void {
    const address = page.address + 4 * index
    // ORDER status: everything the kernel did before is visible to who sees the new status, which loads this word.
    this.#vspace.storeWord(address, numberOf[status])
    native.futexWake(address, 0x7fff_ffff)
  }

  destroy(page: StatusPage): void {
    native.unmap(page.address, PAGE_BYTES)
    native.closeFd(page.fd)
    this.#free.push(page.address)
  }
}
