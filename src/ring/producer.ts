// producer.ts: the sending end of a ring. Its hot path is one call into WebAssembly; sleeping and waking leave it.

import type { Writable } from "node:stream"
import { Closeable, type LoopWaits } from "./closeable.ts"
import { ensureBytes, RingError } from "./errors.ts"
import type { Hot } from "./hot.ts"
import { END_INDEX, RESULT_DONE, RESULT_DONE_WAKE, RESULT_LAST, RESULT_MISBEHAVED, RESULT_NONE } from "./layout.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { writableOf, writableStreamOf } from "./loop/streams.ts"
import { checkBatch, RingEnd, refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/** What a producer has done since it attached. */
export interface ProducerStats {
  /** Messages. */
  readonly pushed: number
  /** Operations that found too little room; a wait counts once. */
  readonly full: number
  readonly sleeps: number
  /** Wake-ups of the consumer: a system call each. */
  readonly wakes: number
}

/** Several messages, one behind the other, each of slotBytes; or an array of messages, each at most slotBytes. */
export type Batch = Uint8Array | readonly Uint8Array[]

/**
 * Made by `SharedRing.producer`. One for each ring: nothing stops a second one in another process from ruining both.
 */
export class RingProducer extends Closeable {
  readonly #vspace: VSpace
  readonly #hot: Hot
  readonly #end: RingEnd
  readonly #spins: number
  readonly #capacity: number
  readonly #slotBytes: number
  #state: number
  /** Slots between claim and commit. */
  #claimed = 0
  #full = 0

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super()
    this.#vspace = vspace
    this.#hot = vspace.hot
    this.#capacity = place.capacity
    this.#slotBytes = place.slotBytes
    this.#end = new RingEnd(vspace, "producer", place, options)
    this.#state = this.#end.state
    this.#spins = this.#end.waiting.spins
  }

  /** Private memory of `slotBytes`: what a push without an argument sends. Writing here saves a copy. */
  get staging(): Uint8Array {
    return this.#end.staging
  }

  /** Changes when a slot that was claimed is no longer this end's to write; -1 once it is closed. */
  get generation(): number {
    return this.#end.closed ? -1 : (this.#vspace.u32[(this.#state + END_INDEX) / 4] as number)
  }

  /** Why nothing more can be sent: "peer-gone", "revoked", "kernel-gone", "closed"; undefined while the ring is live. */
  interruption(): Interruption | undefined {
    return this.#end.interruption()
  }

  /**
   * Sends `message`, or what is in `staging`. Never blocks. Gives up an uncommitted claim.
   * @param message at most slotBytes; the rest of the slot is sent as zeros
   * @returns false when it was not sent: the ring is full, or `interruption()` says why. Slots come back by quarters of
   *   the ring, or when the consumer finds it empty: so it may be full with up to a quarter less one read already
   * @throws {RingError} RangeError: the message is longer than a slot. InvalidArgument: it is no Uint8Array
   * @throws {PeerMisbehaviorError} the consumer's index is impossible
   * @throws {PageFault} the frame is not mapped here any more
   * Cost: 10 to 20 ns for 64 bytes, half of it the copy from `message`; a system call when the consumer sleeps.
   */
  tryPush(message?: Uint8Array): boolean {
    if (message !== undefined) this.#stage(message)
    this.#claimed = 0
    let result: number
    try {
      result = this.#hot.push(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    return result === RESULT_DONE || this.#isDone(result)
  }

  /**
   * As `tryPush`, but waits for room. BLOCKS for at most `timeoutNs`.
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns "pushed", or why it was not sent
   * @throws as tryPush, save that a page fault by revocation is the outcome "revoked"
   */
  push(message?: Uint8Array, timeoutNs?: number): "pushed" | Interruption
  /**
   * The same on the event loop, without blocking it. The message is copied at once. One such wait at a time, and no other
   * operation during it.
   * @throws (rejects) as push; the signal's reason; {RingError} IllegalOperation: another wait is pending, or the end has
   * no bell
   * Cost: where there is room, a push and a promise; otherwise up to `checkNs` of looking, then it sleeps.
   */
  push(message: Uint8Array | undefined, options: LoopWaitOptions): Promise<"pushed" | Interruption>
  push(
    message?: Uint8Array,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<unknown> {
    if (typeof limit === "object") return this.#pushInLoop(message, limit)
    return this.#push(message, limit)
  }

  #push(message: Uint8Array | undefined, timeoutNs: number): "pushed" | Interruption {
    checkTimeout(timeoutNs)
    if (message !== undefined) this.#stage(message)
    this.#claimed = 0
    try {
      const result = this.#hot.push(this.#state, this.#spins)
      if (result === RESULT_DONE) return "pushed"
      return this.#settle(result, spins => this.#hot.push(this.#state, spins), timeoutNs)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  /**
   * Sends several messages with one publish: the consumer sees all of them at once, or none. Never blocks.
   * @param messages 1 to the ring's capacity
   * @returns false when nothing was sent, as tryPush
   * @throws {RingError} RangeError: more messages than slots, none, or one that is longer than a slot
   * @throws as tryPush. Cost: 3 to 6 ns a message of 64 bytes, and the copy from `messages`
   */
  tryPushMany(messages: Batch): boolean {
    const [from, count] = this.#stageMany(messages)
    try {
      return this.#isDone(this.#hot.pushMany(this.#state, from, count, 1))
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** As `tryPushMany`, but waits until there is room for all. BLOCKS for at most `timeoutNs`. */
  pushMany(messages: Batch, timeoutNs = Number.POSITIVE_INFINITY): "pushed" | Interruption {
    checkTimeout(timeoutNs)
    const [from, count] = this.#stageMany(messages)
    const attempt = (spins: number): number => this.#hot.pushMany(this.#state, from, count, spins)
    try {
      return this.#settle(attempt(this.#spins), attempt, timeoutNs)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  /** A Node stream that sends each chunk as a message (loop/streams.ts). */
  writable(highWaterMark?: number): Writable {
    return writableOf(this, highWaterMark)
  }

  /** A Web stream that sends each chunk as a message (loop/streams.ts). */
  writableStream(highWaterMark?: number): WritableStream<Uint8Array> {
    return writableStreamOf(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#end.loop
  }

  /**
   * The address of the next free slot, to be written in place and then committed. Calling it again names the same slot.
   * @returns 0 when there is none: the ring is full, or `interruption()` says why
   * @throws {PeerMisbehaviorError} {PageFault} as tryPush
   */
  claim(): number {
    return this.#claim(1)
  }

  /**
   * Claims the next `count` slots, all or none, to be written in place at `slotAddress(0)` and on, and then committed.
   * @returns the address of the first; 0 as claim. The others follow it where slots do: ask slotAddress
   * @throws {RingError} RangeError: count is not an integer from 1 to the ring's capacity
   */
  claimMany(count: number): number {
    checkBatch(count, this.#capacity)
    return this.#claim(count)
  }

  /**
   * Address of a claimed slot, by its number from 0.
   * @throws {RingError} RangeError: so many are not claimed
   */
  slotAddress(number: number): number {
    if (!(Number.isInteger(number) && number >= 0 && number < this.#claimed))
      refuseSlot(number, this.#claimed, "claimed")
    return this.#end.slotAt(number)
  }

  /**
   * Sends the claimed slot, all slotBytes of it; of several claimed the first, and the others are given up.
   * @throws {RingError} IllegalOperation: no slot is claimed
   */
  commit(): void {
    if (this.#claimed === 0) refuseUnclaimed("commit", "claim", 1, 0)
    this.#commit(1)
  }

  /**
   * Sends the first `count` claimed slots with one publish; those behind them are given up.
   * @param count 1 to as many as are claimed; all of them by default
   * @throws {RingError} IllegalOperation: not so many are claimed
   */
  commitMany(count = this.#claimed): void {
    if (!(Number.isInteger(count) && count >= 1 && count <= this.#claimed)) {
      refuseUnclaimed("commitMany", "claimMany", count, this.#claimed)
    }
    this.#commit(count)
  }

  /** Counts since this end attached; they stay after `close`. */
  stats(): ProducerStats {
    const { count, sleeps, wakes } = this.#end
    return { pushed: count, full: this.#full, sleeps, wakes }
  }

  /**
   * Ends this end: the consumer gets what was committed, then "closed"; another producer may attach. What was claimed
   * and not committed never appears. Every later operation finds the ring "closed". Does nothing the second time.
   */
  close(): void {
    this.#claimed = 0
    this.#end.close()
    this.#state = this.#end.state
  }

  #claim(count: number): number {
    let result: number
    try {
      result = this.#hot.claim(this.#state, count, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    if (result > RESULT_LAST) {
      this.#claimed = count
      return result
    }
    this.#claimed = 0
    this.#isDone(result)
    return 0
  }

  #commit(count: number): void {
    this.#claimed = 0
    try {
      const result = this.#hot.commit(this.#state, count)
      if (result !== RESULT_DONE) this.#isDone(result)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** Waits if the first attempt found no room. */
  #settle(first: number, attempt: (spins: number) => number, timeoutNs: number): "pushed" | Interruption {
    const result = first === RESULT_NONE ? this.#end.waiting.until(attempt, this.#end, timeoutNs) : first
    if (first === RESULT_NONE) this.#full++
    return this.#isDone(result) ? "pushed" : this.#end.outcome(result)
  }

  #pushInLoop(message: Uint8Array | undefined, options: LoopWaitOptions): Promise<"pushed" | Interruption> {
    return this.#end.loop.wait(this.#attempt, options, this.#onFull, () => {
      if (message !== undefined) this.#stage(message)
    })
  }

  readonly #attempt = (spins: number): "pushed" | Interruption | undefined => {
    this.#claimed = 0
    const result = this.#hot.push(this.#state, spins)
    if (result === RESULT_NONE) return undefined
    return this.#isDone(result) ? "pushed" : this.#end.outcome(result)
  }

  readonly #onFull = (): void => {
    this.#full++
  }

  #isDone(result: number): boolean {
    if (result === RESULT_DONE) return true
    if (result === RESULT_DONE_WAKE) {
      this.#end.wakePeer()
      return true
    }
    if (result === RESULT_MISBEHAVED) throw this.#end.misbehaviour()
    if (result === RESULT_NONE) this.#full++
    return false
  }

  #stage(message: Uint8Array): void {
    const { staging } = this.#end
    this.#checkLength(message)
    staging.set(message)
    // What an earlier message left behind is not this one's to send.
    if (message.length < staging.length) staging.fill(0, message.length)
  }

  #stageMany(messages: Batch): [from: number, count: number] {
    const slotBytes = this.#slotBytes
    const packed = messages instanceof Uint8Array
    if (!packed && !Array.isArray(messages)) ensureBytes("messages", messages)
    const count = packed ? messages.length / slotBytes : messages.length
    checkBatch(count, this.#capacity)
    this.#claimed = 0
    if (this.#end.closed) return [0, count]
    const from = this.#end.batch(count * slotBytes)
    const { u8 } = this.#vspace
    if (packed) u8.set(messages, from)
    else {
      for (const message of messages) this.#checkLength(message)
      u8.fill(0, from, from + count * slotBytes)
      for (const [number, message] of messages.entries()) u8.set(message, from + number * slotBytes)
    }
    return [from, count]
  }

  #checkLength(message: Uint8Array): void {
    ensureBytes("message", message)
    const { length } = message
    if (length <= this.#slotBytes) return
    throw new RingError(
      "RangeError",
      `The message has ${length} bytes: a slot holds ${this.#slotBytes}; split it or use larger slots`,
    )
  }
}

/** @throws {RingError} RangeError */
export function refuseSlot(number: number, held: number, how: string): never {
  const allowed =
    held === 0
      ? `no slot is ${how}; claim or peek first`
      : `it must be a whole number, 0 to ${held - 1}, of those ${how}`
  throw new RingError("RangeError", `slotAddress(${String(number)}): ${allowed}`)
}
