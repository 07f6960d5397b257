// event-loop.ts: the event loop of a process that is explored. It turns inside the run: an await goes on in the same run, and a
// loop with nothing to do sleeps until one of its bells rings (decision 0017).

import { native } from "../../native/index.ts"

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
let accesses: BellAccesses | undefined
let hung: () => readonly HungBell[] = () => []

const ownBells = (): number[] => hung().flatMap(({ own }) => own ?? [])

function hungAt(address: number): HungBell | undefined {
  return hung().find(bell => bell.address === address)
}

/** From here on the addon's bells of this process are the explorer's. `hungNow`: those of the process that runs. */
export function takeOverBells(made: BellAccesses, hungNow: () => readonly HungBell[]): void {
  accesses = made
  hung = hungNow
  native.bellSetFd = () => 0
  native.watchReadable = (_, callback) => {
    onReadable = callback
    return Object.assign(() => {}, { ref: () => {}, unref: () => {} })
  }
  native.listenToBell = address => {
    const own = hungAt(address)?.own
    if (own === undefined) return false
    made.listen(own)
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

  /** @param begin an operation of the ring that returns the promise which it made */
  constructor(begin: () => Promise<T>) {
    const { now } = performance
    globalThis.Promise = Watched as unknown as PromiseConstructor
    // A thread whose awaits are all answered at once takes a turn when time has passed: it counts them, all runs together.
    performance.now = () => 0
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
        accesses?.poll(ownBells())
        turn()
      } else if ("error" in outcome) throw outcome.error
      else return outcome.value
    }
  }
}

/** One turn: who listens to a bell that has rung is called. */
export function turn(): void {
  onReadable?.()
}
