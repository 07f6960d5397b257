// policy-ring.ts: a ring whose producer does what its creator chose when the ring is full: wait, say so, or drop. A ring that
// drops its oldest messages is a broadcast with one consumer; the others are a SharedRing.

import type { Readable, Writable } from "node:stream"
import { Closeable, type LoopWaits } from "../closeable.ts"
import { RingConsumer } from "../consumer.ts"
import { ensureOptions, RingError } from "../errors.ts"
import { LINE_BYTES, RING_CONSUMER_PART_BYTES } from "../layout.ts"
import { isTurnDue } from "../loop/checker.ts"
import type { LoopWaitOptions } from "../loop/loop-waiting.ts"
import { messageStreamOf, messagesOf, writableStreamTo, writableTo } from "../loop/streams.ts"
import { RingProducer } from "../producer.ts"
import { type Geometry, producerPartBytes } from "../ring-header.ts"
import { type Part, placeOf, type RingParts } from "../ring-place.ts"
import { type RingOptions, SharedRing } from "../shared-ring.ts"
import type { VSpace } from "../vspace.ts"
import type { EndOptions, Interruption } from "../wait.ts"
import { BroadcastConsumer, type BroadcastOutcome } from "./broadcast-consumer.ts"
import { broadcastPartBytes, createBroadcast, readBroadcast } from "./broadcast-place.ts"
import { BroadcastProducer } from "./broadcast-producer.ts"
import { BROADCAST_MAGIC, CONSUMER_PART_BYTES, LINK_BYTES, RING_DROPPED, RING_POLICY_WORD } from "./words.ts"

/**
 * What a push to a full ring does. "block": it waits, and nothing is lost. "fail": it gives "full", and nothing is lost.
 * "drop-newest": its message is dropped and counted. "drop-oldest": the oldest that was not read is, and the consumer
 * learns it.
 */
export type RingPolicy = "block" | "fail" | "drop-newest" | "drop-oldest"

/** Their numbers in RING_POLICY_WORD; a ring that was made without a policy has 0. */
const POLICIES = ["block", "fail", "drop-newest"] as const
const DROP_OLDEST = "drop-oldest"

export interface PolicyRingOptions extends RingOptions {
  readonly policy: RingPolicy
}

type PolicyOutcome = "pushed" | "full" | "dropped" | Interruption

export interface PolicyProducerStats {
  readonly policy: RingPolicy
  readonly pushed: number
  /** Pushes that gave "full". */
  readonly full: number
  /** Messages that were dropped instead of being sent. */
  readonly droppedNewest: number
  /** Messages that were overwritten before they were read, as the consumer says: it counts when it reads. */
  readonly droppedOldest: number
}

/**
 * Bytes of the frames for the two parts.
 * @throws {RingError} InvalidArgument: a capacity, slot size or policy that cannot be
 */
export function policyRingBytes(options: PolicyRingOptions): readonly [producerPart: number, consumerPart: number] {
  ensureOptions(options, "policy, capacity and slotBytes")
  checkPolicy(options.policy)
  if (options.policy === DROP_OLDEST) return [broadcastPartBytes(options) + LINK_BYTES, CONSUMER_PART_BYTES]
  SharedRing.bytesNeeded(options)
  return [producerPartBytes(options), RING_CONSUMER_PART_BYTES]
}

/** Makes such a ring in two zeroed parts. @throws as SharedRing.create, and InvalidArgument: no such policy */
export function createPolicyRing(vspace: VSpace, parts: RingParts, options: PolicyRingOptions): void {
  checkPolicy(options.policy)
  const { producerPart, consumerPart } = parts
  if (options.policy === DROP_OLDEST) {
    const initialIndex = BigInt(options.initialIndex ?? 0)
    const link = linkOf(producerPart, options)
    createBroadcast(vspace, producerPart, [{ link, consumerPart }], {
      ...options,
      initialIndex,
      consumers: [DROP_OLDEST],
    })
    return
  }
  // Before the magic: whoever sees that sees the policy. What is no empty frame is left alone, and refused below.
  vspace.checkRange("the ring's frame", producerPart.address, producerPart.bytes, LINE_BYTES)
  if (vspace.loadWord(producerPart.address) === 0) {
    vspace.storeWord(producerPart.address + RING_POLICY_WORD, POLICIES.indexOf(options.policy))
  }
  SharedRing.create(vspace, parts, options)
}

