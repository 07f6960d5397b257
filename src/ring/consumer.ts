// consumer.ts: the receiving end of a ring. Its hot path is one call into WebAssembly; sleeping and waking leave it.

import type { Hot } from "./hot.ts"
import { RESULT_DONE, RESULT_DONE_WAKE, RESULT_LAST, RESULT_MISBEHAVED, RESULT_NONE } from "./layout.ts"
import { RingEnd, type RingPlace, refuseUnclaimed } from "./ring-end.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/**
 * Made by `SharedRing.consumer`. One for each ring: nothing stops a second one in another process from ruining both.
 */
export class RingConsumer {
  readonly #vspace: VSpace
  readonly #hot: Hot
  readonly #end: RingEnd
  readonly #state: number
  readonly #spins: number
  /** Private memory of `slotBytes` that every pop copies to and returns. */
  readonly staging: Uint8Array
  /** True between peek and release. */
  #peeked = false

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    this.#vspace = vspace
    this.#hot = vspace.hot
    this.#end = new RingEnd(vspace, "consumer", place, options)
    this.#state = this.#end.state
    this.#spins = this.#end.waiting.spins
    this.staging = this.#end.staging
  }

  /**
   * Why nothing more will come: "peer-gone", "revoked", "kernel-gone"; undefined while the ring is live. After
   * "peer-gone" there may still be messages: pop until it returns undefined.
   */
  interruption(): Interruption | undefined {
    return this.#end.interruption()
  }

  /**
   * Takes the oldest message. Never blocks.
   * @returns its slotBytes bytes, in private memory and always the same array: valid until the next pop. It is
   *   backed by a SharedArrayBuffer, so TextDecoder wants a copy. undefined when there is none: the ring is empty, or
   *   `interruption()` says why
   * @throws {PeerMisbehaviorError} the producer's index is impossible
   * @throws {PageFault} the frame is not mapped here any more
   * Cost: about 10 ns for 64 bytes; a system call when the producer sleeps.
   */
  tryPop(): Uint8Array | undefined {
    this.#peeked = false
    let result: number
    try {
      result = this.#hot.pop(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    return this.#isDone(result) ? this.staging : undefined
  }

  /**
   * As `tryPop`, but waits for a message. BLOCKS for at most `timeoutNs`. What the producer committed before it died
   * comes first, then "peer-gone".
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns the message, or why there is none
   * @throws as tryPop, save that a page fault by revocation is the outcome "revoked"
   */
  pop(timeoutNs = Number.POSITIVE_INFINITY): Uint8Array | Interruption {
    checkTimeout(timeoutNs)
    this.#peeked = false
    try {
      let result = this.#hot.pop(this.#state, this.#spins)
      if (result === RESULT_NONE) {
        result = this.#end.waiting.until(spins => this.#hot.pop(this.#state, spins), this.#end, timeoutNs)
      }
      return this.#isDone(result) ? this.staging : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
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
      result = this.#hot.peek(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    this.#peeked = result > RESULT_LAST
    if (this.#peeked) return result
    this.#isDone(result)
    return 0
  }

  /**
   * Gives the peeked slot back to the producer.
   * @throws {RingError} IllegalOperation: no slot is peeked
   */
  release(): void {
    if (!this.#peeked) refuseUnclaimed("release")
    this.#peeked = false
    try {
      this.#isDone(this.#hot.release(this.#state))
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
}
