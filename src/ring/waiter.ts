// waiter.ts: the waiting side of a notification: takes the pending bits of all its lanes.

import { RingError } from "./errors.ts"
import {
  ACK_SLEEP,
  ACK_VALUE,
  ASLEEP,
  ASLEEP_IN_LOOP,
  LINE_BYTES,
  MAX_LANES,
  NOTIFICATION_BYTES,
  NOTIFICATION_IN_USE,
  RESULT_CLOSED,
  RESULT_DONE,
  RESULT_NONE,
  WAITER_ACKED,
  WAITER_ACKS,
  WAITER_BYTES,
  WAITER_IN_USE,
  WAITER_KERNEL_PART,
  WAITER_LANES,
  WAITER_STATUS_WORD,
  WAITER_TAKEN,
} from "./layout.ts"
import { type LoopSleeper, LoopWaiting, type LoopWaitOptions } from "./loop/loop-waiting.ts"
import { statusWord } from "./ring-end.ts"
import { checkLane, type LanePlace } from "./signaller.ts"
import { SleepNumber } from "./sleep-number.ts"
import type { VSpace } from "./vspace.ts"
import {
  awaitedStatus,
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

/** Futex words that a waiter sleeps on at most: both halves of each lane, the set of lanes, and its status. */
const SLEEP_WORDS = 2 * MAX_LANES + 2
const MAX_WAITERS = Math.floor(MAX_SLEEP_WORDS / SLEEP_WORDS)

/** Where the parts of a notification are for who waits on it. */
export interface WaiterPlace {
  /** Address of what the kernel tells: the lanes in use and their badges. Readable. */
  readonly kernelPart: number
  /** At most MAX_LANES. What is in use is mapped: the lane readable, its acknowledgement writable. */
  readonly lanes: readonly LanePlace[]
}

export class NotificationWaiter implements Sleeper, LoopSleeper {
  readonly #vspace: VSpace
  readonly #state: number
  readonly #place: WaiterPlace
  readonly #status: number
  readonly #waiting: Waiting
  readonly #loop: LoopWaiting
  readonly #bell: number | undefined
  #isClosed = false
  /** For each lane that this waiter has slept on. */
  readonly #sleepNumbers: (SleepNumber | undefined)[] = []
  /** The lanes in use, as they were when it last said that it sleeps. */
  #sleepsOn = 0

  /**
   * Goes on from the acknowledgements in memory, so a new waiter can take over from one that died.
   * @param place nobody else waits there
   * @param options `bell`: the daemon's; each lane has its own at the lane's address. Without, it cannot wait on the event loop
   * @throws {RingError} RangeError, AlignmentError: more lanes than there can be, or a part is not in the VSpace
   * @throws {PageFault} it is not mapped here
   */
  constructor(vspace: VSpace, place: WaiterPlace, options: EndOptions = {}) {
    const { kernelPart, lanes } = place
    if (lanes.length > MAX_LANES) {
      throw new RingError("RangeError", `lanes are ${lanes.length}, a notification has at most ${MAX_LANES}`)
    }
    vspace.checkRange("the notification", kernelPart, NOTIFICATION_BYTES, 8)
    for (const lane of lanes) checkLane(vspace, lane)
    this.#vspace = vspace
    this.#place = place
    this.#status = statusWord(vspace, options.status)
    this.#waiting = new Waiting(vspace, options.wait)
    this.#loop = new LoopWaiting(this, vspace.processors, options.wait?.checkNs)
    this.#bell = options.bell
    const inUse = vspace.loadWord(kernelPart + NOTIFICATION_IN_USE)
    const acked = lanes.map(({ ack }, lane) =>
      // A lane that comes into use later has not been acknowledged by anybody.
      isIn(inUse, lane) ? [vspace.loadWord(ack + ACK_VALUE), vspace.loadWord(ack + ACK_VALUE + 4)] : [0, 0],
    )
    this.#state = vspace.allocatePrivate(WAITER_BYTES, LINE_BYTES)
    vspace.u32[(this.#state + WAITER_STATUS_WORD) / 4] = this.#status
    vspace.u32[(this.#state + WAITER_KERNEL_PART) / 4] = kernelPart
    for (const [lane, { lane: address, ack }] of lanes.entries()) {
      vspace.u32[(this.#state + WAITER_LANES) / 4 + lane] = address
      vspace.u32[(this.#state + WAITER_ACKS) / 4 + lane] = ack
      vspace.u32.set(acked[lane] as number[], (this.#state + WAITER_ACKED) / 4 + 2 * lane)
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
      return this.#take(1) === RESULT_DONE ? this.#taken() : 0n
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
  wait(timeoutNs?: number): bigint | Interruption
  /**
   * The same on the event loop, without blocking it. One such wait at a time.
   * @throws (rejects) the signal's reason; {RingError} IllegalOperation: another wait is pending, or it has no bells
   */
  wait(options: LoopWaitOptions): Promise<bigint | Interruption>
  wait(limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY): bigint | Interruption | Promise<unknown> {
    return typeof limit === "object" ? this.#loop.wait(this.#attempt, limit, () => {}) : this.#wait(limit)
  }

  #wait(timeoutNs: number): bigint | Interruption {
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
   * @param waiters 1 to 3 of one VSpace: each takes up to 34 of the 128 words that Linux lets a thread sleep on
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

  /** A wait on the event loop is pending. */
  get isPending(): boolean {
    return this.#loop.isPending
  }

  /** A pending wait on the event loop keeps the process alive, or does not. */
  keepAlive(does: boolean): void {
    if (does) this.#loop.ref()
    else this.#loop.unref()
  }

  /** Ends a pending wait on the event loop. */
  cancel(): void {
    this.#loop.end("closed" satisfies Interruption)
  }

  /** As `cancel`, and gives its private memory back. What is pending waits for the next waiter. */
  close(): void {
    if (this.#isClosed) return
    this.#loop.close("closed" satisfies Interruption)
    this.#isClosed = true
    this.#vspace.freePrivate(this.#state, WAITER_BYTES)
  }

  interruptionBy(error: unknown): Interruption {
    return interruptionBy(error, this.#vspace, this.#status)
  }

  bells(): readonly number[] | undefined {
    if (this.#bell === undefined) return undefined
    return [this.#bell, ...this.#lanesIn(this.#inUse()).map(lane => (this.#place.lanes[lane] as LanePlace).lane)]
  }

  announce(): void {
    this.#loop.ensureFree()
    this.#announce(ASLEEP)
  }

  announceInLoop(): void {
    this.#announce(ASLEEP_IN_LOOP)
  }

  #announce(how: number): void {
    this.#sleepsOn = this.#inUse()
    for (const lane of this.#sleepLanes()) this.#sleepNumber(lane).announce(how)
  }

  /** The lanes in use at the last look. */
  #inUse(): number {
    return this.#vspace.u32[(this.#state + WAITER_IN_USE) / 4] as number
  }

  retract(): void {
    for (const lane of this.#sleepLanes()) this.#sleepNumber(lane).retract()
  }

  sleepWords(words: Uint32Array, at: number): number {
    const { u32 } = this.#vspace
    const acked = (this.#state + WAITER_ACKED) / 4
    const { kernelPart, lanes } = this.#place
    let next = at
    const sleepOn = (address: number, value: number): void => {
      words[next] = address
      words[next + 1] = value
      next += 2
    }
    for (const lane of this.#sleepLanes()) {
      // Nothing was pending at the last look, so the lane was equal to its acknowledgement.
      for (const half of [0, 1]) {
        sleepOn((lanes[lane] as LanePlace).lane + 4 * half, u32[acked + 2 * lane + half] as number)
      }
    }
    // ORDER lane-added: a lane whose signaller was not told that this end sleeps has changed this word.
    sleepOn(kernelPart + NOTIFICATION_IN_USE, this.#sleepsOn)
    sleepOn(this.#status, awaitedStatus(this.#vspace, this.#status))
    return next
  }

  #sleepLanes(): number[] {
    return this.#lanesIn(this.#sleepsOn)
  }

  #lanesIn(set: number): number[] {
    return this.#place.lanes.flatMap((_, lane) => (isIn(set, lane) ? [lane] : []))
  }

  #sleepNumber(lane: number): SleepNumber {
    const { ack } = this.#place.lanes[lane] as LanePlace
    this.#sleepNumbers[lane] ??= new SleepNumber(this.#vspace, ack + ACK_SLEEP)
    return this.#sleepNumbers[lane]
  }

  readonly #attempt = (spins: number): bigint | Interruption | undefined => {
    const result = this.#take(spins)
    if (result === RESULT_NONE) return undefined
    return result === RESULT_DONE ? this.#taken() : this.#outcome(result)
  }

  #take(spins: number): number {
    if (this.#isClosed) return RESULT_CLOSED
    return this.#vspace.hot.take(this.#state, spins)
  }

  #taken(): bigint {
    return this.#vspace.u64[(this.#state + WAITER_TAKEN) / 8] as bigint
  }

  #outcome(result: number): Interruption {
    // A new peer may have made it live meanwhile: then it was "peer-gone" that the hot code saw.
    if (result === RESULT_CLOSED) return "closed"
    return result === RESULT_DEADLINE
      ? "deadline"
      : (interruptionOf(this.#vspace.loadWord(this.#status)) ?? "peer-gone")
  }
}

function isIn(set: number, lane: number): boolean {
  return ((set >>> lane) & 1) === 1
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
