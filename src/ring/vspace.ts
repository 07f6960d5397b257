// vspace.ts: a component's virtual address space: one shared WebAssembly.Memory, over whose pages frames are mapped.

import { readFileSync } from "node:fs"
import { native } from "../../native/index.ts"
import { type FaultExplanation, PageFault, RingError } from "./errors.ts"
import { compile, type Hot, instantiate } from "./hot.ts"
import { LINE_BYTES, STATUS_LIVE } from "./layout.ts"

const WASM_PAGE_BYTES = 65_536
const WORD_BYTES = 8
/** With room for every 32-bit address V8 needs no bounds checks: it leaves them to its fault handler. */
const GUARDED_BYTES = 2 ** 32

/** Where what stands; the kernel's numbers are in abi/vspace-map.ts. */
export interface VSpaceMap {
  /** All of it: a multiple of 64 KiB, and what the WebAssembly was built for. */
  readonly bytes: number
  /** [privateStart, privateEnd) is memory of this process alone, handed out by `allocatePrivate`. */
  readonly privateStart: number
  readonly privateEnd: number
}

/** Goes to a worker thread by structured clone. */
export interface VSpaceShare extends VSpaceMap {
  readonly memory: WebAssembly.Memory
  readonly module: WebAssembly.Module
}

export class VSpace {
  readonly memory: WebAssembly.Memory
  /** The hot code. Its traps go through `faultOf`. */
  readonly hot: Hot
  // Views of everything. Through them an access to an unmapped page is the death of the process, not an exception.
  readonly u8: Uint8Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly u64: BigUint64Array
  readonly f64: Float64Array
  /** Processors that the process could use when this was made; with one, spinning only delays the peer. */
  readonly processors: number
  /** Address of a private status word that stays live, for ends that were given none. */
  readonly alwaysLive: number
  /**
   * Address of eight private bytes, the first: a thread that is about to sleep writes there for how many nanoseconds, as a
   * 64-bit float. With workers it writes 0: one of them may be who shall wake it.
   */
  readonly sleepsFor: number
  /** Threads that share this memory beside the one that made it. */
  workers = 0
  /** Addresses of the index words that ends of this process store to: an end has its own to itself. */
  readonly ownedWords = new Set<number>()
  /** Asks the kernel what lies at an address, where there is one to ask. */
  explainFault: ((address: number) => FaultExplanation) | undefined = undefined
  readonly #module: WebAssembly.Module | undefined
  readonly #privateEnd: number
  #privateNext: number
  /** Addresses given back, by size. */
  readonly #freed = new Map<number, number[]>()
  #faultsSeen = 0

  private constructor(map: VSpaceMap, memory: WebAssembly.Memory, hot: Hot, module: WebAssembly.Module | undefined) {
    this.memory = memory
    this.#module = module
    this.hot = hot
    this.u8 = new Uint8Array(memory.buffer)
    this.i32 = new Int32Array(memory.buffer)
    this.u32 = new Uint32Array(memory.buffer)
    this.u64 = new BigUint64Array(memory.buffer)
    this.f64 = new Float64Array(memory.buffer)
    this.processors = native.affinity().length
    this.#privateNext = map.privateStart
    this.#privateEnd = map.privateEnd
    this.sleepsFor = this.allocatePrivate(8, 8)
    this.alwaysLive = this.allocatePrivate(4, 4)
    this.u32[this.alwaysLive / 4] = STATUS_LIVE
  }

  /**
   * Reserves the address space, compiles the hot code and leaves nothing accessible but the private region.
   * Once a thread; the process's second memory is refused by the addon.
   *
   * @param wasm the module that scripts/build-wasm.ts made
   * @throws {RingError} NotEnoughMemory: the address space cannot be reserved, or V8 was told not to handle page faults
   * Cost: 10 GiB of address space, no memory; as `compile`.
   */
  static create(map: VSpaceMap, wasm: Uint8Array): VSpace {
    const memory = reserve(map.bytes)
    const module = compile(wasm)
    native.attachMemory(new Uint8Array(memory.buffer), map.privateEnd)
    return new VSpace(map, memory, instantiate(module, memory), module)
  }

