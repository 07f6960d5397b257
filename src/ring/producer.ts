// producer.ts: the sending end of a ring. Its hot path is one call into WebAssembly; sleeping and waking leave it.

import { RingError } from "./errors.ts"
import type { Hot } from "./hot.ts"
import { RESULT_DONE, RESULT_DONE_WAKE, RESULT_LAST, RESULT_MISBEHAVED, RESULT_NONE } from "./layout.ts"
import { RingEnd, type RingPlace, refuseUnclaimed } from "./ring-end.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/**
 * Made by `SharedRing.producer`. One for each ring: nothing stops a second one in another process from ruining both.
 */
export class RingProducer {
  /** Private memory of `slotBytes`: what a push without an argument sends. Writing here saves a copy. */
  readonly staging: Uint8Array
  readonly #vspace: VSpace
  readonly #hot: Hot
  readonly #end: RingEnd
  readonly #state: number
  readonly #spins: number
  /** True between claim and commit. */
  #claimed = false

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    this.#vspace = vspace
    this.#hot = vspace.hot
    this.#end = new RingEnd(vspace, "producer", place, options)
    this.#state = this.#end.state
    this.#spins = this.#end.waiting.spins
    this.staging = this.#end.staging
  }

  /** Why nothing more can be sent: "peer-gone", "revoked", "kernel-gone"; undefined while the ring is live. */
  interruption(): Interruption | undefined {
    return this.#end.interruption()
  }

  /**
   * Sends `message`, or what is in `staging`. Never blocks. Gives up an uncommitted claim.
   * @param message at most slotBytes; the rest of the slot is sent as zeros
   * @returns false when it was not sent: the ring is full, or `interruption()` says why
   * @throws {RingError} RangeError: the message is longer than a slot
   * @throws {PeerMisbehaviorError} the consumer's index is impossible
   * @throws {PageFault} the frame is not mapped here any more
   * Cost: 10 to 20 ns for 64 bytes, half of it the copy from `message`; a system call when the consumer sleeps.
   */
  tryPush(message?: Uint8Array): boolean {
    if (message !== undefined) this.#stage(message)
    this.#claimed = false
    let result: number
    try {
      result = this.#hot.push(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    return this.#isDone(result)
  }

  /**
   * As `tryPush`, but waits for room. BLOCKS for at most `timeoutNs`.
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns "pushed", or why it was not sent
   * @throws as tryPush, save that a page fault by revocation is the outcome "revoked"
   */
  push(message?: Uint8Array, timeoutNs = Number.POSITIVE_INFINITY): "pushed" | Interruption {
    checkTimeout(timeoutNs)
    if (message !== undefined) this.#stage(message)
    this.#claimed = false
    try {
      let result = this.#hot.push(this.#state, this.#spins)
      if (result === RESULT_NONE) {
        result = this.#end.waiting.until(spins => this.#hot.push(this.#state, spins), this.#end, timeoutNs)
      }
      return this.#isDone(result) ? "pushed" : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  /**
   * The address of the next free slot, to be written in place and then committed. Calling it again names the same slot.
   * @returns 0 when there is none: the ring is full, or `interruption()` says why
   * @throws {PeerMisbehaviorError} {PageFault} as tryPush
   */
  claim(): number {
    let result: number
    try {
      result = this.#hot.claim(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    this.#claimed = result > RESULT_LAST
    if (this.#claimed) return result
    this.#isDone(result)
    return 0
  }

  /**
   * Sends the claimed slot, all slotBytes of it.
   * @throws {RingError} IllegalOperation: no slot is claimed
   */
  commit(): void {
    if (!this.#claimed) refuseUnclaimed("commit")
    this.#claimed = false
    try {
      this.#isDone(this.#hot.commit(this.#state))
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  #isDone(result: number): boolean {
    if (result === RESULT_DONE) return true
    if (result === RESULT_DONE_WAKE) {
      this.#end.wakePeer()
      return true
    }
    if (result === RESULT_MISBEHAVED) throw this.#end.misbehaviour()
    return false
  }

  #stage(message: Uint8Array): void {
    const { staging } = this
    if (message.length > staging.length) {
      throw new RingError(
        "RangeError",
        `The message has ${message.length} bytes: a slot holds ${staging.length}; split it or use larger slots`,
      )
    }
    staging.set(message)
    // What an earlier message left behind is not this one's to send.
    if (message.length < staging.length) staging.fill(0, message.length)
  }
}
