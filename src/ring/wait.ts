// wait.ts: how an end waits: spin for a bounded time, then park on the words that the peer and the kernel write.

import { type FutexOutcome, type NativeError, native } from "../../native/index.ts"
import { ensureOptions, PageFault, RingError } from "./errors.ts"
import {
  ASLEEP_IN_LOOP,
  RESULT_NONE,
  SLEEP_BITS,
  STATUS_CLOSED,
  STATUS_KERNEL_GOING,
  STATUS_KERNEL_GONE,
  STATUS_LIVE,
  STATUS_REVOKED,
} from "./layout.ts"
import type { VSpace } from "./vspace.ts"

/** Why an operation ended without doing what was asked. Expected, so a value and not an error. */
export type Interruption = "deadline" | "peer-gone" | "revoked" | "kernel-gone" | "closed"

export interface WaitStrategy {
  /** Nanoseconds to spin before parking; by default 50,000, or 0 where the process has one processor. */
  readonly spinNs?: number
  /** False never parks: lowest latency, and a processor of its own. By default true. */
  readonly park?: boolean
  /**
   * Of waits on the event loop: nanoseconds to look before sleeping there; by default 50,000, or 0 where the process has
   * one processor. Where that is in vain again and again, fewer waits look.
   */
  readonly checkNs?: number
}

/** What an end is given besides its place in memory. */
export interface EndOptions {
  /** Address of the status word that the kernel writes; 0 or none: nobody tells that the peer is gone. */
  readonly status?: number
  readonly wait?: WaitStrategy
  /** Address of the end's bells, where it has some: then it can wait on the event loop, and wake a peer who does. */
  readonly bell?: number
  /** Addresses of further bells that wake it: of the memory whose status is this end's, where that is another. */
  readonly alsoWoken?: readonly number[]
  /** Called once, when the end has been closed. */
  readonly onClose?: () => void
}

/** The part of an end that can sleep. */
export interface Sleeper {
  /** Says, where the peer sees it, that this end sleeps. */
  announce(): void
  /** Says that it no longer does. */
  retract(): void
  /** Writes pairs of address and value, each as last seen, from `at` on. Returns the index after the last. */
  sleepWords(words: Uint32Array, at: number): number
}

/** Result of a wait whose time is up. Apart from all RESULT_ numbers of layout.ts. */
export const RESULT_DEADLINE = -1

const DEFAULT_SPIN_NS = 50_000
/** Looks of the hot code between two looks at the clock: well under a microsecond on a ring. */
const SPINS_PER_LOOK = 256
/** futex_waitv takes 128 words. */
export const MAX_SLEEP_WORDS = 128
/**
 * The kernel takes the pages away first and writes the status then; both are done within its mapper's deadline, 1 s.
 */
const REVOCATION_GRACE_NS = 2_000_000_000
/**
 * A sleeper looks again after this long, woken or not. Futexes need no such look; it bounds what a wake-up costs that the
 * machine has lost. Measured on a virtual machine whose kernel is paravirtualised: about one in 5,000 sleeps of busy
 * rings was not woken although its word had changed. Each look in vain doubles the time to the next one, for a look costs 0.1 to
 * 0.2 ms, most of it for what the caches have lost meanwhile: whoever has slept for long sleeps on undisturbed.
 */
const LOOK_AGAIN_NS = 100_000_000
const LONGEST_SLEEP_NS = 1_600_000_000

/** What futexWait answers when nobody woke it. */
const TIMED_OUT: FutexOutcome = 1
// One thread sleeps in one place at a time.
const words = new Uint32Array(2 * MAX_SLEEP_WORDS)

const nowNs = (): number => performance.now() * 1_000_000

export class Waiting {
  /** Looks that one call of the hot code takes; 1 where there is no point in spinning. */
  readonly spins: number
  readonly #vspace: VSpace
  readonly #spinNs: number
  readonly #park: boolean

  /** @throws {RingError} InvalidArgument: `spinNs` is not a number, 0 or more */
  constructor(vspace: VSpace, strategy: WaitStrategy = {}) {
    ensureOptions(strategy, "spinNs, park and checkNs, all optional")
    const { spinNs = vspace.processors > 1 ? DEFAULT_SPIN_NS : 0, park = true } = strategy
    checkTimeout(spinNs, "wait.spinNs")
    this.#vspace = vspace
    this.#spinNs = spinNs
    this.#park = park
    this.spins = spinNs > 0 || !park ? SPINS_PER_LOOK : 1
  }

