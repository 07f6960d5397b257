// process.ts: one process as an automaton. What it does next depends on nothing but what its accesses have returned, so it
// is run again from its start with those values, until it asks for one more; and each such history is run once only.

import { native } from "../../native/index.ts"
import type { Hot } from "../ring/hot.ts"
import { VSpace } from "../ring/vspace.ts"
import { endLoop, type HungBell, takeOverBells } from "./event-loop.ts"
import { SCRATCH, SHARED_START, type SharedAccesses, SPACE_BYTES } from "./shared-space.ts"

export interface Access {
  readonly kind:
    | ("load" | "store" | "exchange" | "compareExchange" | "wait" | "wake")
    | ("ring" | "listen" | "poll" | "collect")
    | "watch"
  readonly atomic: boolean
  /** Of "ring" and "listen": the bell's number. */
  readonly address: number
  readonly bytes: number
  readonly value?: bigint
  readonly expected?: bigint
  /** Of a wait or a watch: addresses and values, in pairs. */
  readonly words?: readonly number[]
  /** Of "poll" and "collect": the bells of the process, by number. */
  readonly bells?: readonly number[]
  readonly operation: string
  /** Counts the operations begun; 0 while the process attaches, which nobody interrupts. */
  readonly operations: number
}

/** The process after so many accesses. */
export interface Point {
  readonly id: number
  readonly parent: Point | undefined
  /** What the parent's access returned. */
  readonly result: bigint
  readonly depth: number
  /** What it does next; undefined when it has ended. */
  access: Access | undefined
  error: Error | undefined
  known: boolean
  readonly next: Map<bigint, Point>
}

export interface Program {
  readonly name: string
  readonly bells?: readonly HungBell[]
  /** Attaches, then returns what it does. `begin` names each operation. All of it is the code that ships. */
  attach(vspace: VSpace, begin: (operation: string) => void): () => void
  /** It spins until the word that it looks at changes: then it is not run before that. */
  readonly neverSleeps?: boolean
}

const PRIVATE_START = 4096
/** Accesses of one operation after which it is said to make no progress. */
const MAX_ACCESSES = 6000
/** From one look at the clock to the next: more than a wait spins for, if it spins at all. */
const LOOK_MS = 1
const NOTHING = 0n
const SUSPEND = new Error("suspended: asks for a value that is not known yet")

let running: Process | undefined

/**
 * What an access returns that need not be asked for, 0 for a store that nobody has to be asked about; undefined: it has to be, and
 * what comes behind it too.
 */
export type Foreseen = (access: Access) => bigint | undefined

type Made = Omit<Access, "operation" | "operations">

const answer = (access: Made): bigint => {
  if (running === undefined) throw new Error("A shared access outside a run")
  return running.answer(access)
}

const accesses: SharedAccesses = {
  load32: (address, atomic) => Number(answer({ kind: "load", atomic: atomic === 1, address, bytes: 4 })) | 0,
  load64: (address, atomic) => answer({ kind: "load", atomic: atomic === 1, address, bytes: 8 }),
  store32: (address, value, atomic) => {
    answer({ kind: "store", atomic: atomic === 1, address, bytes: 4, value: BigInt(value >>> 0) })
  },
  store64: (address, value, atomic) => {
    answer({ kind: "store", atomic: atomic === 1, address, bytes: 8, value: BigInt.asUintN(64, value) })
  },
  exchange32: (address, value) =>
    Number(answer({ kind: "exchange", atomic: true, address, bytes: 4, value: BigInt(value >>> 0) })) | 0,
  compareExchange32: (address, expected, value) => {
    const words = { expected: BigInt(expected >>> 0), value: BigInt(value >>> 0) }
    return Number(answer({ kind: "compareExchange", atomic: true, address, bytes: 4, ...words })) | 0
  },
}

const ofBell = (kind: "ring" | "listen", bell: number): Made => ({ kind, atomic: true, address: bell, bytes: 0 })
const ofBells = (kind: "poll" | "collect", bells: readonly number[]): Made => ({
  ...{ kind, atomic: true, address: 0, bytes: 0 },
  bells,
})

/** How many accesses of shared memory this run has made. */
export function accessesMade(): number {
  return running?.accessesMade ?? 0
}

/** What a case does in place of a loop that looks until one of the words, each with its value, has another. */
export function watch(...words: readonly number[]): void {
  answer({ kind: "watch", atomic: true, address: words[0] ?? 0, bytes: 4, words })
}

