// consumer.ts: the receiving end of a ring. Its hot path is one call into WebAssembly; sleeping and waking leave it.

import { END_COUNT, RESULT_DONE, RESULT_LAST } from "./layout.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { refuseSlot } from "./producer.ts"
import { ReceivingEnd } from "./receiving-end.ts"
import { checkBatch, refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

const ready = (): "ready" => "ready"

/**
 * Made by `SharedRing.consumer`. One for each ring: nothing stops a second one in another process from ruining both.
 */
export class RingConsumer extends ReceivingEnd {
  /**
   * How many messages, from the first that this end gets, an earlier consumer was handed by peek and did not release:
   * they come once more.
   */
  readonly redelivered: number
  readonly #capacity: number
  readonly #slotBytes: number
  /** Where the next batch is copied to, and how many messages at most. */
  #to = 0
  #max = 0
  /** What the last batch was copied to: most are of one length. */
  #batch: Uint8Array = new Uint8Array(0)

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super(vspace, "consumer", place, options)
    this.#capacity = place.capacity
    this.#slotBytes = place.slotBytes
    this.redelivered = this.end.redelivered
  }

  /** Private memory of `slotBytes` that every pop copies to and returns. */
  get staging(): Uint8Array {
    return this.end.staging
  }

  /**
   * Takes the oldest message. Never blocks.
   * @returns its slotBytes bytes, in private memory and always the same array: valid until the next pop. It is
   *   backed by a SharedArrayBuffer, so TextDecoder wants a copy. undefined when there is none: the ring is empty, or
   *   `interruption()` says why
   * @throws {PeerMisbehaviorError} the producer's index or sequence is impossible
   * @throws {PageFault} the frame is not mapped here any more
   * Cost: about 10 ns for 64 bytes; a system call when the producer sleeps.
   */
  tryPop(): Uint8Array | undefined {
    this.held = 0
    let result: number
    try {
      result = this.hot.pop(this.state, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    return result === RESULT_DONE || this.isDone(result) ? this.end.staging : undefined
  }

  /**
   * As `tryPop`, but waits for a message. BLOCKS for at most `timeoutNs`. What the producer committed before it died or
   * closed comes first, then "peer-gone" or "closed".
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns the message, or why there is none
   * @throws as tryPop, save that a page fault by revocation is the outcome "revoked"
   */
  pop(timeoutNs?: number): Uint8Array | Interruption
  /**
   * The same on the event loop, without blocking it. One such wait at a time, and no other operation during it.
   * @throws (rejects) the signal's reason; {RingError} IllegalOperation: another wait is pending, or the end has no bell
   * Cost: of a message that is there, a promise; otherwise up to `checkNs` of looking, then it sleeps.
   */
  pop(options: LoopWaitOptions): Promise<Uint8Array | Interruption>
  pop(limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY): Uint8Array | Interruption | Promise<unknown> {
    if (typeof limit === "object") return this.waitInLoop(this.#attempt, limit)
    return this.#pop(limit)
  }

  /** As `pop` on the event loop; `read` makes of what is in `staging` what the promise is of, in the turn that it is taken in. */
  popAs<T>(read: () => T, options: LoopWaitOptions): Promise<T | Interruption> {
    return this.waitInLoop(this.attempt(this.#take, read), options)
  }

  #pop(timeoutNs: number): Uint8Array | Interruption {
    checkTimeout(timeoutNs)
    this.held = 0
    try {
      const result = this.hot.pop(this.state, this.spins)
      return result === RESULT_DONE ? this.end.staging : this.settle(result, this.#take, this.#message, timeoutNs)
    } catch (error) {
      return this.end.interruptionBy(error)
    }
  }

  /**
   * Takes the oldest messages, at most `max`. Never blocks.
   * @param max 1 to the ring's capacity
   * @returns the messages, one behind the other, each of slotBytes; as tryPop, and valid until the next batch is popped
   * @throws {RingError} RangeError: max is out of its range
   * @throws as tryPop. Cost: 3 to 6 ns a message of 64 bytes
   */
  tryPopMany(max: number): Uint8Array | undefined {
    this.#prepareBatch(max)
    try {
      return this.isDone(this.#takeMany(1)) ? this.#messages() : undefined
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  /** As `tryPopMany`, but waits for one message at least. BLOCKS for at most `timeoutNs`. */
  popMany(max: number, timeoutNs?: number): Uint8Array | Interruption
  /** The same on the event loop, without blocking it, as `pop`. */
  popMany(max: number, options: LoopWaitOptions): Promise<Uint8Array | Interruption>
  popMany(
    max: number,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Uint8Array | Interruption | Promise<Uint8Array | Interruption> {
    return this.wait(this.#takeMany, this.#messages, limit, () => this.#prepareBatch(max))
  }

  /**
   * The address of the oldest message, to be read in place and then released. For a trusted producer: another one may
   * write while you read. Calling it again names the same slot.
   * @returns 0 when there is none: the ring is empty, or `interruption()` says why
   * @throws {PeerMisbehaviorError} {PageFault} as tryPop
   */
  peek(): number {
    let result: number
    try {
      result = this.hot.peek(this.state, 1, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    if (result > RESULT_LAST) {
      this.held = 1
      return result
    }
    this.held = 0
    this.isDone(result)
    return 0
  }

  /**
   * Finds the oldest messages, at most `max`, to be read in place at `slotAddress(0)` and on, and then released.
   * @param max 1 to the ring's capacity
   * @returns how many there are; 0 as peek
   * @throws {RingError} RangeError: max is out of its range
   */
  peekMany(max: number): number {
    checkBatch(max, this.#capacity)
    let result: number
    try {
      result = this.hot.peek(this.state, max, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    this.held = result > RESULT_LAST ? this.end.field(END_COUNT) : 0
    if (this.held === 0) this.isDone(result)
    return this.held
  }

  /**
   * Address of a peeked slot, by its number from 0, the oldest.
   * @throws {RingError} RangeError: so many are not peeked
   */
  slotAddress(number: number): number {
    if (!(Number.isInteger(number) && number >= 0 && number < this.held)) refuseSlot(number, this.held, "peeked")
    return this.end.slotAt(number)
  }

  /**
   * Waits until there is a message to peek or to pop, and takes nothing. BLOCKS for at most `timeoutNs`.
   * @returns "ready", or why there is none
   * @throws as pop
   */
  awaitMessage(timeoutNs?: number): "ready" | Interruption
  /** The same on the event loop, without blocking it, as `pop`. */
  awaitMessage(options: LoopWaitOptions): Promise<"ready" | Interruption>
  awaitMessage(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "ready" | Interruption | Promise<"ready" | Interruption> {
    return this.wait(this.#find, ready, limit)
  }

  /**
   * Gives the peeked slot back to the producer; of several the oldest, and the others are peeked again.
   * @throws {RingError} IllegalOperation: no slot is peeked
   */
  release(): void {
    if (this.held === 0) refuseUnclaimed("release", "peek", 1, 0)
    this.#release(1)
  }

  /**
   * Gives the oldest `count` peeked slots back; those behind them come again with the next peek.
   * @param count 1 to as many as are peeked; all of them by default
   * @throws {RingError} IllegalOperation: not so many are peeked
   */
  releaseMany(count = this.held): void {
    if (!(Number.isInteger(count) && count >= 1 && count <= this.held)) {
      refuseUnclaimed("releaseMany", "peekMany", count, this.held)
    }
    this.#release(count)
  }

  protected get popped(): number {
    return this.end.count
  }

  #release(count: number): void {
    this.held = 0
    try {
      const result = this.hot.release(this.state, count)
      if (result !== RESULT_DONE) this.isDone(result)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  readonly #take = (spins: number): number => {
    this.held = 0
    return this.hot.pop(this.state, spins)
  }

  readonly #message = (): Uint8Array => this.end.staging

  readonly #attempt = this.attempt(this.#take, this.#message)

  /** Not by a peek, which would note what it finds as handed out, and nothing behind that. */
  readonly #find = (spins: number): number => this.hot.awaitItem(this.state, spins)

  readonly #takeMany = (spins: number): number => this.hot.popMany(this.state, this.#to, this.#max, spins)

  #prepareBatch(max: number): void {
    checkBatch(max, this.#capacity)
    // What another batch is waiting for is copied to where this one would.
    this.end.loop.ensureFree()
    this.held = 0
    this.#max = max
    this.#to = this.end.closed ? 0 : this.end.batch(max * this.#slotBytes)
  }

  readonly #messages = (): Uint8Array => {
    const bytes = this.end.field(END_COUNT) * this.#slotBytes
    if (this.#batch.length !== bytes || this.#batch.byteOffset !== this.#to) {
      this.#batch = this.vspace.u8.subarray(this.#to, this.#to + bytes)
    }
    return this.#batch
  }
}
