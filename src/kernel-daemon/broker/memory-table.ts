// memory-table.ts: the memfd behind each MemoryId. The daemon holds one descriptor each; the last close frees the memory.

import { type Fd, native } from "../../../native/index.ts"
import type { MemoryId } from "../invocation/effects.ts"

export class MemoryTable {
  readonly #fds = new Map<MemoryId, Fd>()

  /** @throws {NativeError} out of memory or descriptors; nothing is then recorded */
  create(memory: MemoryId, bytes: number, label: string): void {
    this.#fds.set(memory, native.createFrame(bytes, label))
  }

  fd(memory: MemoryId): Fd {
    const fd = this.#fds.get(memory)
    if (fd === undefined) throw new Error(`Memory ${memory} has no descriptor: the kernel and the broker disagree`)
    return fd
  }

  destroy(memory: MemoryId): void {
    const fd = this.fd(memory)
    this.#fds.delete(memory)
    native.closeFd(fd)
  }
}
