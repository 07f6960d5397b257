// producer.ts: the sending end of a ring. Its hot path is one call into WebAssembly; sleeping and waking leave it.

import { ensureBytes, RingError } from "./errors.ts"
import { END_INDEX, RESULT_DONE, RESULT_LAST } from "./layout.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { checkBatch, refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import { ensureFits, pushed, SendingEnd, stage } from "./sending-end.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/** Several messages, one behind the other, each of slotBytes; or an array of messages, each at most slotBytes. */
export type Batch = Uint8Array | readonly Uint8Array[]

/**
 * Made by `SharedRing.producer`. One for each ring: nothing stops a second one in another process from ruining both.
 */
export class RingProducer extends SendingEnd {
  readonly #capacity: number
  readonly #slotBytes: number
  /** What a batch was copied to, and how many messages. */
  #from = 0
  #count = 0

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super(vspace, "producer", place, options)
    this.#capacity = place.capacity
    this.#slotBytes = place.slotBytes
  }

  /** Private memory of `slotBytes`: what a push without an argument sends. Writing here saves a copy. */
  get staging(): Uint8Array {
    return this.end.staging
  }

  /** Slots of the ring. */
  get capacity(): number {
    return this.#capacity
  }

  /** Of the next message: how many the ring's producers have committed, modulo 2^32. */
  get index(): number {
    return this.end.field(END_INDEX)
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
    if (message !== undefined) stage(this.end.staging, message)
    this.held = 0
    let result: number
    try {
      result = this.hot.push(this.state, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    return result === RESULT_DONE || this.isDone(result)
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
    if (typeof limit !== "object") return this.#push(message, limit)
    return this.pushStaged(() => {
      if (message !== undefined) stage(this.end.staging, message)
    }, limit)
  }

  /**
   * As `push` on the event loop, of what `write` puts into `staging`: it is called once it is clear that no other wait has its
   * message there, and not where the signal has been aborted.
   */
  pushStaged(write: () => void, options: LoopWaitOptions): Promise<"pushed" | Interruption> {
    return this.waitInLoop(this.#attempt, options, write)
  }

  #push(message: Uint8Array | undefined, timeoutNs: number): "pushed" | Interruption {
    checkTimeout(timeoutNs)
    if (message !== undefined) stage(this.end.staging, message)
    this.held = 0
    try {
      const result = this.hot.push(this.state, this.spins)
      return result === RESULT_DONE ? "pushed" : this.settle(result, this.#send, pushed, timeoutNs)
    } catch (error) {
      return this.end.interruptionBy(error)
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
    this.#stageMany(messages)
    try {
      return this.isDone(this.#sendMany(1))
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  /** As `tryPushMany`, but waits until there is room for all. BLOCKS for at most `timeoutNs`. */
  pushMany(messages: Batch, timeoutNs?: number): "pushed" | Interruption
  /** The same on the event loop, without blocking it, as `push`. The messages are copied at once. */
  pushMany(messages: Batch, options: LoopWaitOptions): Promise<"pushed" | Interruption>
  pushMany(
    messages: Batch,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<"pushed" | Interruption> {
    return this.wait(this.#sendMany, pushed, limit, () => this.#stageMany(messages))
  }

  /**
   * The address of the next free slot, to be written in place and then committed: all of it, since what stands there before is
   * unspecified (decision 0030). Calling it again names the same slot.
   * @returns 0 when there is none: the ring is full, or `interruption()` says why
   * @throws {PeerMisbehaviorError} {PageFault} as tryPush
   */
  claim(): number {
    return this.#claim(1)
  }

  /**
   * Claims the next `count` slots, all or none, to be written in place at `slotAddress(0)` and on, and then committed; as with
   * `claim`, what stands there before is unspecified.
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
    if (!(Number.isInteger(number) && number >= 0 && number < this.held)) refuseSlot(number, this.held, "claimed")
    return this.end.slotAt(number)
  }

  /**
   * Sends the claimed slot, all slotBytes of it; of several claimed the first, and the others are given up, with whatever
   * has been written there.
   * @throws {RingError} IllegalOperation: no slot is claimed
   */
  commit(): void {
    if (this.held === 0) refuseUnclaimed("commit", "claim", 1, 0)
    this.#commit(1)
  }

  /**
   * Sends the first `count` claimed slots with one publish; those behind them are given up, with whatever has been written
   * there.
   * @param count 1 to as many as are claimed; all of them by default
   * @throws {RingError} IllegalOperation: not so many are claimed
   */
  commitMany(count = this.held): void {
    if (!(Number.isInteger(count) && count >= 1 && count <= this.held)) {
      refuseUnclaimed("commitMany", "claimMany", count, this.held)
    }
    this.#commit(count)
  }

  protected get pushed(): number {
    return this.end.count
  }

  #claim(count: number): number {
    let result: number
    try {
      result = this.hot.claim(this.state, count, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    if (result > RESULT_LAST) {
      this.held = count
      return result
    }
    this.held = 0
    this.isDone(result)
    return 0
  }

  #commit(count: number): void {
    this.held = 0
    try {
      const result = this.hot.commit(this.state, count)
      if (result !== RESULT_DONE) this.isDone(result)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  readonly #send = (spins: number): number => {
    this.held = 0
    return this.hot.push(this.state, spins)
  }

  readonly #attempt = this.attempt(this.#send, pushed)

  readonly #sendMany = (spins: number): number => this.hot.pushMany(this.state, this.#from, this.#count, spins)

  #stageMany(messages: Batch): void {
    const slotBytes = this.#slotBytes
    const packed = messages instanceof Uint8Array
    if (!packed && !Array.isArray(messages)) ensureBytes("messages", messages)
    const count = packed ? messages.length / slotBytes : messages.length
    checkBatch(count, this.#capacity)
    // What another batch is waiting with lies where this one would.
    this.end.loop.ensureFree()
    this.held = 0
    this.#count = count
    if (this.end.closed) return
    const from = this.end.batch(count * slotBytes)
    const { u8 } = this.vspace
    if (packed) u8.set(messages, from)
    else {
      for (const message of messages) ensureFits(message, slotBytes)
      u8.fill(0, from, from + count * slotBytes)
      for (const [number, message] of messages.entries()) u8.set(message, from + number * slotBytes)
    }
    this.#from = from
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
