// service-calls.ts: a client's calls on the event loop: any number at a time, of which as many as may be are under way, and the
// others wait for room. One wait for replies serves all of them.

import { afterNs, checkLimits, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import type { Interruption } from "../wait.ts"

/** The client, as its calls see it. */
export interface CallSender {
  /** @throws {RingError} no payload of a request */
  check(payload: Uint8Array): void
  /** As ServiceClient.send, but takes no reply to make room. */
  trySend(payload: Uint8Array): number | "full" | Interruption
  /** Nobody waits for this call any more. */
  giveUp(call: number): void
  /** Waits for a reply and delivers it; undefined when one came, else why none will. */
  takeReply(options: LoopWaitOptions): Promise<Interruption | undefined>
}

interface Caller {
  readonly payload: Uint8Array
  readonly resolve: (outcome: Uint8Array | Interruption) => void
  readonly reject: (reason: unknown) => void
  /** Undefined while it waits for room. */
  call: number | undefined
  /** Takes its timer and its listener away. */
  release: () => void
}

export class LoopCalls {
  readonly #sender: CallSender
  readonly #underWay = new Map<number, Caller>()
  /** In the order in which they were made. */
  readonly #queue = new Set<Caller>()
  #waits = new AbortController()
  #isWaiting = false

  constructor(sender: CallSender) {
    this.#sender = sender
  }

  /** As ServiceClient.call. The payload is the caller's again when this has returned. */
  call(payload: Uint8Array, options: LoopWaitOptions): Promise<Uint8Array | Interruption> {
    return new Promise((resolve, reject) => {
      checkLimits(options)
      const { signal, deadlineNs = Number.POSITIVE_INFINITY } = options
      this.#sender.check(payload)
      signal?.throwIfAborted()
      const sent = this.#queue.size > 0 ? "full" : this.#sender.trySend(payload)
      if (typeof sent === "string" && sent !== "full") return resolve(sent)
      const isSent = sent !== "full"
      if (!isSent && deadlineNs === 0) return resolve("deadline")
      const caller: Caller = {
        payload: isSent ? payload : payload.slice(),
        resolve,
        reject,
        call: isSent ? sent : undefined,
        release: () => {},
      }
      if (isSent) this.#underWay.set(sent, caller)
      else this.#queue.add(caller)
      this.#limit(caller, signal, deadlineNs)
      this.#wait()
    })
  }

  /** What came of a call. False when it is none of these. */
  deliver(call: number, outcome: Uint8Array | Interruption): boolean {
    const caller = this.#underWay.get(call)
    if (caller === undefined) return false
    this.#forget(caller)
    caller.resolve(outcome)
    this.#sendQueued(undefined)
    return true
  }

  /** No reply will come any more. */
  abandon(outcome: Interruption): void {
    for (const caller of this.#underWay.values()) {
      this.#forget(caller)
      caller.resolve(outcome)
    }
    this.#sendQueued(outcome)
  }

  #limit(caller: Caller, signal: AbortSignal | undefined, deadlineNs: number): void {
    const end = (how: () => void): void => {
      if (caller.call !== undefined) this.#sender.giveUp(caller.call)
      this.#forget(caller)
      how()
    }
    const onAbort = (): void => end(() => caller.reject(signal?.reason))
    const timer = afterNs(deadlineNs, () => end(() => caller.resolve("deadline")))
    signal?.addEventListener("abort", onAbort, { once: true })
    caller.release = () => {
      clearTimeout(timer)
      signal?.removeEventListener("abort", onAbort)
    }
  }

  /** @param outcome why nothing will make room any more, if nothing will */
  #sendQueued(outcome: Interruption | undefined): void {
    for (const caller of this.#queue) {
      const sent = this.#sender.trySend(caller.payload)
      if (sent === "full" && outcome === undefined) return
      if (typeof sent === "number") {
        this.#queue.delete(caller)
        caller.call = sent
        this.#underWay.set(sent, caller)
        continue
      }
      this.#forget(caller)
      caller.resolve(sent === "full" ? (outcome as Interruption) : sent)
    }
  }

  #forget(caller: Caller): void {
    caller.release()
    this.#queue.delete(caller)
    if (caller.call !== undefined) this.#underWay.delete(caller.call)
    if (this.#isIdle) this.#waits.abort()
  }

  get #isIdle(): boolean {
    return this.#queue.size + this.#underWay.size === 0
  }

  /** Takes replies for as long as somebody waits for one. */
  async #wait(): Promise<void> {
    if (this.#isWaiting) return
    this.#isWaiting = true
    while (!this.#isIdle) {
      this.#waits = new AbortController()
      const { signal } = this.#waits
      try {
        await this.#sender.takeReply({ signal })
      } catch (error) {
        if (!signal.aborted) this.#fail(error)
      }
    }
    this.#isWaiting = false
  }

  #fail(error: unknown): void {
    for (const caller of [...this.#underWay.values(), ...this.#queue]) {
      this.#forget(caller)
      caller.reject(error)
    }
  }
}