/** From here on the addon's futex calls and bells, and the clock of this process, are the explorer's. The pages stay as they are. */
export function takeOverKernel(): void {
  const realNow = performance.now.bind(performance)
  performance.now = () => running?.now() ?? realNow()
  native.attachMemory = () => {}
  native.affinity = () => [0]
  native.futexWait = (words, count) => {
    answer({ kind: "wait", atomic: true, address: 0, bytes: 0, words: [...words.subarray(0, 2 * count)] })
    return 0
  }
  native.futexWake = address => Number(answer({ kind: "wake", atomic: true, address, bytes: 4 }))
  takeOverBells(
    {
      ring: bell => void answer(ofBell("ring", bell)),
      listen: bell => void answer(ofBell("listen", bell)),
      poll: bells => void answer(ofBells("poll", bells)),
      collect: bells => answer(ofBells("collect", bells)),
    },
    () => (running === undefined ? undefined : (running.program.bells ?? [])),
  )
}

export class Process {
  readonly program: Program
  readonly start: Point
  points = 0
  readonly #memory = new WebAssembly.Memory({ initial: SPACE_BYTES >> 16, maximum: SPACE_BYTES >> 16, shared: true })
  readonly #hot: Hot
  #at: Point
  /** What the accesses of this run return, the first one last. */
  #results: bigint[] = []
  #operation = "attach"
  #operations = 0
  #isSuspended = false
  #foreseen: Foreseen | undefined
  #targetDepth = 0
  /** Where the operation began. */
  #began = 0
  #looks = 0

  constructor(module: WebAssembly.Module, program: Program) {
    this.program = program
    const imports = { env: { memory: this.#memory }, explorer: accesses as unknown as WebAssembly.ModuleImports }
    this.#hot = new WebAssembly.Instance(module, imports).exports as unknown as Hot
    this.start = this.#point(undefined, NOTHING)
    this.#at = this.start
    this.#run(this.start)
  }

  /**
   * The point behind `point`'s access when that returns `result`.
   * @param foreseen spares runs: as far as it says what the accesses return, the run goes on
   */
  after(point: Point, result: bigint, foreseen?: Foreseen): Point {
    const next = this.#step(point, result)
    if (next.known) return next
    this.#foreseen = foreseen
    this.#run(next)
    return next
  }

  get accessesMade(): number {
    return this.#at.depth
  }

  answer(access: Made): bigint {
    // Who catches it and goes on, as a wait on the event loop does, gets no further.
    if (this.#isSuspended) throw SUSPEND
    const point = this.#at
    if (point.depth - this.#began > MAX_ACCESSES) throw new Error(`no progress within ${MAX_ACCESSES} accesses`)
    if (!point.known) {
      point.access = { ...access, operation: this.#operation, operations: this.#operations }
      point.known = true
    } else if (point.access?.kind !== access.kind || point.access.address !== access.address) {
      throw new Error(`${this.program.name} is not determined by what it loads`)
    }
    let result = access.kind === "store" ? NOTHING : undefined
    if (point.depth < this.#targetDepth) result ??= this.#results.pop()
    else {
      const foreseen = this.#foreseen?.(point.access as Access)
      // A store returns nothing, so the run goes on to what comes behind it all the same.
      if (foreseen === undefined) this.#foreseen = undefined
      result ??= foreseen
    }
    if (result === undefined) {
      this.#isSuspended = true
      throw SUSPEND
    }
    this.#at = this.#step(point, result)
    return result
  }

  /** Milliseconds, as performance.now(): they pass by being looked at, so that a run is the same each time. */
  now(): number {
    return LOOK_MS * this.#looks++
  }

  #run(target: Point): void {
    this.#results = []
    for (let point = target; point.parent !== undefined; point = point.parent) {
      if (point.parent.access?.kind !== "store") this.#results.push(point.result)
    }
    this.#at = this.start
    this.#targetDepth = target.depth
    this.#operations = 0
    this.#operation = "attach"
    this.#began = 0
    this.#looks = 0
    new Uint8Array(this.#memory.buffer, PRIVATE_START, SHARED_START - PRIVATE_START).fill(0)
    running = this
    this.#isSuspended = false
    let error: Error | undefined
    try {
      const map = { bytes: SPACE_BYTES, privateStart: PRIVATE_START, privateEnd: SCRATCH }
      const body = this.program.attach(VSpace.over(map, this.#memory, this.#hot), operation => {
        this.#operation = operation
        this.#operations++
        this.#began = this.#at.depth
      })
      body()
    } catch (thrown) {
      error = thrown as Error
    } finally {
      running = undefined
      endLoop()
    }
    if (this.#isSuspended) return
    this.#at.known = true
    this.#at.error = error
  }

  #step(point: Point, result: bigint): Point {
    const known = point.next.get(result)
    if (known !== undefined) return known
    const next = this.#point(point, result)
    point.next.set(result, next)
    return next
  }

  #point(parent: Point | undefined, result: bigint): Point {
    const depth = parent === undefined ? 0 : parent.depth + 1
    const id = this.points++
    return { id, parent, result, depth, access: undefined, error: undefined, known: false, next: new Map() }
  }
}
