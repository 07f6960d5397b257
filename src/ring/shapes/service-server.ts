// service-server.ts: the answering side of request and reply: one server, a link to each client, their requests merged.

import { Closeable, type LoopWaits } from "../closeable.ts"
import { ensureBytes, ensureOptions, isSpoilt, RingError } from "../errors.ts"
import { RING_READ_PROGRESS } from "../layout.ts"
import { Messages } from "../loop/iterate.ts"
import { checkLimits, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import type { RingProducer } from "../producer.ts"
import { SharedRing } from "../shared-ring.ts"
import type { VSpace } from "../vspace.ts"
import { checkTimeout, type Interruption } from "../wait.ts"
import { MergeConsumer } from "./merge-consumer.ts"
import type { Departure, MergeOptions, ProducerState } from "./merge-options.ts"
import {
  type LinkEnds,
  readCall,
  replyRing,
  requestRing,
  type ServiceFrames,
  stageCall,
  writeTakeOver,
} from "./service-link.ts"

/** One client's link as it is mapped here: the server's frame writable, the client's readable. */
export interface ServiceLink {
  readonly frames: ServiceFrames
  /** Address of the status word that tells about this client; none: nobody tells. */
  readonly status?: number
  readonly ends?: LinkEnds
}

export interface Request {
  /** The client's position in the list. */
  readonly client: number
  /** The call's number, one of that client's. */
  readonly call: number
  /** Private memory, valid until the next request is taken. */
  readonly payload: Uint8Array
}

/** What answers a request: at once, or on the event loop. */
type Handler = (payload: Uint8Array, request: Request) => Uint8Array
type LoopHandler = (payload: Uint8Array, request: Request) => Uint8Array | Promise<Uint8Array>

export interface ServiceServerStats {
  readonly requests: number
  readonly replied: number
  /** Replies to clients that have gone, or that took no more of them than they may have calls under way. */
  readonly dropped: number
  /** Requests whose length was impossible: dropped. */
  readonly malformed: number
  readonly clients: readonly ProducerState[]
}

/** Between two attempts to tell a client that has no room for it. */
const RETRY_NS = 10e6

/** Made by `Component.serviceServer`. */
export class ServiceServer extends Closeable {
  readonly #requests: MergeConsumer
  /** Empty where the client has spoilt its side. */
  readonly #replies: (RingProducer | undefined)[]
  readonly #vspace: VSpace
  /** By client: below which index a predecessor has taken the requests, which the client is still to be told. */
  readonly #untold = new Map<number, number>()
  #taken = 0
  #replied = 0
  #dropped = 0
  #malformed = 0

  /** @throws as MergeConsumer; a client that has spoilt its side costs only itself */
  constructor(vspace: VSpace, links: readonly ServiceLink[], options: MergeOptions = {}) {
    super()
    this.#requests = new MergeConsumer(
      vspace,
      links.map(({ frames, status = 0, ends }) => ({ frames: requestRing(frames), status, ...ends?.requests })),
      options,
    )
    const wait = options.wait === undefined ? {} : { wait: options.wait }
    this.#replies = links.map(({ frames, status = 0, ends }) => {
      const options = { status, ...wait, ...ends?.replies }
      const replies = unlessSpoilt(() => SharedRing.producer(vspace, replyRing(frames), options))
      if (replies === undefined) ends?.replies.onClose?.()
      return replies
    })
    this.#vspace = vspace
    for (const [client, { frames }] of links.entries()) {
      if (this.#replies[client] === undefined) continue
      const index = vspace.loadWord(requestRing(frames).consumerPart.address + RING_READ_PROGRESS)
      if (index !== 0) this.#untold.set(client, index)
    }
    this.#tellTakeOvers()
  }

  /** Tells each client that has room for it and for all replies that it may be owed. Whether all have been told. */
  #tellTakeOvers(): boolean {
    for (const [client, index] of this.#untold) {
      const replies = this.#replies[client]
      const isOver = unlessSpoilt(() => replies === undefined || this.#tellTakeOver(replies, index))
      if (isOver !== false) this.#untold.delete(client)
    }
    return this.#untold.size === 0
  }

  /** Whether the client has been told, or has gone. */
  #tellTakeOver(replies: RingProducer, index: number): boolean {
    const slot = replies.claimMany(replies.capacity / 2 + 1)
    if (slot === 0) return replies.interruption() !== undefined
    writeTakeOver(this.#vspace, slot, index)
    replies.commitMany(1)
    return true
  }

  /** Of a wait of `leftNs`, what is waited for at once. */
  #slice(leftNs: number): number {
    return this.#tellTakeOvers() ? leftNs : Math.min(leftNs, RETRY_NS)
  }

  /** How client `client` is. @throws {RingError} RangeError: there is none at that position */
  state(client: number): ProducerState {
    this.#ensureClient(client)
    return this.#requests.state(client)
  }

  #ensureClient(client: number): void {
    const most = this.#replies.length - 1
    if (Number.isInteger(client) && client >= 0 && client <= most) return
    throw new RingError("RangeError", `client is ${String(client)}, which must be 0 to ${most}`)
  }

  /**
   * Takes a request. BLOCKS for at most `timeoutNs`. The clients are served in turn; one that is gone blocks nobody.
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns the request; or why there is none: "peer-gone" when all clients have gone
   */
  next(timeoutNs?: number): Request | Interruption
  /** The same on the event loop, without blocking it. One such wait at a time. @throws (rejects) as RingConsumer.pop */
  next(options: LoopWaitOptions): Promise<Request | Interruption>
  next(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Request | Interruption | Promise<Request | Interruption> {
    return typeof limit === "object" ? this.#nextInLoop(limit) : this.#next(limit)
  }

  #next(timeoutNs: number): Request | Interruption {
    checkTimeout(timeoutNs)
    const deadline = performance.now() + timeoutNs / 1e6
    for (let leftNs = timeoutNs; ; leftNs = Math.max(0, (deadline - performance.now()) * 1e6)) {
      const sliceNs = this.#slice(leftNs)
      const message = this.#requests.pop(sliceNs)
      if (message === "deadline" && sliceNs < leftNs) continue
      const request = this.#requestIn(message)
      if (request !== undefined) return request
      // A client that sends without an end what is no request keeps nobody beyond his time.
      if (leftNs === 0 && message !== "producer-gone") return "deadline"
    }
  }

  async #nextInLoop(options: LoopWaitOptions): Promise<Request | Interruption> {
    checkLimits(options)
    const { deadlineNs = Number.POSITIVE_INFINITY } = options
    const deadline = performance.now() + deadlineNs / 1e6
    for (let leftNs = deadlineNs; ; leftNs = Math.max(0, (deadline - performance.now()) * 1e6)) {
      const sliceNs = this.#slice(leftNs)
      const message = await this.#requests.pop({ ...options, deadlineNs: sliceNs })
      if (message === "deadline" && sliceNs < leftNs) continue
      const request = this.#requestIn(message)
      if (request !== undefined) return request
      if (leftNs === 0 && message !== "producer-gone") return "deadline"
    }
  }

  /** Undefined: none, and there may be more. */
  #requestIn(message: Uint8Array | Departure | Interruption): Request | Interruption | undefined {
    if (message === "producer-gone") return undefined
    if (typeof message === "string") return message
    const request = readCall(message)
    if (request === undefined) {
      this.#malformed++
      return undefined
    }
    this.#taken++
    return { client: this.#requests.source, ...request }
  }

  /** All requests from now on, until the last client has gone: each is to be replied to. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Request> {
    return new Messages(
      () => this.next({}),
      () => this.#requests.cancel(),
    )
  }

  protected get waits(): LoopWaits {
    return this.#requests
  }

  /**
   * Answers a request, in any order. Never blocks: a client that keeps to its number of calls has room for every reply.
   * @param payload at most replyBytes
   * @returns "dropped": the client has gone, or has no room, and it is counted
   * @throws {RingError} RangeError: the payload is too long, or there is no such client. InvalidArgument: it is no Uint8Array
   */
  reply(request: Pick<Request, "client" | "call">, payload: Uint8Array): "replied" | "dropped" {
    ensureOptions(request, "client and call, as next() gave it")
    const { client, call } = request
    // Also of a client that has gone: whose answer is no answer is to know it.
    ensureBytes("payload", payload)
    this.#ensureClient(client)
    const replies = this.#replies[client]
    if (replies !== undefined) {
      stageCall(replies.staging, call, payload)
      const sent = unlessSpoilt(() => replies.tryPush())
      if (sent === undefined) {
        // Or this process could never be that client's server again.
        replies.close()
        this.#replies[client] = undefined
      }
      if (sent === true) {
        this.#replied++
        return "replied"
      }
    }
    this.#dropped++
    return "dropped"
  }

  /**
   * Answers every request by what `handler` returns for it. BLOCKS until the last client has gone, or for `timeoutNs`.
   * @returns why it ended
   * @throws what the handler throws: that request stays unanswered
   */
  serve(handler: Handler, timeoutNs?: number): Interruption
  /**
   * The same on the event loop, without blocking it. Requests are handled as they come, also while the answers to others are
   * awaited; each has its payload to itself.
   * @throws (rejects) what the handler throws, and the signal's reason
   */
  serve(handler: LoopHandler, options: LoopWaitOptions): Promise<Interruption>
  serve(
    handler: LoopHandler,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Interruption | Promise<Interruption> {
    if (typeof handler !== "function") {
      throw new RingError(
        "InvalidArgument",
        `handler is of type ${typeof handler}, which must be a function: of a request's payload, and returns the reply's`,
      )
    }
    return typeof limit === "object" ? this.#serveInLoop(handler, limit) : this.#serve(handler as Handler, limit)
  }

  async #serveInLoop(handler: LoopHandler, options: LoopWaitOptions): Promise<Interruption> {
    checkLimits(options)
    const { signal, deadlineNs = Number.POSITIVE_INFINITY } = options
    const failed = new AbortController()
    const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
    const answering = new Set<Promise<void>>()
    const answer = async (request: Request): Promise<void> => {
      try {
        this.reply(request, await handler(request.payload, request))
      } catch (error) {
        failed.abort(error)
      }
    }
    const deadline = performance.now() + deadlineNs / 1e6
    for (let leftNs = deadlineNs; ; leftNs = Math.max(0, (deadline - performance.now()) * 1e6)) {
      const request = await this.#nextInLoop({ signal: either, deadlineNs: leftNs })
      if (typeof request === "string") {
        await Promise.all(answering)
        failed.signal.throwIfAborted()
        return request
      }
      const answered = answer({ ...request, payload: request.payload.slice() })
      answering.add(answered)
      answered.then(() => answering.delete(answered))
    }
  }

  #serve(handler: Handler, timeoutNs: number): Interruption {
    checkTimeout(timeoutNs)
    const deadline = performance.now() + timeoutNs / 1e6
    for (let leftNs = timeoutNs; ; leftNs = Math.max(0, (deadline - performance.now()) * 1e6)) {
      const request = this.#next(leftNs)
      if (typeof request === "string") return request
      this.reply(request, handler(request.payload, request))
    }
  }

  stats(): ServiceServerStats {
    return {
      requests: this.#taken,
      replied: this.#replied,
      dropped: this.#dropped,
      malformed: this.#malformed,
      clients: this.#replies.map((_, client) => this.state(client)),
    }
  }

  /** Closes every end: the clients are told. */
  close(): void {
    this.#requests.close()
    for (const replies of this.#replies) replies?.close()
  }
}

/** Undefined where a client has made it impossible. */
function unlessSpoilt<T>(use: () => T): T | undefined {
  try {
    return use()
  } catch (error) {
    if (!isSpoilt(error)) throw error
    return undefined
  }
}
