// daemon-pages.ts: pages that only the daemon writes and components read: where they lie in the daemon's own VSpace.

import { type Fd, native } from "../../../native/index.ts"
import { VSpace } from "../../ring/vspace.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import { FRAMES_END, FRAMES_START, PRIVATE_END, PRIVATE_START, VSPACE_BYTES } from "../abi/vspace-map.ts"

const READ_WRITE = 3
const EVERYBODY = 0x7fff_ffff

/** All lie in one VSpace of the daemon's own, so they are written by the same WebAssembly that components read with. */
export class DaemonPages {
  readonly #vspace: VSpace
  readonly #free: number[] = []
  #next = FRAMES_START

  constructor(ringWasm: Uint8Array) {
    const map = { bytes: VSPACE_BYTES, privateStart: PRIVATE_START, privateEnd: PRIVATE_END }
    this.#vspace = VSpace.create(map, ringWasm)
  }

  /**
   * Maps a page, whose memory nobody can map for writing from then on. The descriptor stays the caller's.
   * @returns its address in the daemon
   * @throws {NativeError} when mappings have run out; nothing is then held
   */
  add(writable: Fd): number {
    const address = this.#free.at(-1) ?? this.#next
    if (address >= FRAMES_END) throw new Error(`No address left for a page of the daemon's below ${FRAMES_END}`)
    native.map(address, PAGE_BYTES, writable, READ_WRITE)
    native.sealFutureWrites(writable)
    if (this.#free.pop() === undefined) this.#next += PAGE_BYTES
    return address
  }

  /** Where Linux has no memory for the change, the page goes when the next one is mapped in its place. */
  remove(address: number): void {
    try {
      native.unmap(address, PAGE_BYTES)
    } catch {}
    this.#free.push(address)
  }

  /** Writes one word; what was written before is visible to who sees it. */
  store(address: number, value: number): void {
    this.#vspace.storeWord(address, value)
  }

  /** Wakes everybody who sleeps on the word. */
  wake(address: number): void {
    native.futexWake(address, EVERYBODY)
  }
}
