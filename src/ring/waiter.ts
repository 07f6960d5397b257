// waiter.ts: the waiting side of a notification: takes the pending bits of all its lanes.

import { RingError } from "./errors.ts"
import {
  LANE_BYTES,
  MAX_LANES,
  NOTIFICATION_ACKS,
  NOTIFICATION_BYTES,
  NOTIFICATION_LANES,
  NOTIFICATION_SLEEP,
  RESULT_DONE,
  RESULT_NONE,
  STATUS_LIVE,
  WAITER_ACKED,
  WAITER_ACKS,
  WAITER_BYTES,
  WAITER_LANES,
  WAITER_STATUS_WORD,
  WAITER_TAKEN,
} from "./layout.ts"
import { statusWord } from "./ring-end.ts"
import { SleepNumber } from "./sleep-number.ts"
import type { VSpace } from "./vspace.ts"
import {
  checkTimeout,
  type EndOptions,
  type Interruption,
  interruptionBy,
  interruptionOf,
  MAX_SLEEP_WORDS,
  RESULT_DEADLINE,
  type Sleeper,
  Waiting,
} from "./wait.ts"

/** Futex words that a waiter sleeps on: both halves of each lane, and its status. */
const SLEEP_WORDS = 2 * MAX_LANES + 1
const MAX_WAITERS = Math.floor(MAX_SLEEP_WORDS / SLEEP_WORDS)

export class NotificationWaiter implements Sleeper {
  readonly #vspace: VSpace
  readonly #state: number
  readonly #lanes: number
  readonly #status: number
  readonly #sleepNumber: SleepNumber
  readonly #waiting: Waiting

  /**
   * Goes on from the acknowledgements in memory, so a new waiter can take over from one that died.
   * @param page address of the notification's page, writable; nobody else waits there
   * @throws {RingError} RangeError, AlignmentError: the page is not in the VSpace
   * @throws {PageFault} the page is not mapped here
   */
  constructor(vspace: VSpace, page: number, options: EndOptions = {}) {
    vspace.checkRange("the notification", page, NOTIFICATION_BYTES, 8)
    this.#vspace = vspace
    this.#lanes = page + NOTIFICATION_LANES
    this.#status = statusWord(vspace, options.status)
    this.#sleepNumber = new SleepNumber(vspace, page + NOTIFICATION_SLEEP)
    this.#waiting = new Waiting(vspace, options.wait)
    this.#state = vspace.allocatePrivate(WAITER_BYTES, LANE_BYTES)
    vspace.u32[(this.#state + WAITER_STATUS_WORD) / 4] = this.#status
    vspace.u32[(this.#state + WAITER_ACKS) / 4] = page + NOTIFICATION_ACKS
    for (let lane = 0; lane < MAX_LANES; lane++) {
      vspace.u32[(this.#state + WAITER_LANES) / 4 + lane] = this.#lanes + lane * LANE_BYTES
      for (const half of [0, 4]) {
        const acked = vspace.loadWord(page + NOTIFICATION_ACKS + lane * 8 + half)
        vspace.u32[(this.#state + WAITER_ACKED + lane * 8 + half) / 4] = acked
      }
    }
  }

  /**
   * Takes all pending bits. Never blocks.
   * @returns 0n when there are none
   * @throws {PageFault} the page is not mapped here any more
   * Cost: about 20 ns.
   */
  poll(): bigint {
    try {
      return this.#vspace.hot.take(this.#state, 1) === RESULT_DONE ? this.#taken() : 0n
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /**
   * Takes all pending bits; while there are none it BLOCKS, for at most `timeoutNs`. Bits that came before the peers
   * died come first, then "peer-gone".
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns the bits, never 0n; or why there are none
   * @throws {RingError} InvalidArgument: `timeoutNs` is negative or not a number
   * @throws {PageFault} the page is not mapped here, and not because of a revocation: that is the outcome "revoked"
   */
  wait(timeoutNs = Number.POSITIVE_INFINITY): bigint | Interruption {
    checkTimeout(timeoutNs)
    try {
      let result = this.#take(this.#waiting.spins)
      if (result === RESULT_NONE) result = this.#waiting.until(spins => this.#take(spins), this, timeoutNs)
      return result === RESULT_DONE ? this.#taken() : this.#outcome(result)
    } catch (error) {
      return interruptionBy(error, this.#vspace, this.#status)
    }
  }

  /**
   * Waits on several notifications at once, with the wait strategy of the first. One that has bits is taken, the
   * earliest in the list where several have.
   * @param waiters 1 to 3 of one VSpace: each takes 33 of the 128 words that Linux lets a thread sleep on
   * @returns the position in `waiters` and its bits; or why there are none, at the first waiter that is interrupted
   * @throws {RingError} RangeError: none, or more than 3 waiters
   * @throws as wait
   */
  static waitAny(
    waiters: readonly NotificationWaiter[],
    timeoutNs = Number.POSITIVE_INFINITY,
  ): { index: number; badge: bigint } | Interruption {
    checkTimeout(timeoutNs)
    const [first] = waiters
    if (first === undefined || waiters.length > MAX_WAITERS) {
      throw new RingError("RangeError", `waiters has ${waiters.length} entries, which must be 1 to ${MAX_WAITERS}`)
    }
    let looking = first
    const attempt = (): number => {
      for (looking of waiters) {
        const result = looking.#take(1)
        if (result !== RESULT_NONE) return result
      }
      return RESULT_NONE
    }
    try {
      const result = first.#waiting.until(attempt, sleeperOf(waiters), timeoutNs)
      if (result !== RESULT_DONE) return looking.#outcome(result)
      return { index: waiters.indexOf(looking), badge: looking.#taken() }
    } catch (error) {
      return interruptionBy(error, looking.#vspace, looking.#status)
    }
  }

  announce(): void {
    this.#sleepNumber.announce()
  }

  retract(): void {
    this.#sleepNumber.retract()
  }

  sleepWords(words: Uint32Array, at: number): number {
    const { u32 } = this.#vspace
    const acked = (this.#state + WAITER_ACKED) / 4
    let next = at
    for (let half = 0; half < 2 * MAX_LANES; half++) {
      words[next] = this.#lanes + (half >> 1) * LANE_BYTES + (half & 1) * 4
      // Nothing was pending at the last look, so the lane was equal to its acknowledgement.
      words[next + 1] = u32[acked + half] as number
      next += 2
    }
    words[next] = this.#status
    words[next + 1] = STATUS_LIVE
    return next + 2
  }

  #take(spins: number): number {
    return this.#vspace.hot.take(this.#state, spins)
  }

  #taken(): bigint {
    return this.#vspace.u64[(this.#state + WAITER_TAKEN) / 8] as bigint
  }

  #outcome(result: number): Interruption {
    // A status, once not live, stays so.
    return result === RESULT_DEADLINE
      ? "deadline"
      : (interruptionOf(this.#vspace.loadWord(this.#status)) as Interruption)
  }
}

function sleeperOf(waiters: readonly NotificationWaiter[]): Sleeper {
  return {
    announce: () => {
      for (const waiter of waiters) waiter.announce()
    },
    retract: () => {
      for (const waiter of waiters) waiter.retract()
    },
    sleepWords: (words, at) => waiters.reduce((next, waiter) => waiter.sleepWords(words, next), at),
  }
}
