// untyped.ts: memory that objects are made from. Accounts are kept by count: Linux finds the pages, the kernel their
// price.

import { KernelError } from "../abi/errors.ts"
import { ObjectBase } from "./kernel-object.ts"

export class Untyped extends ObjectBase {
  readonly type = "Untyped"
  #freeBytes: number

  constructor(origin: Untyped | undefined, bytes: number) {
    super(origin, bytes)
    this.#freeBytes = bytes
  }

  get freeBytes(): number {
    return this.#freeBytes
  }

  /** True when nothing made from it is left. */
  get whole(): boolean {
    return this.#freeBytes === this.chargedBytes
  }

  /**
   * Takes `bytes` for something made from this memory.
   * @throws {KernelError} NotEnoughMemory: fewer are free
   */
  charge(bytes: number): void {
    if (bytes > this.#freeBytes) {
      throw new KernelError(
        "NotEnoughMemory",
        `bytes is ${bytes}, the untyped has ${this.#freeBytes} of ${this.chargedBytes} free: delete or revoke first`,
      )
    }
    this.#freeBytes -= bytes
  }

  /** Gives back what `charge` took. */
  refund(bytes: number): void {
    this.#freeBytes += bytes
  }
}
