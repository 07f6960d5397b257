// service-client.ts: the calling side of request and reply. Replies find their call by number, in whatever order they come.

import { Closeable, type LoopWaits } from "../closeable.ts"
import type { RingConsumer } from "../consumer.ts"
import { ensureOptions, PeerMisbehaviorError, RingError } from "../errors.ts"
import type { LoopWaitOptions } from "../loop/loop-waiting.ts"
import type { RingProducer } from "../producer.ts"
import { SharedRing } from "../shared-ring.ts"
import type { VSpace } from "../vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "../wait.ts"
import { LoopCalls } from "./service-calls.ts"
import {
  CALL_BYTES,
  ensureCall,
  type LinkEnds,
  readCall,
  readTakeOver,
  replyRing,
  requestRing,
  type ServiceFrames,
  stageCall,
} from "./service-link.ts"

/** Of a call that blocks. */
export interface CallOptions {
  /** Nanoseconds from 0; Infinity for no limit, which is the default. */
  readonly timeoutNs: number
  /** Of a call that is awaited: that one has no `timeoutNs`. */
  readonly signal?: never
  readonly deadlineNs?: never
}

export interface ServiceClientOptions extends Pick<EndOptions, "status" | "wait"> {
  readonly ends?: LinkEnds
}

const FOR_EVER: CallOptions = { timeoutNs: Number.POSITIVE_INFINITY }

export interface ServiceClientStats {
  readonly sent: number
  readonly answered: number
  /** Replies that came after their call had been given up, or to no call at all: dropped. */
  readonly late: number
  /** Calls that the server still owes a reply, given up or not. */
  readonly inFlight: number
}

/** Made by `Component.serviceClient`. */
export class ServiceClient extends Closeable {
  readonly #requests: RingProducer
  readonly #replies: RingConsumer
  readonly #inFlightMost: number
  /** Calls that are waited for, each with what came of it while another was waited for. */
  readonly #pending = new Map<number, Uint8Array | Interruption | undefined>()
  /** Calls whose time was up: they stay under way until the server has answered. */
  readonly #givenUp = new Set<number>()
  readonly #loopCalls: LoopCalls
  #next = 1
  #sent = 0
  #answered = 0
  #late = 0

