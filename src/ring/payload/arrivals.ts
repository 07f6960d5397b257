// arrivals.ts: waits until something can be done with what a ring brings. The ring's own wait takes nothing, so whatever ends it,
// nothing is lost; and what is done is done in the turn in which it is found to be possible.

import type { RingConsumer } from "../consumer.ts"
import { RingError } from "../errors.ts"
import { ensureSignal, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import { checkTimeout, type Interruption } from "../wait.ts"

/** undefined: nothing can be done yet. */
type Attempt<T> = () => T | undefined

export class Arrivals {
  readonly #ring: RingConsumer
  /** A wait on the event loop has begun, and not done what it is for. */
  #isPending = false

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
      const result = attempt()
      if (result !== undefined) return result
      const left = leftNs()
      const outcome = endOf(this.#ring.awaitMessage(left), left)
      if (outcome !== undefined) return attempt() ?? outcome
    }
  }

  async #inLoop<T>(options: LoopWaitOptions, attempt: Attempt<T>): Promise<T | Interruption> {
    const { signal, deadlineNs = Number.POSITIVE_INFINITY } = options
    checkTimeout(deadlineNs, "deadlineNs")
    ensureSignal(signal)
    signal?.throwIfAborted()
    this.#ensureFree()
    this.#isPending = true
    try {
      const leftNs = timeLeft(deadlineNs)
      for (;;) {
        const result = attempt()
        if (result !== undefined) return result
        const left = leftNs()
        const outcome = endOf(await this.#ring.awaitMessage({ ...options, deadlineNs: left }), left)
        if (outcome !== undefined) return attempt() ?? outcome
        signal?.throwIfAborted()
      }
    } finally {
      this.#isPending = false
    }
  }

  /** Or what came later would overtake it. */
  #ensureFree(): void {
    if (!this.#isPending) return
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
