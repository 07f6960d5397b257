// service-server.ts: the answering side of request and reply: one server, a link to each client, their requests merged.

import { PageFault, PeerMisbehaviorError, RingError } from "../errors.ts"
import type { RingProducer } from "../producer.ts"
import { SharedRing } from "../shared-ring.ts"
import type { VSpace } from "../vspace.ts"
import { checkTimeout, type Interruption } from "../wait.ts"
import { MergeConsumer, type MergeOptions, type ProducerState } from "./merge-consumer.ts"
import { readCall, replyRing, requestRing, type ServiceFrames, stageCall } from "./service-link.ts"

/** One client's link as it is mapped here: the server's frame writable, the client's readable. */
export interface ServiceLink {
  readonly frames: ServiceFrames
  /** Address of the status word that tells about this client; none: nobody tells. */
  readonly status?: number
}

export interface Request {
  /** The client's position in the list. */
  readonly client: number
  /** The call's number, one of that client's. */
  readonly call: number
  /** Private memory, valid until the next request is taken. */
  readonly payload: Uint8Array
}

export interface ServiceServerStats {
  readonly requests: number
  readonly replied: number
  /** Replies to clients that have gone, or that took no more of them than they may have calls under way. */
  readonly dropped: number
  /** Requests whose length was impossible: dropped. */
  readonly malformed: number
  readonly clients: readonly ProducerState[]
}

/** Made by `Component.serviceServer`. */
export class ServiceServer {
  readonly #requests: MergeConsumer
  /** Empty where the client has spoilt its side. */
  readonly #replies: (RingProducer | undefined)[]
  #taken = 0
  #replied = 0
  #dropped = 0
  #malformed = 0

  /** @throws as MergeConsumer; a client that has spoilt its side costs only itself */
  constructor(vspace: VSpace, links: readonly ServiceLink[], options: MergeOptions = {}) {
    this.#requests = new MergeConsumer(
      vspace,
      links.map(({ frames, status = 0 }) => ({ frames: requestRing(frames), status })),
      options,
    )
    const wait = options.wait === undefined ? {} : { wait: options.wait }
    this.#replies = links.map(({ frames, status = 0 }) =>
      unlessSpoilt(() => SharedRing.producer(vspace, replyRing(frames), { status, ...wait })),
    )
  }

  /** How client `client` is. @throws {RingError} RangeError: there is none at that position */
  state(client: number): ProducerState {
    return this.#requests.state(client)
  }

  /**
   * Takes a request. BLOCKS for at most `timeoutNs`. The clients are served in turn; one that is gone blocks nobody.
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns the request; or why there is none: "peer-gone" when all clients have gone
   */
  next(timeoutNs = Number.POSITIVE_INFINITY): Request | Interruption {
    checkTimeout(timeoutNs)
    const deadline = performance.now() + timeoutNs / 1e6
    for (let leftNs = timeoutNs; ; leftNs = Math.max(0, (deadline - performance.now()) * 1e6)) {
      const message = this.#requests.pop(leftNs)
      if (message === "producer-gone") continue
      if (typeof message === "string") return message
      const request = readCall(message)
      if (request === undefined) {
        this.#malformed++
        continue
      }
      this.#taken++
      return { client: this.#requests.source, ...request }
    }
  }

  /**
   * Answers a request, in any order. Never blocks: a client that keeps to its number of calls has room for every reply.
   * @param payload at most replyBytes
   * @returns "dropped": the client has gone, or has no room, and it is counted
   * @throws {RingError} RangeError: the payload is too long
   */
  reply({ client, call }: Pick<Request, "client" | "call">, payload: Uint8Array): "replied" | "dropped" {
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
  serve(
    handler: (payload: Uint8Array, request: Request) => Uint8Array,
    timeoutNs = Number.POSITIVE_INFINITY,
  ): Interruption {
    checkTimeout(timeoutNs)
    const deadline = performance.now() + timeoutNs / 1e6
    for (let leftNs = timeoutNs; ; leftNs = Math.max(0, (deadline - performance.now()) * 1e6)) {
      const request = this.next(leftNs)
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

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Undefined where a client has made it impossible. */
function unlessSpoilt<T>(use: () => T): T | undefined {
  try {
    return use()
  } catch (error) {
    const spoilt =
      error instanceof PeerMisbehaviorError ||
      error instanceof PageFault ||
      (error instanceof RingError && error.code === "NotARing")
    if (!spoilt) throw error
    return undefined
  }
}
