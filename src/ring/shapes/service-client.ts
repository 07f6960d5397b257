// service-client.ts: the calling side of request and reply. Replies find their call by number, in whatever order they come.

import type { RingConsumer } from "../consumer.ts"
import { PeerMisbehaviorError, RingError } from "../errors.ts"
import type { RingProducer } from "../producer.ts"
import { SharedRing } from "../shared-ring.ts"
import type { VSpace } from "../vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "../wait.ts"
import {
  CALL_BYTES,
  ensureCall,
  readCall,
  replyRing,
  requestRing,
  type ServiceFrames,
  stageCall,
} from "./service-link.ts"

export interface CallOptions {
  /** Nanoseconds from 0; Infinity for no limit, which is the default. */
  readonly timeoutNs?: number
}

export interface ServiceClientStats {
  readonly sent: number
  readonly answered: number
  /** Replies that came after their call had been given up, or to no call at all: dropped. */
  readonly late: number
  /** Calls that the server still owes a reply, given up or not. */
  readonly inFlight: number
}

/** Made by `Component.serviceClient`. */
export class ServiceClient {
  readonly #requests: RingProducer
  readonly #replies: RingConsumer
  readonly #inFlightMost: number
  /** Calls that are waited for, each with what came of it while another was waited for. */
  readonly #pending = new Map<number, Uint8Array | Interruption | undefined>()
  /** Calls whose time was up: they stay under way until the server has answered. */
  readonly #givenUp = new Set<number>()
  #next = 1
  #sent = 0
  #answered = 0
  #late = 0

  /**
   * @param frames the client's writable here, the server's readable
   * @param inFlight as the service was made with
   * @throws as SharedRing.producer and SharedRing.consumer
   */
  constructor(vspace: VSpace, frames: ServiceFrames, inFlight: number, options: EndOptions = {}) {
    this.#requests = SharedRing.producer(vspace, requestRing(frames), options)
    try {
      this.#replies = SharedRing.consumer(vspace, replyRing(frames), options)
    } catch (error) {
      this.#requests.close()
      throw error
    }
    this.#inFlightMost = inFlight
  }

  /**
   * Sends a request and waits for its reply. BLOCKS for at most `timeoutNs`; where as many calls are under way as may be,
   * first for one of them. A call whose time is up has been sent and may be carried out; its reply is dropped and counted.
   * @param payload at most requestBytes
   * @returns the reply, in memory of its own; or why there is none
   * @throws {RingError} RangeError: the payload is too long. InvalidArgument: no such time
   * @throws {PeerMisbehaviorError} the server broke the protocol
   */
  call(payload: Uint8Array, options: CallOptions = {}): Uint8Array | Interruption {
    const { timeoutNs = Number.POSITIVE_INFINITY } = options
    checkTimeout(timeoutNs)
    const deadline = performance.now() + timeoutNs / 1e6
    for (;;) {
      const call = this.send(payload)
      if (typeof call === "number") return this.receive(call, { timeoutNs: leftNs(deadline) })
      if (call !== "full") return call
      const outcome = this.#takeReply(leftNs(deadline))
      if (outcome !== undefined) return outcome
    }
  }

  /**
   * Sends a request. Never blocks.
   * @returns the number of the call, for `receive`; "full": as many are under way as may be; or why it was not sent
   * @throws {RingError} RangeError: the payload is too long
   */
  send(payload: Uint8Array): number | "full" | Interruption {
    ensureCall(this.#requests.staging, payload)
    while (this.#underWay >= this.#inFlightMost) {
      // A reply that is here makes room.
      const outcome = this.#takeReply(0)
      if (outcome !== undefined) return outcome === "deadline" ? "full" : outcome
    }
    const call = this.#next
    stageCall(this.#requests.staging, call, payload)
    if (!this.#requests.tryPush()) return this.#requests.interruption() ?? "full"
    // Calls under way are few, so a number that comes round again is free.
    this.#next = (call + 1) >>> 0
    this.#sent++
    this.#pending.set(call, undefined)
    return call
  }

  /**
   * Waits for the reply to a call of `send`. BLOCKS for at most `timeoutNs`; replies to others are kept for them.
   * @returns the reply; or why there is none: then the call is given up
   * @throws {RingError} InvalidArgument: no call of that number is waited for
   */
  receive(call: number, options: CallOptions = {}): Uint8Array | Interruption {
    const { timeoutNs = Number.POSITIVE_INFINITY } = options
    checkTimeout(timeoutNs)
    if (!this.#pending.has(call)) {
      throw new RingError(
        "InvalidArgument",
        `call is ${call}, which is none that send() gave and whose reply is missing`,
      )
    }
    const deadline = performance.now() + timeoutNs / 1e6
    for (;;) {
      const reply = this.#pending.get(call)
      if (reply !== undefined) {
        this.#pending.delete(call)
        return reply
      }
      if (this.#takeReply(leftNs(deadline)) !== "deadline") continue
      this.#pending.delete(call)
      this.#givenUp.add(call)
      return "deadline"
    }
  }

  stats(): ServiceClientStats {
    return { sent: this.#sent, answered: this.#answered, late: this.#late, inFlight: this.#underWay }
  }

  /** Closes both ends: the server is told. */
  close(): void {
    this.#requests.close()
    this.#replies.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** A reply that has come and was not fetched is no longer under way. */
  get #underWay(): number {
    let count = this.#givenUp.size
    for (const reply of this.#pending.values()) if (reply === undefined) count++
    return count
  }

  /** What a server took and did not answer before it was gone, nobody will answer. */
  #abandon(outcome: Interruption): void {
    this.#givenUp.clear()
    for (const [call, reply] of this.#pending) if (reply === undefined) this.#pending.set(call, outcome)
  }

  /** Takes one reply, and keeps it for its call. Undefined when one was taken, else why there is none. */
  #takeReply(timeoutNs: number): Interruption | undefined {
    const message = this.#replies.pop(timeoutNs)
    if (typeof message === "string") {
      if (message !== "deadline") this.#abandon(message)
      return message
    }
    const reply = readCall(message)
    if (reply === undefined) {
      const bytes = new DataView(message.buffer, message.byteOffset, CALL_BYTES).getUint32(4, true)
      throw new PeerMisbehaviorError("producer", "a reply's length", bytes, `at most ${message.length - CALL_BYTES}`)
    }
    const { call, payload } = reply
    if (this.#pending.has(call) && this.#pending.get(call) === undefined) {
      this.#pending.set(call, payload.slice())
      this.#answered++
      return undefined
    }
    this.#givenUp.delete(call)
    this.#late++
    return undefined
  }
}

function leftNs(deadlineMs: number): number {
  return Math.max(0, (deadlineMs - performance.now()) * 1e6)
}
