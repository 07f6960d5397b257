// event-loop.ts: the event loop of a process that is explored. It turns inside the run: an await goes on in the same run, and a
// loop with nothing to do sleeps until one of its bells rings (decision 0017).

import { native } from "../../native/index.ts"
import { isTurnDue, startChecking } from "../ring/loop/checker.ts"

/** Bells as the kernel has hung them at an address of a process: that which wakes it, that which wakes its peer. */
export interface HungBell {
  readonly address: number
  /** Bells have numbers, from 0, that are the same in all processes of a case. */
  readonly own?: number
  readonly peers?: number
}

/** What a bell's eventfd and the one epoll set that may hold it know. */
const RUNG = 1
const IN_SET = 2
/** An edge that was not collected. */
const READY = 4

/** Nobody reads a bell: what has rung once stays readable, so to be put into a set is an edge then. */
export function listenedTo(bell: number): number {
  return bell | IN_SET | ((bell & RUNG) === 0 ? 0 : READY)
}

export function rung(bell: number): number {
  return bell | RUNG | ((bell & IN_SET) === 0 ? 0 : READY)
}

export function collected(bell: number): number {
  return bell & ~READY
}

export function isReady(bell: number): boolean {
  return (bell & READY) !== 0
}

export interface BellAccesses {
  ring(bell: number): void
  listen(bell: number): void
  /** Falls asleep until one of them is ready. */
  poll(bells: readonly number[]): void
  /** Those that were ready, a bit each. */
  collect(bells: readonly number[]): bigint
}

let onReadable: (() => void) | undefined
/** The process that runs has put a bell into its set: before that the set has nothing to tell. */
let listens = false
/** What is to be called in the next turn: the one that a wait which looks before it sleeps has asked for. */
let immediate: (() => void) | undefined
let accesses: BellAccesses | undefined
let hung: () => readonly HungBell[] = () => []

const ownBells = (): number[] => hung().flatMap(({ own }) => own ?? [])

function hungAt(address: number): HungBell | undefined {
  return hung().find(bell => bell.address === address)
}

/**
 * From here on the addon's bells of this process, and while one runs its setImmediate, are the explorer's.
 * @param hungNow those of the process that runs; undefined when none does
 */
export function takeOverBells(made: BellAccesses, hungNow: () => readonly HungBell[] | undefined): void {
  accesses = made
  hung = () => hungNow() ?? []
  const realImmediate = globalThis.setImmediate
  const ours = (callback: () => void, ...rest: []): NodeJS.Immediate | undefined => {
    if (hungNow() === undefined) return realImmediate(callback, ...rest)
    immediate = callback
    return undefined
  }
  globalThis.setImmediate = Object.assign(ours, realImmediate) as typeof setImmediate
  native.bellSetFd = () => 0
  native.watchReadable = (_, callback) => {
    onReadable = callback
    return Object.assign(() => {}, { ref: () => {}, unref: () => {} })
  }
  native.listenToBell = address => {
    const own = hungAt(address)?.own
    if (own === undefined) return false
    made.listen(own)
    listens = true
    return true
  }
  native.ringPeersBell = address => {
    const peers = hungAt(address)?.peers
    if (peers === undefined) return false
    made.ring(peers)
    return true
  }
  native.collectBells = into => {
    const ready = made.collect(ownBells())
    const addresses = hung().flatMap(({ address, own }) =>
      own !== undefined && ((ready >> BigInt(own)) & 1n) === 1n ? [address] : [],
    )
    into.set(addresses)
    return addresses.length
  }
}

/** Once a run has ended: what looks is a wait of it, and is given up. */
export function endLoop(): void {
  listens = false
  // Whoever still looks gets an error, as does every access outside a run, and looks no more.
  callImmediate()
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown }

const Usual = Promise

/** Tells what it has been settled with at once, and not in a later microtask. */
class Watched<T> extends Promise<T> {
  // What is made by then() is watched by nobody.
  static override get [Symbol.species](): PromiseConstructor {
    return Usual
  }
  readonly outcome: () => Outcome<T> | undefined

  constructor(executor: (resolve: (value: T) => void, reject: (error: unknown) => void) => void) {
    let outcome: Outcome<T> | undefined
    super((resolve, reject) => {
      executor(
        value => {
          outcome ??= { value }
          resolve(value)
        },
        error => {
          outcome ??= { error }
          reject(error)
        },
      )
    })
    this.outcome = () => outcome
    // A run that is suspended leaves rejected promises behind.
    this.catch(() => {})
  }
}

/** A wait on the event loop that has begun. */
export class Begun<T> {
  readonly #promise: Watched<T>

  /**
   * @param begin an operation of the ring that returns the promise which it made
   * @param isLate the thread has answered so many awaits at once that this one has to leave the event loop a turn first
   */
  constructor(begin: () => Promise<T>, isLate = false) {
    const { now } = performance
    const began = now()
    setTurn(isLate)
    globalThis.Promise = Watched as unknown as PromiseConstructor
    performance.now = () => began
    try {
      this.#promise = begin() as Watched<T>
    } finally {
      globalThis.Promise = Usual
      performance.now = now
    }
  }

  get isPending(): boolean {
    return this.#promise.outcome() === undefined
  }

  /** Lets the event loop turn until the wait has an outcome. */
  get(): T {
    for (;;) {
      const outcome = this.#promise.outcome()
      if (outcome === undefined) {
        if (immediate === undefined) accesses?.poll(ownBells())
        turn()
      } else if ("error" in outcome) throw outcome.error
      else return outcome.value
    }
  }
}

/** One turn: who listens to a bell that has rung is called, and then who looks before it sleeps. */
export function turn(): void {
  if (listens) onReadable?.()
  callImmediate()
}

function callImmediate(): void {
  const callback = immediate
  immediate = undefined
  callback?.()
}

const LONG_MS = 1e9

/** The time of the last turn and the answers since are kept for all runs together: set, so that a run is the same each time. */
function setTurn(isLate: boolean): void {
  performance.now = () => (isLate ? -LONG_MS : LONG_MS)
  startChecking({ check: () => true })
  callImmediate()
  if (!isLate) return
  // Only some answers look at the clock: the next one is to be such.
  answersToLook()
  for (let left = answersToLook(); left > 1; left--) isTurnDue()
}

function answersToLook(): number {
  let hasLooked = false
  performance.now = () => {
    hasLooked = true
    return -LONG_MS
  }
  for (let answers = 1; ; answers++) {
    isTurnDue()
    if (hasLooked) return answers
  }
}