  /**
   * Repeats `attempt` until its result is not RESULT_NONE or the time is up. Parking BLOCKS the thread: its event loop
   * and its JavaScript signal handlers stand still meanwhile.
   *
   * @param attempt looks at most `spins` times, returns a RESULT_
   * @returns the last result, or RESULT_DEADLINE
   */
  until(attempt: (spins: number) => number, sleeper: Sleeper, timeoutNs: number): number {
    const deadline = nowNs() + timeoutNs
    let parkAt = nowNs() + this.#spinNs
    let lookAgainNs = LOOK_AGAIN_NS
    for (;;) {
      let result = attempt(this.spins)
      if (result !== RESULT_NONE) return result
      const now = nowNs()
      if (now >= deadline) {
        // Between that look and the clock this thread may have stood still for long: the last look decides.
        result = attempt(1)
        return result === RESULT_NONE ? RESULT_DEADLINE : result
      }
      if (!this.#park || now < parkAt) continue

      let isWoken = false
      sleeper.announce()
      // ORDER sleep: these loads of index or lane come after the store of our sleep number; mustWake() is called after
      // the store of the index or lane, and loads the number.
      result = attempt(1)
      if (result === RESULT_NONE) {
        const { f64, sleepsFor, workers } = this.#vspace
        f64[sleepsFor / 8] = workers > 0 ? 0 : timeoutNs
        isWoken = sleep(sleeper.sleepWords(words, 0) / 2, Math.min(deadline - now, lookAgainNs))
      }
      sleeper.retract()
      if (result !== RESULT_NONE) return result
      if (isWoken) {
        parkAt = nowNs() + this.#spinNs
        lookAgainNs = LOOK_AGAIN_NS
      } else {
        // Nothing has happened: one look is enough, without a spin.
        lookAgainNs = Math.min(2 * lookAgainNs, LONGEST_SLEEP_NS)
      }
    }
  }
}

/** @returns false when the time was up */
function sleep(count: number, timeoutNs: number): boolean {
  try {
    return native.futexWait(words, count, timeoutNs) !== TIMED_OUT
  } catch (error) {
    // A page went away since the last look: the next look faults, and knows where.
    if (!isUnmapped(error)) throw error
    return true
  }
}

/** More than can sleep. */
const EVERYBODY = 0x7fff_ffff

/**
 * Wakes who has announced this `sleepNumber`: by its bell if it sleeps in its event loop, else by the word.
 * @returns false when it may have to be woken again, as `wake`; a bell that has rung stays rung
 */
export function wakeSleeper(sleepNumber: number, word: number, bell: number | undefined): boolean {
  const inLoop = (sleepNumber & SLEEP_BITS) === ASLEEP_IN_LOOP
  if (!inLoop || bell === undefined) return wake(word)
  native.ringPeersBell(bell)
  return true
}

/**
 * Wakes who sleeps on the word: all, so that nobody who should not sleep there takes the one wake-up.
 * @returns false when nobody slept there: the peer is on its way to sleep or out of it, and is to be woken again by the
 *   next operation that finds its sleep number unchanged
 */
export function wake(address: number): boolean {
  try {
    return native.futexWake(address, EVERYBODY) > 0
  } catch (error) {
    // The page went away after the word was stored: its sleeper is woken by the status word instead.
    if (!isUnmapped(error)) throw error
    return false
  }
}

function isUnmapped(error: unknown): boolean {
  return (error as NativeError).code === "EFAULT"
}

/** The value of the status word that somebody who waits to receive sleeps on. */
export function awaitedStatus(vspace: VSpace, status: number): number {
  return vspace.loadWord(status) === STATUS_KERNEL_GOING ? STATUS_KERNEL_GOING : STATUS_LIVE
}

/** Why the object is no longer live; undefined while it is. */
export function interruptionOf(status: number): Interruption | undefined {
  switch (status) {
    case STATUS_LIVE:
      return undefined
    case STATUS_REVOKED:
      return "revoked"
    case STATUS_KERNEL_GOING:
    case STATUS_KERNEL_GONE:
      return "kernel-gone"
    case STATUS_CLOSED:
      return "closed"
    default:
      return "peer-gone"
  }
}

/**
 * What to make of an error in a wait: a page fault because the kernel has just taken the pages away is an outcome.
 * @param status address of the end's status word
 * @throws the error as a PageFault, or as it is, when the status stays live
 * Cost: blocks up to 2 s when the fault was a real one.
 */
export function interruptionBy(error: unknown, vspace: VSpace, status: number): Interruption {
  const fault = vspace.faultOf(error)
  if (!(fault instanceof PageFault) || status === vspace.alwaysLive) throw fault
  const deadline = nowNs() + REVOCATION_GRACE_NS
  // A signal to this process ends a sleep early.
  for (let left = REVOCATION_GRACE_NS; left > 0; left = deadline - nowNs()) {
    const interruption = interruptionOf(vspace.loadWord(status))
    if (interruption !== undefined) return interruption
    words[0] = status
    words[1] = STATUS_LIVE
    sleep(1, left)
  }
  throw fault
}

/** @throws {RingError} InvalidArgument: not a number of nanoseconds from 0 to Infinity */
export function checkTimeout(timeoutNs: number, name = "timeoutNs"): void {
  if (!(typeof timeoutNs === "number" && timeoutNs >= 0)) {
    throw new RingError(
      "InvalidArgument",
      `${name} is ${String(timeoutNs)}, which must be a number, 0 or more nanoseconds, or Infinity`,
    )
  }
}
