// memory-table.ts: the memfd behind each MemoryId. The daemon's descriptors are the last ones; closing them frees the memory.

import { fstatSync, readFileSync, readSync, writeSync } from "node:fs"
import { type Fd, native } from "../../../native/index.ts"
import { KernelError } from "../abi/errors.ts"
import { Permission, type Permissions } from "../abi/rights.ts"
import type { MemoryId } from "../invocation/effects.ts"
import type { MemoryIdentity } from "./memory-traces.ts"

/** Allocated at once: one or two milliseconds of the daemon's time. */
const SLICE_BYTES = 4 * 1024 * 1024

/**
 * Descriptors that no memory gets: without some the daemon could not look at a component's page tables, and would have to
 * end whoever something is revoked from.
 */
const RESERVED_FDS = 128

interface Memory {
  readonly writable: Fd
  /** Opened for reading only; made when the first reader comes. */
  readable: Fd | undefined
}

interface NewMemory {
  readonly bytes: number
  /** What /proc calls it. */
  readonly label: string
  /** Acquires the descriptor for readers as well, so that `fdFor` does not throw. */
  readonly forReaders: boolean
}

export class MemoryTable {
  readonly #memories = new Map<MemoryId, Memory>()
  /** Linux gives out the lowest free number: from this one on those of the reserve are in use. */
  readonly #firstReservedFd = maxOpenFiles() - RESERVED_FDS

  /** How many there are. */
  get size(): number {
    return this.#memories.size
  }

  /**
   * Makes a frame's memory, page by page in slices between which others are served, and calls back once: with the refusal
   * when memory or descriptors have run out, and then nothing is recorded. `destroy` may come before it has finished.
   */
  create(memory: MemoryId, { bytes, label, forReaders }: NewMemory, done: (refused?: Error) => void): void {
    try {
      this.#memories.set(memory, { writable: this.#counted(native.reserveFrame(bytes, label)), readable: undefined })
      if (forReaders) this.fdFor(memory, Permission.read)
    } catch (error) {
      if (this.has(memory)) this.destroy(memory)
      return done(error as Error)
    }
    this.#allocate(memory, 0, bytes, done)
  }

  #allocate(memory: MemoryId, offset: number, bytes: number, done: (refused?: Error) => void): void {
    const found = this.#memories.get(memory)
    if (found === undefined) return done(new KernelError("Cancelled", `Memory ${memory} is no longer wanted`))
    const slice = Math.min(bytes - offset, SLICE_BYTES)
    try {
      native.allocateFrame(found.writable, offset, slice)
    } catch (error) {
      this.destroy(memory)
      return done(error as Error)
    }
    if (offset + slice === bytes) return done()
    setImmediate(() => this.#allocate(memory, offset + slice, bytes, done))
  }

  /**
   * The descriptor to hand to a component for mapping with `permissions`. Who may only read gets one that Linux lets
   * nobody map for writing, nor by mprotect later.
   * @throws {Error} out of descriptors
   */
  fdFor(memory: MemoryId, permissions: Permissions): Fd {
    const found = this.#find(memory)
    if (permissions & Permission.write) return found.writable
    found.readable ??= this.#counted(native.reopenReadOnly(found.writable))
    return found.readable
  }

  /** @throws {NativeError} Linux refuses */
  seal(memory: MemoryId): void {
    native.sealFutureWrites(this.#find(memory).writable)
  }

  has(memory: MemoryId): boolean {
    return this.#memories.has(memory)
  }

  /** Copies in slices between which others are served, and calls back once, with why not when either went meanwhile. */
  copy(from: MemoryId, to: MemoryId, bytes: number, done: (refused?: Error) => void, offset = 0): void {
    const [source, target] = [this.#memories.get(from), this.#memories.get(to)]
    if (source === undefined || target === undefined) {
      return done(new KernelError("Cancelled", `Memory ${from} went while it was copied`))
    }
    const slice = Buffer.allocUnsafe(Math.min(bytes - offset, SLICE_BYTES))
    try {
      readSync(source.writable, slice, 0, slice.length, offset)
      writeSync(target.writable, slice, 0, slice.length, offset)
    } catch (error) {
      return done(error as Error)
    }
    if (offset + slice.length === bytes) return done()
    setImmediate(() => this.copy(from, to, bytes, done, offset + slice.length))
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

  /** @throws {Error} the descriptor is one of the reserve, and is closed */
  #counted(fd: Fd): Fd {
    if (fd < this.#firstReservedFd) return fd
    native.closeFd(fd)
    throw new Error(`the daemon's descriptors are used up, but for ${RESERVED_FDS} that no memory gets (ulimit -n)`)
  }

  #find(memory: MemoryId): Memory {
    const found = this.#memories.get(memory)
    if (found === undefined) throw new Error(`Memory ${memory} has no descriptor: the kernel and the broker disagree`)
    return found
  }
}

function maxOpenFiles(): number {
  const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? []
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit)
}