export class PolicyProducer extends Closeable {
  readonly policy: RingPolicy
  readonly #vspace: VSpace
  readonly #ring: RingProducer | BroadcastProducer
  readonly #droppedWord: number
  #full = 0
  #dropped = 0
  #turn: Promise<void> | undefined

  /** Attaches. @throws as SharedRing.producer */
  constructor(vspace: VSpace, parts: RingParts, options: EndOptions = {}) {
    super()
    const { producerPart } = parts
    this.#vspace = vspace
    this.#droppedWord = producerPart.address + RING_DROPPED
    this.policy = policyOf(vspace, producerPart)
    if (this.policy === DROP_OLDEST) {
      const { bell } = options
      const target = { ...lossyLink(vspace, parts), ...(bell === undefined ? {} : { bell }) }
      this.#ring = new BroadcastProducer(vspace, producerPart, [target], options)
    } else this.#ring = new RingProducer(vspace, placeOf(vspace, parts, "slots"), options)
  }

  /** Private memory of `slotBytes`: what a push without an argument sends. */
  get staging(): Uint8Array {
    return this.#ring.staging
  }

  /** Why nothing more can be sent; undefined while the ring is live. */
  interruption(): Interruption | undefined {
    return this.#ring.interruption()
  }

  /**
   * Sends `message`, or what is in `staging`, by the ring's policy. BLOCKS only by policy "block", for at most `timeoutNs`.
   * @param message at most slotBytes; the rest of the slot is sent as zeros
   * @returns "pushed"; "full", not sent, by policy "fail"; "dropped", by policy "drop-newest"; or why it was not sent
   * @throws as RingProducer.push. Cost: as that one's; 60 ns more by policy "drop-oldest"
   */
  push(message?: Uint8Array, timeoutNs?: number): PolicyOutcome
  /** The same on the event loop, without blocking it; only policy "block" waits. @throws (rejects) as RingProducer.push */
  push(message: Uint8Array | undefined, options: LoopWaitOptions): Promise<PolicyOutcome>
  push(
    message?: Uint8Array,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): PolicyOutcome | Promise<PolicyOutcome> {
    if (typeof limit !== "object")
      return this.policy === "block" ? this.#ring.push(message, limit) : this.#pushNow(message)
    return this.policy === "block" ? this.#ring.push(message, limit) : this.#pushInTurn(message, limit)
  }