  /**
   * @param frames the client's writable here, the server's readable
   * @param inFlight as the service was made with
   * @throws as SharedRing.producer and SharedRing.consumer
   */
  constructor(vspace: VSpace, frames: ServiceFrames, inFlight: number, options: ServiceClientOptions = {}) {
    super()
    const { ends, ...common } = options
    const bell = ends?.requests.bell
    // The status is that of the frame with the requests, and rings the bell there.
    const alsoWoken = bell === undefined ? [] : [bell]
    this.#requests = SharedRing.producer(vspace, requestRing(frames), { ...common, ...ends?.requests })
    try {
      this.#replies = SharedRing.consumer(vspace, replyRing(frames), { ...common, ...ends?.replies, alsoWoken })
    } catch (error) {
      this.#requests.close()
      throw error
    }
    this.#inFlightMost = inFlight
    this.#loopCalls = new LoopCalls({
      check: payload => ensureCall(this.#requests.staging, payload),
      trySend: payload => this.#trySend(payload),
      giveUp: call => this.#giveUp(call),
      takeReply: async waiting => this.#keep(await this.#replies.pop(waiting)),
    })
  }

  /**
   * Sends a request and waits for its reply. BLOCKS for at most `timeoutNs`; where as many calls are under way as may be,
   * first for one of them. A call whose time is up has been sent and may be carried out; its reply is dropped and counted.
   * @param payload at most requestBytes
   * @returns the reply, in memory of its own; or why there is none
   * @throws {RingError} RangeError: the payload is too long. InvalidArgument: no such time
   * @throws {PeerMisbehaviorError} the server broke the protocol
   */
  call(payload: Uint8Array, options?: CallOptions): Uint8Array | Interruption
  /**
   * The same on the event loop, without blocking it: by options without `timeoutNs`. Any number of calls at a time; those beyond
   * what may be under way wait for room, in their order. A call that is aborted may have been sent.
   * @throws (rejects) the signal's reason, and as above; {RingError} IllegalOperation: the client has no bells
   */
  call(payload: Uint8Array, options: LoopWaitOptions): Promise<Uint8Array | Interruption>
  call(
    payload: Uint8Array,
    options: CallOptions | LoopWaitOptions = FOR_EVER,
  ): Uint8Array | Interruption | Promise<Uint8Array | Interruption> {
    ensureOptions(options, "timeoutNs, which blocks, or signal and deadlineNs, which do not")
    if (!("timeoutNs" in options)) return this.#loopCalls.call(payload, options)
    if (!("signal" in options || "deadlineNs" in options)) return this.#call(payload, options as CallOptions)
    throw new RingError(
      "InvalidArgument",
      "options have timeoutNs, which blocks, beside signal or deadlineNs, which do not: pass the one or the others",
    )
  }

  #call(payload: Uint8Array, { timeoutNs }: CallOptions): Uint8Array | Interruption {
    checkTimeout(timeoutNs)
    const deadline = performance.now() + timeoutNs / 1e6
    for (;;) {
      const left = leftNs(deadline)
      const call = this.send(payload)
      if (typeof call === "number") return this.receive(call, { timeoutNs: left })
      if (call !== "full") return call
      const outcome = this.#takeReply(left)
      if (outcome !== undefined) return outcome
      // A server that sends without an end what nobody waits for keeps nobody beyond his time.
      if (left === 0) return "deadline"
    }
  }

  /**
   * Sends a request. Never blocks.
   * @returns the number of the call, for `receive`; "full": as many are under way as may be; or why it was not sent
   * @throws {RingError} RangeError: the payload is too long
   */
  send(payload: Uint8Array): number | "full" | Interruption {
    ensureCall(this.#requests.staging, payload)
    // A reply that is here makes room. As many as an honest server can have sent: a hostile one may go on for ever.
    for (let most = this.#inFlightMost; most > 0 && this.#underWay >= this.#inFlightMost; most--) {
      const outcome = this.#takeReply(0)
      if (outcome !== undefined) return outcome === "deadline" ? "full" : outcome
    }
    return this.#trySend(payload)
  }

  #trySend(payload: Uint8Array): number | "full" | Interruption {
    if (this.#underWay >= this.#inFlightMost) return "full"
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
  receive(call: number, options: CallOptions = FOR_EVER): Uint8Array | Interruption {
    ensureOptions(options, "timeoutNs")
    const { timeoutNs } = options
    checkTimeout(timeoutNs)
    if (!this.#pending.has(call)) {
      throw new RingError(
        "InvalidArgument",
        `call is ${call}, which is none that send() gave and whose reply is missing`,
      )
    }
    const deadline = performance.now() + timeoutNs / 1e6
    // After its time it looks at what an honest server can have sent; a hostile one may go on for ever.
    for (let looks = this.#inFlightMost; ; ) {
      const reply = this.#pending.get(call)
      if (reply !== undefined) {
        this.#pending.delete(call)
        return reply
      }
      const left = leftNs(deadline)
      const isOver = left === 0 && looks-- === 0
      if (!isOver && this.#takeReply(left) !== "deadline") continue
      this.#giveUp(call)
      return "deadline"
    }
  }

  stats(): ServiceClientStats {
    return { sent: this.#sent, answered: this.#answered, late: this.#late, inFlight: this.#underWay }
  }

  /** Pending calls on the event loop keep the process alive: after `unref` no longer, after `ref` again. */
  protected get waits(): LoopWaits {
    return this.#replies
  }

  /** Closes both ends: the server is told. */
  close(): void {
    this.#requests.close()
    this.#replies.close()
  }

  #giveUp(call: number): void {
    this.#pending.delete(call)
    this.#givenUp.add(call)
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
    const unanswered = [...this.#pending].filter(([, reply]) => reply === undefined)
    for (const [call] of unanswered) this.#settle(call, outcome)
    this.#loopCalls.abandon(outcome)
  }

  /** Takes one reply, and keeps it for its call. Undefined when one was taken, else why there is none. */
  #takeReply(timeoutNs: number): Interruption | undefined {
    return this.#keep(this.#replies.pop(timeoutNs))
  }

  #keep(message: Uint8Array | Interruption): Interruption | undefined {
    if (typeof message === "string") {
      if (message !== "deadline") this.#abandon(message)
      return message
    }
    const takenBelow = readTakeOver(message)
    if (takenBelow !== undefined) return this.#takenOver(takenBelow)
    const reply = readCall(message)
    if (reply === undefined) {
      const bytes = new DataView(message.buffer, message.byteOffset, CALL_BYTES).getUint32(4, true)
      throw new PeerMisbehaviorError("producer", "a reply's length", bytes, `at most ${message.length - CALL_BYTES}`)
    }
    const { call, payload } = reply
    if (this.#pending.has(call) && this.#pending.get(call) === undefined) {
      this.#answered++
      this.#settle(call, payload.slice())
      return undefined
    }
    this.#givenUp.delete(call)
    this.#late++
    return undefined
  }

  /**
   * What the server's predecessor took and did not answer, nobody will answer. Who slept through the change has not seen its
   * status say so; the calls behind those the new server has found. Of several servers since, the first says the least; and a
   * hostile one can end calls of its own only, or none.
   */
  #takenOver(takenBelow: number): undefined {
    const found = (this.#requests.index - takenBelow) >>> 0
    // Calls are numbered as they are sent.
    const isFound = (call: number): boolean => (this.#next - call) >>> 0 <= found
    for (const call of this.#givenUp) if (!isFound(call)) this.#givenUp.delete(call)
    for (const [call, reply] of [...this.#pending]) {
      if (reply === undefined && !isFound(call)) this.#settle(call, "peer-gone")
    }
  }

  /** Hands over what came of a call, or keeps it until it is fetched. */
  #settle(call: number, outcome: Uint8Array | Interruption): void {
    this.#pending.delete(call)
    if (!this.#loopCalls.deliver(call, outcome)) this.#pending.set(call, outcome)
  }
}

function leftNs(deadlineMs: number): number {
  return Math.max(0, (deadlineMs - performance.now()) * 1e6)
}
