// consumer.ts: the receiving end of a ring. Its hot path is one call into WebAssembly; sleeping and waking leave it.

import type { Readable } from "node:stream"
import { Closeable, type LoopWaits } from "./closeable.ts"
import type { Hot } from "./hot.ts"
import {
  END_COUNT,
  END_INDEX,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_LAST,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_NONE_WAKE,
} from "./layout.ts"
import { Messages } from "./loop/iterate.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { readableOf, readableStreamOf } from "./loop/streams.ts"
import { refuseSlot } from "./producer.ts"
import { checkBatch, RingEnd, refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/** What a consumer has done since it attached. */
export interface ConsumerStats {
  /** Messages. */
  readonly popped: number
  /** Operations that found the ring empty; a wait counts once. */
  readonly empty: number
  readonly sleeps: number
  /** Wake-ups of the producer: a system call each. */
  readonly wakes: number
}

/**
 * Made by `SharedRing.consumer`. One for each ring: nothing stops a second one in another process from ruining both.
 */
export class RingConsumer extends Closeable {
  /**
   * How many messages, from the first that this end gets, an earlier consumer was handed by peek and did not release:
   * they come once more.
   */
  readonly redelivered: number
  readonly #vspace: VSpace
  readonly #hot: Hot
  readonly #end: RingEnd
  readonly #spins: number
  readonly #capacity: number
  readonly #slotBytes: number
  #state: number
  /** Slots between peek and release. */
  #peeked = 0
  #empty = 0
  /** What the last batch was copied to: most are of one length. */
  #batch: Uint8Array = new Uint8Array(0)

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super()
    this.#vspace = vspace
    this.#hot = vspace.hot
    this.#capacity = place.capacity
    this.#slotBytes = place.slotBytes
    this.#end = new RingEnd(vspace, "consumer", place, options)
    this.#state = this.#end.state
    this.#spins = this.#end.waiting.spins
    this.redelivered = this.#end.redelivered
  }

  /** Private memory of `slotBytes` that every pop copies to and returns. */
  get staging(): Uint8Array {
    return this.#end.staging
  }

  /** Changes when what was popped or peeked is no longer this end's to read; -1 once it is closed. */
  get generation(): number {
    return this.#end.closed ? -1 : (this.#vspace.u32[(this.#state + END_INDEX) / 4] as number)
  }

  /**
   * Why nothing more will come: "peer-gone", "revoked", "kernel-gone", "closed"; undefined while the ring is live. After
   * "peer-gone", or the producer's close, there may still be messages: pop until it returns undefined.
   */
  interruption(): Interruption | undefined {
    return this.#end.interruption()
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
    this.#peeked = 0
    let result: number
    try {
      result = this.#hot.pop(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    return result === RESULT_DONE || this.#isDone(result) ? this.#end.staging : undefined
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
    if (typeof limit === "object") return this.#end.loop.wait(this.#attempt, limit, this.#onEmpty)
    return this.#pop(limit)
  }

  #pop(timeoutNs: number): Uint8Array | Interruption {
    checkTimeout(timeoutNs)
    this.#peeked = 0
    try {
      let result = this.#hot.pop(this.#state, this.#spins)
      if (result !== RESULT_DONE) result = this.#settle(result, spins => this.#hot.pop(this.#state, spins), timeoutNs)
      return result === RESULT_DONE ? this.#end.staging : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
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
    const to = this.#prepareBatch(max)
    try {
      return this.#isDone(this.#hot.popMany(this.#state, to, max, 1)) ? this.#popped(to) : undefined
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** As `tryPopMany`, but waits for one message at least. BLOCKS for at most `timeoutNs`. */
  popMany(max: number, timeoutNs = Number.POSITIVE_INFINITY): Uint8Array | Interruption {
    checkTimeout(timeoutNs)
    const to = this.#prepareBatch(max)
    const attempt = (spins: number): number => this.#hot.popMany(this.#state, to, max, spins)
    try {
      const result = this.#settle(attempt(this.#spins), attempt, timeoutNs)
      return result === RESULT_DONE ? this.#popped(to) : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  /**
   * All messages from now on, each valid until the next is asked for. Ends when nothing more will come; `interruption()`
   * says why. Leaving the loop early takes nothing that was not yielded.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const { loop } = this.#end
    return new Messages(
      () => this.pop({}),
      () => loop.end("closed"),
    )
  }

  /** A Node stream of messages (loop/streams.ts). */
  readable(highWaterMark?: number): Readable {
    return readableOf(this, highWaterMark)
  }

  /** A Web stream of messages (loop/streams.ts). */
  readableStream(highWaterMark?: number): ReadableStream<Uint8Array> {
    return readableStreamOf(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#end.loop
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
      result = this.#hot.peek(this.#state, 1, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    if (result > RESULT_LAST) {
      this.#peeked = 1
      return result
    }
    this.#peeked = 0
    this.#isDone(result)
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
      result = this.#hot.peek(this.#state, max, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    this.#peeked = result > RESULT_LAST ? this.#end.field(END_COUNT) : 0
    if (this.#peeked === 0) this.#isDone(result)
    return this.#peeked
  }

  /**
   * Address of a peeked slot, by its number from 0, the oldest.
   * @throws {RingError} RangeError: so many are not peeked
   */
  slotAddress(number: number): number {
    if (!(Number.isInteger(number) && number >= 0 && number < this.#peeked)) refuseSlot(number, this.#peeked, "peeked")
    return this.#end.slotAt(number)
  }

  /**
   * Waits until there is a message to peek or to pop, and takes nothing. BLOCKS for at most `timeoutNs`.
   * @returns "ready", or why there is none
   * @throws as pop
   */
  awaitMessage(timeoutNs = Number.POSITIVE_INFINITY): "ready" | Interruption {
    checkTimeout(timeoutNs)
    const attempt = (spins: number): number => this.#hot.peek(this.#state, 1, spins)
    try {
      const first = attempt(this.#spins)
      const result = first > RESULT_LAST ? first : this.#settle(first, attempt, timeoutNs)
      return result > RESULT_LAST ? "ready" : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  /**
   * Gives the peeked slot back to the producer; of several the oldest, and the others are peeked again.
   * @throws {RingError} IllegalOperation: no slot is peeked
   */
  release(): void {
    if (this.#peeked === 0) refuseUnclaimed("release", "peek", 1, 0)
    this.#release(1)
  }

  /**
   * Gives the oldest `count` peeked slots back; those behind them come again with the next peek.
   * @param count 1 to as many as are peeked; all of them by default
   * @throws {RingError} IllegalOperation: not so many are peeked
   */
  releaseMany(count = this.#peeked): void {
    if (!(Number.isInteger(count) && count >= 1 && count <= this.#peeked)) {
      refuseUnclaimed("releaseMany", "peekMany", count, this.#peeked)
    }
    this.#release(count)
  }

  /**
   * Tells the producer at once of all slots that were read. Otherwise it is told by quarters of the ring, and when the
   * ring is found empty: call this before you wait for something else that depends on the producer.
   * @throws {PageFault} the frame is not mapped here any more
   */
  giveBack(): void {
    try {
      this.#isDone(this.#hot.giveBack(this.#state))
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** Counts since this end attached; they stay after `close`. */
  stats(): ConsumerStats {
    const { count, sleeps, wakes } = this.#end
    return { popped: count, empty: this.#empty, sleeps, wakes }
  }

  /**
   * Ends this end: what was not released waits for the next consumer, and a producer that finds no room is told
   * "closed". Every later operation finds the ring "closed". Does nothing the second time.
   */
  close(): void {
    this.#peeked = 0
    this.#end.close()
    this.#state = this.#end.state
  }

  #release(count: number): void {
    this.#peeked = 0
    try {
      const result = this.#hot.release(this.#state, count)
      if (result !== RESULT_DONE) this.#isDone(result)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** Waits if the first attempt found nothing. Returns RESULT_DONE, or what is no success. */
  #settle(first: number, attempt: (spins: number) => number, timeoutNs: number): number {
    if (this.#isDone(first)) return RESULT_DONE
    if (first !== RESULT_NONE && first !== RESULT_NONE_WAKE) return first
    const look = (spins: number): number => {
      const result = attempt(spins)
      if (result !== RESULT_NONE_WAKE) return result
      this.#end.wakePeer()
      return RESULT_NONE
    }
    const result = this.#end.waiting.until(look, this.#end, timeoutNs)
    return this.#isDone(result) ? RESULT_DONE : result
  }

  readonly #attempt = (spins: number): Uint8Array | Interruption | undefined => {
    this.#peeked = 0
    const result = this.#hot.pop(this.#state, spins)
    if (result === RESULT_NONE_WAKE) this.#end.wakePeer()
    if (result === RESULT_NONE || result === RESULT_NONE_WAKE) return undefined
    return this.#isDone(result) ? this.#end.staging : this.#end.outcome(result)
  }

  readonly #onEmpty = (): void => {
    this.#empty++
  }

  #isDone(result: number): boolean {
    switch (result) {
      case RESULT_DONE:
        return true
      case RESULT_DONE_WAKE:
        this.#end.wakePeer()
        return true
      case RESULT_NONE_WAKE:
        this.#end.wakePeer()
        this.#empty++
        return false
      case RESULT_NONE:
        this.#empty++
        return false
      case RESULT_MISBEHAVED:
        throw this.#end.misbehaviour()
      default:
        return false
    }
  }

  #prepareBatch(max: number): number {
    checkBatch(max, this.#capacity)
    this.#peeked = 0
    return this.#end.closed ? 0 : this.#end.batch(max * this.#slotBytes)
  }

  #popped(address: number): Uint8Array {
    const bytes = this.#end.field(END_COUNT) * this.#slotBytes
    if (this.#batch.length !== bytes || this.#batch.byteOffset !== address) {
      this.#batch = this.#vspace.u8.subarray(address, address + bytes)
    }
    return this.#batch
  }
}
