// status-pages.ts: the page of status words that each component can read and only the daemon can write.

import { type Fd, native } from "../../../native/index.ts"
import { Status } from "../../ring/layout.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import type { HandleStatus } from "../invocation/effects.ts"
import type { DaemonPages } from "./daemon-pages.ts"

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

export class StatusPages {
  readonly #daemonPages: DaemonPages

  constructor(daemonPages: DaemonPages) {
    this.#daemonPages = daemonPages
  }

  /** @throws {NativeError} when memory, mappings or descriptors have run out; nothing is then held */
  create(): StatusPage {
    const writable = native.createFrame(PAGE_BYTES, "kaal-status")
    try {
      const fd = native.reopenReadOnly(writable)
      try {
        return { fd, address: this.#daemonPages.add(writable) }
      } catch (error) {
        native.closeFd(fd)
        throw error
      }
    } finally {
      native.closeFd(writable)
    }
  }

  /** Writes one word and wakes everybody who sleeps on it. */
  set(page: StatusPage, index: number, status: HandleStatus): void {
    const address = page.address + 4 * index
    // ORDER status: everything the kernel did before is visible to who sees the new status, which loads this word.
    this.#daemonPages.store(address, numberOf[status])
    this.#daemonPages.wake(address)
  }

  destroy(page: StatusPage): void {
    this.#daemonPages.remove(page.address)
    native.closeFd(page.fd)
  }
}
