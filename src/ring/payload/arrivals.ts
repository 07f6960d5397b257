// arrivals.ts: waits until something can be done with what a ring brings. The ring's own wait takes nothing, so whatever ends it,
// nothing is lost; and what is done is done in the turn in which it is found to be possible.

import type { RingConsumer } from "../consumer.ts"
import { RingError } from "../errors.ts"
import { checkLimits, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import { checkTimeout, type Interruption } from "../wait.ts"

/** undefined: nothing can be done yet. */
type Attempt<T> = () => T | undefined

export class Arrivals {
  readonly #ring: RingConsumer
  /** The wait on the event loop that has begun, and has neither done what it is for nor been called off. */
  #pending: { readonly signal: AbortSignal | undefined } | undefined

  constructor(ring: RingConsumer) {
    this.#ring = ring
  }

  /**
   * Repeats `attempt`, whenever a message has come, until it gives something: BLOCKING for at most so many nanoseconds, or on
   * the event loop.
   * @returns that, or why it gave nothing
   * @throws as it does, or (rejects) the signal's reason; {RingError} IllegalOperation: such a wait is pending on the event loop
   */
  until<T>(limit: number | LoopWaitOptions, attempt: Attempt<T>): T | Interruption | Promise<T | Interruption> {
    return typeof limit === "object" ? this.#inLoop(limit, attempt) : this.#blocking(limit, attempt)
  }

  #blocking<T>(timeoutNs: number, attempt: Attempt<T>): T | Interruption {
    checkTimeout(timeoutNs)
    this.#ensureFree()
    const leftNs = timeLeft(timeoutNs)
    for (;;) {
      const result = this.#try(attempt)
      if (result !== undefined) return result
      const left = leftNs()
      const outcome = endOf(this.#ring.awaitMessage(left), left)
      if (outcome !== undefined) return this.#try(attempt) ?? outcome
    }
  }

  async #inLoop<T>(options: LoopWaitOptions, attempt: Attempt<T>): Promise<T | Interruption> {
    checkLimits(options)
    const { signal, deadlineNs = Number.POSITIVE_INFINITY } = options
    signal?.throwIfAborted()
    this.#ensureFree()
    const pending = { signal }
    this.#pending = pending
    try {
      const leftNs = timeLeft(deadlineNs)
      for (;;) {
        const result = this.#try(attempt)
        if (result !== undefined) return result
        const left = leftNs()
        const outcome = endOf(await this.#ring.awaitMessage({ ...options, deadlineNs: left }), left)
        signal?.throwIfAborted()
        if (this.#pending !== pending) return "closed"
        if (outcome !== undefined) return this.#try(attempt) ?? outcome
      }
    } finally {
      if (this.#pending === pending) this.#pending = undefined
    }
  }

  /** Ends a pending wait on the event loop with "closed". The next may begin at once, before that one hears of it. */
  cancel(): void {
    this.#pending = undefined
    this.#ring.cancel()
  }

  #try<T>(attempt: Attempt<T>): T | Interruption | undefined {
    try {
      return attempt()
    } catch (error) {
      return this.#ring.interruptionBy(error)
    }
  }

  /** Or what came later would overtake it. */
  #ensureFree(): void {
    if (this.#pending === undefined || this.#pending.signal?.aborted) return
    throw new RingError("IllegalOperation", "A wait of this end is pending: await it, or abort it, before the next")
  }
}

/** Why to wait no longer. A peer that sends without an end what is of no use keeps nobody beyond his time. */
function endOf(outcome: "ready" | Interruption, leftNs: number): Interruption | undefined {
  if (outcome !== "ready") return outcome
  return leftNs === 0 ? "deadline" : undefined
}

function timeLeft(timeoutNs: number): () => number {
  const deadlineMs = performance.now() + timeoutNs / 1e6
  return () => Math.max(0, (deadlineMs - performance.now()) * 1e6)
}