  /** In another thread of the process: the same memory and code, and a piece of the private region for this thread's own. */
  static adopt({ memory, module, ...map }: VSpaceShare): VSpace {
    native.adoptMemory(new Uint8Array(memory.buffer))
    return new VSpace(map, memory, instantiate(module, memory), module)
  }

  /**
   * What another thread of the process needs for a VSpace of its own; to be freed when that has ended.
   * @param bytes of private memory
   * @throws {RingError} NotEnoughMemory
   */
  share(bytes: number): VSpaceShare {
    if (this.#module === undefined) throw new RingError("IllegalOperation", "This VSpace has no module to share")
    const privateStart = this.allocatePrivate(bytes, LINE_BYTES)
    return { memory: this.memory, module: this.#module, bytes, privateStart, privateEnd: privateStart + bytes }
  }

  /** As `create`, over a memory and hot code that a tool brings along: the schedule explorer. */
  static over(map: VSpaceMap, memory: WebAssembly.Memory, hot: Hot): VSpace {
    native.attachMemory(new Uint8Array(memory.buffer), map.privateEnd)
    return new VSpace(map, memory, hot, undefined)
  }

  /**
   * Private memory, zeroed, until `freePrivate` gets it back.
   * @param bytes a positive integer
   * @param align a power of two
   * @returns its address
   * @throws {RingError} NotEnoughMemory: the private region is full
   */
  allocatePrivate(bytes: number, align: number): number {
    const freed = this.#freed.get(bytes)
    const at = freed?.findIndex(address => address % align === 0) ?? -1
    if (freed !== undefined && at >= 0) {
      const [address] = freed.splice(at, 1) as [number]
      this.u8.fill(0, address, address + bytes)
      return address
    }
    const address = Math.ceil(this.#privateNext / align) * align
    if (address + bytes > this.#privateEnd) {
      const left = this.#privateEnd - this.#privateNext
      throw new RingError(
        "NotEnoughMemory",
        `Cannot allocate ${bytes} bytes: ${left} are left in the private region; use fewer ends or smaller slots`,
      )
    }
    this.#privateNext = address + bytes
    return address
  }

  /** Gives back what `allocatePrivate` handed out, for the next that asks for as many bytes. */
  freePrivate(address: number, bytes: number): void {
    const freed = this.#freed.get(bytes)
    if (freed === undefined) this.#freed.set(bytes, [address])
    else freed.push(address)
  }

  /**
   * Reads a shared 32-bit word atomically: 0 to 2^32 - 1.
   * @throws {PageFault} nothing is mapped there
   * @throws {RingError} AlignmentError, RangeError: not the address of a word
   */
  loadWord(address: number): number {
    this.#checkWord(address)
    try {
      return this.hot.loadWord(address) >>> 0
    } catch (error) {
      throw this.faultOf(error)
    }
  }

  /**
   * Writes a shared 32-bit word atomically, sequentially consistent.
   * @throws {PageFault} nothing is mapped there, or read-only
   * @throws {RingError} AlignmentError, RangeError: not the address of a word
   */
  storeWord(address: number, value: number): void {
    this.#checkWord(address)
    try {
      this.hot.storeWord(address, value)
    } catch (error) {
      throw this.faultOf(error)
    }
  }

  /**
   * Stores `value` if the word holds `expected`. Returns what it held, 0 to 2^32 - 1.
   * @throws {PageFault} nothing is mapped there, or read-only
   * @throws {RingError} AlignmentError, RangeError: not the address of a word
   */
  compareExchangeWord(address: number, expected: number, value: number): number {
    this.#checkWord(address)
    try {
      return this.hot.compareExchangeWord(address, expected, value) >>> 0
    } catch (error) {
      throw this.faultOf(error)
    }
  }

  /**
   * Copies from one place of the VSpace to another, as into a claimed slot; neither may lie in the other. Where a page is
   * missing, what comes before it has been copied, save up to 56 bytes.
   * @param bytes like both addresses a multiple of 8
   * @throws {PageFault} something is not mapped, or `to` is read-only
   * @throws {RingError} AlignmentError, RangeError
   * Cost: half of what `u8.set` takes, which copies shared memory word by word: 2.2 us for 64 KiB.
   */
  copy(to: number, from: number, bytes: number): void {
    this.checkRange("what is copied to", to, bytes, WORD_BYTES)
    this.checkRange("what is copied from", from, bytes, WORD_BYTES)
    if (bytes < 0 || bytes % WORD_BYTES !== 0) {
      throw new RingError(
        "AlignmentError",
        `copy of ${bytes} bytes: they must be a multiple of ${WORD_BYTES}, 0 or more`,
      )
    }
    try {
      this.hot.copy(to, from, bytes)
    } catch (error) {
      throw this.faultOf(error)
    }
  }

  /**
   * What the hot code threw, as a PageFault if it was one; any other error as it is.
   * Cost: of a page fault in a component, a call to the kernel.
   */
  faultOf(error: unknown): unknown {
    if (!(error instanceof WebAssembly.RuntimeError) || !error.message.includes("out of bounds")) return error
    const fault = native.lastFault()
    // Without our handler in place there is no record, or only that of an earlier fault.
    if (fault === undefined || fault.sequence === this.#faultsSeen)
      return new PageFault(-1, "unknown", undefined, { cause: error })
    this.#faultsSeen = fault.sequence
    const { address, access } = fault
    return new PageFault(address, access, address < 0 ? undefined : this.explainFault?.(address), { cause: error })
  }

  /**
   * Refuses a range that does not lie in the VSpace or is not aligned. `what` names it in the message.
   * @throws {RingError} RangeError, AlignmentError
   */
  checkRange(what: string, address: number, bytes: number, align: number): void {
    const size = this.u8.length
    if (!Number.isInteger(address) || address < 0 || address + bytes > size) {
      throw new RingError(
        "RangeError",
        `The address of ${what} is ${address}: ${bytes} bytes must lie in 0 to ${size}; pass what the kernel mapped`,
      )
    }
    if (address % align !== 0) {
      throw new RingError(
        "AlignmentError",
        `The address of ${what} is ${address}, which must be a multiple of ${align}`,
      )
    }
  }

  #checkWord(address: number): void {
    if (address % 4 !== 0 || address < 0 || address >= this.u8.length) this.checkRange("the word", address, 4, 4)
  }
}

function reserve(bytes: number): WebAssembly.Memory {
  const pages = bytes / WASM_PAGE_BYTES
  const before = addressSpaceBytes()
  try {
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
    // Node 24 and later make do with less where the limit is low. Then V8 checks bounds instead of handling faults, and
    // an access to an unmapped page would kill.
    if (addressSpaceBytes() - before >= GUARDED_BYTES) return memory
  } catch (cause) {
    throw tooSmall(bytes, cause)
  }
  throw tooSmall(bytes)
}

function tooSmall(bytes: number, cause?: unknown): RingError {
  return new RingError(
    "NotEnoughMemory",
    `Cannot reserve a VSpace of ${bytes} bytes: V8 takes about 10 GiB of address space for it (no memory), or cannot ` +
      `handle page faults; raise the limit that "ulimit -v" shows, and run node without --disable-wasm-trap-handler`,
    { cause },
  )
}

function addressSpaceBytes(): number {
  const [, kibibytes] = readFileSync("/proc/self/status", "utf8").match(/^VmSize:\s+(\d+) kB$/m) ?? []
  return Number(kibibytes) * 1024
}
