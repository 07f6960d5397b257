// attached-end.ts: what the ends of a ring, of slots or of records, have in common: what they are attached with, how they
// wait, and what a result of the hot code means. The common case of a message never comes here.

import { Closeable, type LoopWaits } from "./closeable.ts"
import type { Hot } from "./hot.ts"
import {
  END_INDEX,
  RESULT_BAD_RECORD,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_NONE_WAKE,
} from "./layout.ts"
import type { Attempt, LoopWaitOptions } from "./loop/loop-waiting.ts"
import { RingEnd, type Role } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/** One attempt at an operation: looks at most `spins` times, returns a RESULT_. */
export type Look = (spins: number) => number

export abstract class AttachedEnd extends Closeable {
  protected readonly vspace: VSpace
  protected readonly hot: Hot
  protected readonly end: RingEnd
  /** Looks of the first attempt of a wait that may block. */
  protected readonly spins: number
  /** Address of this end's private state, for the hot code. */
  protected state: number
  /** Between claim and commit, or peek and release: slots, or bytes of a record. */
  protected held = 0
  /** Operations that found the ring full, or empty; a wait counts once. */
  protected misses = 0

  constructor(vspace: VSpace, role: Role, place: RingPlace, options: EndOptions) {
    super()
    this.vspace = vspace
    this.hot = vspace.hot
    this.end = new RingEnd(vspace, role, place, options)
    this.state = this.end.state
    this.spins = this.end.waiting.spins
  }

  /** Changes when what was claimed, popped or peeked is no longer this end's to use; -1 once it is closed. */
  get generation(): number {
    return this.end.closed ? -1 : this.end.field(END_INDEX)
  }

  /**
   * Why nothing more can be sent, or will come: "peer-gone", "revoked", "kernel-gone", "closed"; undefined while the ring is
   * live. After "peer-gone", or the producer's close, there may still be messages: pop until there is none.
   */
  interruption(): Interruption | undefined {
    return this.end.interruption()
  }

  /**
   * What a wait makes of an error: a page fault where the kernel has just taken the pages away is an outcome.
   * @throws the error, where it is none. Cost: blocks for up to 2 s where the fault was a real one
   */
  interruptionBy(error: unknown): Interruption {
    return this.end.interruptionBy(error)
  }

  /** Ends a pending wait on the event loop with "closed"; the next one is as before. */
  cancel(): void {
    this.end.loop.end("closed" satisfies Interruption)
  }

  /**
   * Ends this end, and tells its peer "closed": a consumer after all that was committed, a producer when it finds no room.
   * What was claimed and not committed never appears; what was not released waits for the next consumer. Another may attach
   * in its place. Every later operation finds the ring "closed". Does nothing the second time.
   */
  close(): void {
    this.held = 0
    this.end.close()
    this.state = this.end.state
  }

  protected get waits(): LoopWaits {
    return this.end.loop
  }

  /**
   * Repeats `look` until it finds something, as `limit` says: BLOCKING for so many nanoseconds, or on the event loop.
   * @param found makes the outcome of what was found
   * @param prepare comes before the first look, once it is clear that there will be one
   */
  protected wait<T>(
    look: Look,
    found: () => T,
    limit: number | LoopWaitOptions,
    prepare?: () => void,
  ): T | Interruption | Promise<T | Interruption> {
    if (typeof limit === "object") return this.waitInLoop(this.attempt(look, found), limit, prepare)
    checkTimeout(limit)
    prepare?.()
    try {
      return this.settle(look(this.spins), look, found, limit)
    } catch (error) {
      return this.interruptionBy(error)
    }
  }

  protected waitInLoop<T>(
    attempt: Attempt<T | Interruption>,
    options: LoopWaitOptions,
    prepare?: () => void,
  ): Promise<T | Interruption> {
    return this.end.loop.wait(attempt, options, this.#onMiss, prepare)
  }

  /** `look` as a wait on the event loop repeats it. */
  protected attempt<T>(look: Look, found: () => T): Attempt<T | Interruption> {
    return spins => {
      const result = this.#lookOnce(look, spins)
      if (result === RESULT_NONE) return undefined
      return this.isDone(result) ? found() : this.end.outcome(result)
    }
  }

  /** BLOCKS for at most `timeoutNs` if `first`, which is what `look` returned, found nothing. */
  protected settle<T>(first: number, look: Look, found: () => T, timeoutNs: number): T | Interruption {
    let result = first
    if (result === RESULT_NONE || result === RESULT_NONE_WAKE) {
      this.isDone(result)
      result = this.end.waiting.until(spins => this.#lookOnce(look, spins), this.end, timeoutNs)
    }
    return this.isDone(result) ? found() : this.end.outcome(result)
  }

  /** Whether an operation with that result did what it is for; wakes whom it says. @throws {PeerMisbehaviorError} */
  protected isDone(result: number): boolean {
    switch (result) {
      case RESULT_DONE:
        return true
      case RESULT_DONE_WAKE:
        this.end.wakePeer()
        return true
      case RESULT_NONE_WAKE:
        this.end.wakePeer()
        this.misses++
        return false
      case RESULT_NONE:
        this.misses++
        return false
      case RESULT_MISBEHAVED:
      case RESULT_BAD_RECORD:
        throw this.end.misbehaviour(result)
      default:
        return false
    }
  }

  /** Between two looks who waits has nothing to count, and whom he keeps waiting is woken. */
  #lookOnce(look: Look, spins: number): number {
    const result = look(spins)
    if (result !== RESULT_NONE_WAKE) return result
    this.end.wakePeer()
    return RESULT_NONE
  }

  readonly #onMiss = (): void => {
    this.misses++
  }
}
