// vspace.ts: which ranges of one component's VSpace are in use. Page-granular, first fit, a guard page between any two.

import { KernelError } from "../abi/errors.ts"
import { MAX_MAPPINGS, OBJECT_BYTES, PAGE_BYTES } from "../abi/limits.ts"
import { FRAMES_END, FRAMES_START } from "../abi/vspace-map.ts"
import { ObjectBase } from "./kernel-object.ts"
import type { Mapping } from "./mapping.ts"
import type { Untyped } from "./untyped.ts"

const WHERE_FRAMES_ARE = `between ${hex(FRAMES_START)} and ${hex(FRAMES_END)}`

export class VSpace extends ObjectBase {
  readonly type = "VSpace"
  /** A component has been made with it. One that has been used is not used again. */
  inUse = false
  /** Sorted by address; never overlapping, never adjacent. */
  readonly #ranges: Mapping[] = []

  constructor(origin: Untyped | undefined) {
    super(origin, OBJECT_BYTES.vspace)
  }

  /** All mappings by address, those included that are on their way in or out. */
  get mappings(): readonly Mapping[] {
    return this.#ranges
  }

  /**
   * The lowest address where `bytes` fit. A guard page makes an overrun a fault, not somebody else's data.
   * @param bytes a multiple of the page size
   * @throws {KernelError} NotEnoughMemory: no gap is large enough, or there are MAX_MAPPINGS
   *
   * Cost: linear in the mappings.
   */
  chooseAddress(bytes: number): number {
    this.#ensureRoom()
    let address = FRAMES_START
    for (const range of this.#ranges) {
      if (address + bytes + PAGE_BYTES <= range.address) return address
      address = range.address + range.bytes + PAGE_BYTES
    }
    if (bytes <= FRAMES_END - address) return address
    throw new KernelError("NotEnoughMemory", `no gap of ${bytes} bytes is left ${WHERE_FRAMES_ARE}: unmap something`)
  }

  /**
   * Checks a range that the caller chose.
   * @throws {KernelError} AlignmentError, RangeError: not page-aligned, not where frames are mapped
   * @throws {KernelError} DeleteFirst: it meets a mapping or its guard page
   * @throws {KernelError} NotEnoughMemory: there are MAX_MAPPINGS
   */
  ensureFree(address: number, bytes: number): void {
    this.#ensureRoom()
    const text = hex(address)
    if (address % PAGE_BYTES !== 0) {
      throw new KernelError("AlignmentError", `address ${text} is not a multiple of the page size, ${PAGE_BYTES}`)
    }
    if (address < FRAMES_START || address + bytes > FRAMES_END) {
      throw new KernelError("RangeError", `address ${text} and ${bytes} bytes do not lie ${WHERE_FRAMES_ARE}`)
    }
    const before = this.#ranges[this.#indexAfter(address + bytes) - 1]
    if (before !== undefined && before.address + before.bytes + PAGE_BYTES > address) {
      throw new KernelError(
        "DeleteFirst",
        `address ${text} and ${bytes} bytes meet the mapping at ${hex(before.address)} or its guard page: unmap it`,
      )
    }
  }

  /** Enters a mapping whose range is free. */
  add(mapping: Mapping): void {
    this.#ranges.splice(this.#indexAfter(mapping.address), 0, mapping)
  }

  /** Gives the range of a mapping back. */
  remove(mapping: Mapping): void {
    const index = this.#indexAfter(mapping.address) - 1
    if (this.#ranges[index] === mapping) this.#ranges.splice(index, 1)
  }

  /** The living mapping that `address` lies in. Cost: logarithmic. */
  find(address: number): Mapping | undefined {
    const mapping = this.#ranges[this.#indexAfter(address) - 1]
    return mapping?.alive && address < mapping.address + mapping.bytes ? mapping : undefined
  }

  #ensureRoom(): void {
    if (this.#ranges.length < MAX_MAPPINGS) return
    throw new KernelError("NotEnoughMemory", `the VSpace has ${MAX_MAPPINGS} mappings, there cannot be more: unmap one`)
  }

  /** Index of the first range that starts above `address`. */
  #indexAfter(address: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ranges[middle] as Mapping).address <= address) low = middle + 1
      else high = middle
    }
    return low
  }
}

function hex(address: number): string {
  return `0x${address.toString(16)}`
}
