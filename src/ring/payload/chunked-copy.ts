// chunked-copy.ts: copies between JavaScript's memory and shared frames through a piece of private memory: what touches
// the frame is WebAssembly, so a frame that goes meanwhile is a PageFault and not the end of the process.

import type { VSpace } from "../vspace.ts"

/** Stays in the second-level cache, so the second copy costs little. */
const CHUNK_BYTES = 65_536
const WORD_BYTES = 8

// One copy of a thread is under way at a time, so all ends of a VSpace share one piece.
const copies = new WeakMap<VSpace, ChunkedCopy>()

export class ChunkedCopy {
  readonly #vspace: VSpace
  readonly #chunk: number

  /** @throws {RingError} NotEnoughMemory: 64 KiB of the private region, for the first one of a VSpace */
  static of(vspace: VSpace): ChunkedCopy {
    let copy = copies.get(vspace)
    if (copy === undefined) {
      copy = new ChunkedCopy(vspace)
      copies.set(vspace, copy)
    }
    return copy
  }

  private constructor(vspace: VSpace) {
    this.#vspace = vspace
    this.#chunk = vspace.allocatePrivate(CHUNK_BYTES, 128)
  }

  /**
   * @param to address of a place for all of `payload`, rounded up to 8 bytes
   * @throws {PageFault} it is not mapped here for writing
   */
  write(to: number, payload: Uint8Array): void {
    this.#pieces(payload.length, (offset, length) => {
      this.#vspace.u8.set(payload.subarray(offset, offset + length), this.#chunk)
      this.#copy(to + offset, this.#chunk, length)
    })
  }

  /**
   * Fills `payload` from the address `from`, where as many bytes stand, rounded up to 8.
   * @throws {PageFault} it is not mapped here
   */
  read(payload: Uint8Array, from: number): void {
    const chunk = this.#chunk
    this.#pieces(payload.length, (offset, length) => {
      this.#copy(chunk, from + offset, length)
      payload.set(this.#vspace.u8.subarray(chunk, chunk + length), offset)
    })
  }

  #pieces(bytes: number, each: (offset: number, length: number) => void): void {
    for (let offset = 0; offset < bytes; offset += CHUNK_BYTES) each(offset, Math.min(CHUNK_BYTES, bytes - offset))
  }

  #copy(to: number, from: number, bytes: number): void {
    try {
      this.#vspace.hot.copy(to, from, Math.ceil(bytes / WORD_BYTES) * WORD_BYTES)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }
}
