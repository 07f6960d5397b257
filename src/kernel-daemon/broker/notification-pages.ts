// notification-pages.ts: what the daemon tells who waits on a notification: the lanes in use, and what each may carry.

import { readSync } from "node:fs"
import type { Fd } from "../../../native/index.ts"
import { ACK_VALUE, LANE_BYTES, NOTIFICATION_BADGES, NOTIFICATION_IN_USE } from "../../ring/layout.ts"
import { KernelError } from "../abi/errors.ts"
import type { MemoryId } from "../invocation/effects.ts"
import type { DaemonPages } from "./daemon-pages.ts"

interface Page {
  readonly address: number
  inUse: number
}

export class NotificationPages {
  readonly #daemonPages: DaemonPages
  readonly #pages = new Map<MemoryId, Page>()

  constructor(daemonPages: DaemonPages) {
    this.#daemonPages = daemonPages
  }

  /** @throws {NativeError} when mappings have run out */
  create(memory: MemoryId, writable: Fd): void {
    this.#pages.set(memory, { address: this.#daemonPages.add(writable), inUse: 0 })
  }

  /** Does nothing for a memory that is no notification's page. */
  destroy(memory: MemoryId): void {
    const page = this.#pages.get(memory)
    if (page === undefined) return
    this.#pages.delete(memory)
    this.#daemonPages.remove(page.address)
  }

  /**
   * Takes its badge from a lane that nobody can write now.
   * @throws {KernelError} NotEnoughMemory: its last holder's bits have not been taken
   */
  clear(memory: MemoryId, index: number, lane: Fd, ack: Fd): void {
    // The lane stands still and the acknowledgement changes only to become equal to it: equal once is equal for good.
    if (read(lane, 0) !== read(ack, ACK_VALUE)) {
      throw new KernelError(
        "NotEnoughMemory",
        `lane ${index} of notification ${memory} holds bits of its last signaller: wait or poll there, then try again`,
      )
    }
    this.#setBadge(this.#pages.get(memory), index, 0n)
  }

  /** Lets a lane carry the bits of `badge`, and says that it is in use. Does nothing when the page is gone. */
  publish(memory: MemoryId, index: number, badge: bigint): void {
    const page = this.#pages.get(memory)
    if (page === undefined) return
    this.#setBadge(page, index, badge)
    page.inUse |= 1 << index
    // ORDER lane-added: the lane is mapped where it is waited for, and its badge stands; take() loads this word.
    const address = page.address + NOTIFICATION_IN_USE
    this.#daemonPages.store(address, page.inUse)
    this.#daemonPages.wake(address)
  }

  /** In two halves: while they differ from each other nothing of the lane is pending, or it is not in use. */
  #setBadge(page: Page | undefined, index: number, badge: bigint): void {
    if (page === undefined) return
    const address = page.address + NOTIFICATION_BADGES + 8 * index
    this.#daemonPages.store(address, Number(badge & 0xffff_ffffn))
    this.#daemonPages.store(address + 4, Number(badge >> 32n))
  }
}

function read(memory: Fd, offset: number): bigint {
  const bytes = Buffer.alloc(LANE_BYTES)
  readSync(memory, bytes, 0, LANE_BYTES, offset)
  return bytes.readBigUInt64LE()
}