  /**
   * It never waits for room: who sends without end must not keep the event loop from everybody else. What is sent while a turn
   * is under way comes behind what waits for it.
   */
  async #pushInTurn(message: Uint8Array | undefined, { signal }: LoopWaitOptions): Promise<PolicyOutcome> {
    if (this.#turn === undefined && isTurnDue()) {
      this.#turn = new Promise(resolve => {
        setImmediate(() => {
          this.#turn = undefined
          resolve()
        })
      })
    }
    await this.#turn
    signal?.throwIfAborted()
    return this.#pushNow(message)
  }

  #pushNow(message: Uint8Array | undefined): PolicyOutcome {
    if (this.#ring.tryPush(message)) return "pushed"
    const interruption = this.#ring.interruption()
    if (interruption !== undefined) return interruption
    if (this.policy === "fail") {
      this.#full++
      return "full"
    }
    this.#dropped++
    this.#vspace.storeWord(this.#droppedWord, this.#vspace.loadWord(this.#droppedWord) + 1)
    return "dropped"
  }

  /**
   * A Node stream that sends each chunk by the ring's policy (loop/streams.ts): one that is dropped counts as written; a full
   * ring of policy "fail" fails it.
   */
  writable(highWaterMark?: number): Writable {
    return writableTo(this, highWaterMark)
  }

  /** A Web stream, as `writable`. */
  writableStream(highWaterMark?: number): WritableStream<Uint8Array> {
    return writableStreamTo(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#ring
  }

  /** As the close of RingProducer. */
  close(): void {
    this.#ring.close()
  }

  stats(): PolicyProducerStats {
    const counts = { policy: this.policy, full: this.#full, droppedNewest: this.#dropped }
    if (this.#ring instanceof BroadcastProducer) {
      const { sent, consumers } = this.#ring.stats()
      return { ...counts, pushed: sent, droppedOldest: consumers[0]?.lost ?? 0 }
    }
    return { ...counts, pushed: this.#ring.stats().pushed, droppedOldest: 0 }
  }
}

export class PolicyConsumer extends Closeable {
  readonly policy: RingPolicy
  readonly #vspace: VSpace
  readonly #ring: RingConsumer | BroadcastConsumer
  readonly #droppedWord: number
  #droppedSeen: number
  #dropped = 0

  /** Attaches. @throws as SharedRing.consumer */
  constructor(vspace: VSpace, parts: RingParts, options: EndOptions = {}) {
    super()
    const { producerPart } = parts
    this.#vspace = vspace
    this.#droppedWord = producerPart.address + RING_DROPPED
    this.policy = policyOf(vspace, producerPart)
    this.#droppedSeen = vspace.loadWord(this.#droppedWord)
    if (this.policy === DROP_OLDEST) {
      this.#ring = new BroadcastConsumer(vspace, producerPart, lossyLink(vspace, parts), options)
    } else this.#ring = new RingConsumer(vspace, placeOf(vspace, parts, "slots"), options)
  }

  /**
   * Messages of this ring that were lost since this end attached, by either policy that drops: of the oldest, those known
   * of before the next message; of the newest, what the producer has counted so far.
   */
  get lost(): number {
    if (this.#ring instanceof BroadcastConsumer) return this.#ring.lost
    const now = this.policy === "drop-newest" ? this.#vspace.loadWord(this.#droppedWord) : this.#droppedSeen
    this.#dropped += (now - this.#droppedSeen) >>> 0
    this.#droppedSeen = now
    return this.#dropped
  }

  /** Why nothing more will come; undefined while the ring is live. After "peer-gone" there may still be messages. */
  interruption(): Interruption | "disconnected" | undefined {
    return this.#ring.interruption()
  }

  /** Takes the oldest message, as RingConsumer.tryPop does. */
  tryPop(): Uint8Array | undefined {
    return this.#ring.tryPop()
  }

  /** As RingConsumer.pop. "disconnected": the producer has noticed the death of an end in this one's place; attach again. */
  pop(timeoutNs?: number): Uint8Array | BroadcastOutcome
  /** The same on the event loop, without blocking it. @throws (rejects) as RingConsumer.pop */
  pop(options: LoopWaitOptions): Promise<Uint8Array | BroadcastOutcome>
  pop(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Uint8Array | BroadcastOutcome | Promise<Uint8Array | BroadcastOutcome> {
    return typeof limit === "number" ? this.#ring.pop(limit) : this.#ring.pop(limit)
  }

  /** All messages from now on. Ends when nothing more will come; `interruption()` says why. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return this.#ring[Symbol.asyncIterator]()
  }

  /** A Node stream of messages (loop/streams.ts). */
  readable(highWaterMark?: number): Readable {
    return messagesOf(this, highWaterMark)
  }

  /** A Web stream of messages (loop/streams.ts). */
  readableStream(highWaterMark?: number): ReadableStream<Uint8Array> {
    return messageStreamOf(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#ring
  }

  /** As the close of RingConsumer. */
  close(): void {
    this.#ring.close()
  }

  stats(): { readonly policy: RingPolicy; readonly received: number; readonly lost: number } {
    const ring = this.#ring
    const received = ring instanceof BroadcastConsumer ? ring.stats().received : ring.stats().popped
    return { policy: this.policy, received, lost: this.lost }
  }
}

/** The link of a lossy ring lies behind the producer's part, in its frame: the same two have it mapped, the same one writes. */
function linkOf(producerPart: Part, geometry: Geometry): Part {
  const used = broadcastPartBytes(geometry)
  return { address: producerPart.address + used, bytes: producerPart.bytes - used }
}

function lossyLink(vspace: VSpace, { producerPart, consumerPart }: RingParts) {
  return { link: linkOf(producerPart, readBroadcast(vspace, producerPart)), consumerPart }
}

function policyOf(vspace: VSpace, producerPart: Part): RingPolicy {
  vspace.checkRange("the ring's frame", producerPart.address, producerPart.bytes, LINE_BYTES)
  if (vspace.loadWord(producerPart.address) === BROADCAST_MAGIC) return DROP_OLDEST
  const number = vspace.loadWord(producerPart.address + RING_POLICY_WORD)
  const policy = POLICIES[number]
  if (policy !== undefined) return policy
  throw new RingError(
    "NotARing",
    `The frame at ${producerPart.address} is not a ring's: its policy is ${number}, which must be 0 to ${POLICIES.length - 1}`,
  )
}

function checkPolicy(policy: RingPolicy): void {
  const all = [...POLICIES, DROP_OLDEST]
  if (all.includes(policy)) return
  throw new RingError("InvalidArgument", `policy is ${policy}, which must be one of ${all.join(", ")}`)
}
