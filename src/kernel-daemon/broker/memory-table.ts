// memory-table.ts: the memfd behind each MemoryId. The daemon's descriptors are the last ones; closing them frees the memory.

import { fstatSync } from "node:fs"
import { type Fd, native } from "../../../native/index.ts"
import { Permission, type Permissions } from "../abi/rights.ts"
import type { MemoryId } from "../invocation/effects.ts"
import type { MemoryIdentity } from "./memory-traces.ts"

interface Memory {
  readonly writable: Fd
  /** Opened for reading only; made when the first reader comes. */
  readable: Fd | undefined
}

export class MemoryTable {
  readonly #memories = new Map<MemoryId, Memory>()

  /** @throws {NativeError} out of memory or descriptors; nothing is then recorded */
  create(memory: MemoryId, bytes: number, label: string): void {
    this.#memories.set(memory, { writable: native.createFrame(bytes, label), readable: undefined })
  }

  /**
   * The descriptor to hand to a component for mapping with `permissions`. Who may only read gets one that Linux lets
   * nobody map for writing, nor by mprotect later.
   * @throws {NativeError} out of descriptors
   */
  fdFor(memory: MemoryId, permissions: Permissions): Fd {
    const found = this.#find(memory)
    if (permissions & Permission.write) return found.writable
    found.readable ??= native.reopenReadOnly(found.writable)
    return found.readable
  }

  /** What tells this memory from any other in /proc. */
  identity(memory: MemoryId): MemoryIdentity {
    const { dev, ino } = fstatSync(this.#find(memory).writable)
    return { device: dev, inode: ino }
  }

  destroy(memory: MemoryId): void {
    const { writable, readable } = this.#find(memory)
    this.#memories.delete(memory)
    native.closeFd(writable)
    if (readable !== undefined) native.closeFd(readable)
  }

  #find(memory: MemoryId): Memory {
    const found = this.#memories.get(memory)
    if (found === undefined) throw new Error(`Memory ${memory} has no descriptor: the kernel and the broker disagree`)
    return found
  }
}
