// broadcast-consumer.ts: one of the consumers of a broadcast.

import type { Readable } from "node:stream"
import { native } from "../../../native/index.ts"
import { Closeable, type LoopWaits } from "../closeable.ts"
import { PageFault, PeerMisbehaviorError } from "../errors.ts"
import {
  ASLEEP_IN_LOOP,
  LINE_BYTES,
  RESULT_CLOSED,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
} from "../layout.ts"
import { Messages } from "../loop/iterate.ts"
import { type LoopSleeper, LoopWaiting, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import { messageStreamOf, messagesOf } from "../loop/streams.ts"
import { statusWord } from "../ring-end.ts"
import type { Part } from "../ring-place.ts"
import { SleepNumber } from "../sleep-number.ts"
import type { VSpace } from "../vspace.ts"
import {
  awaitedStatus,
  checkTimeout,
  type EndOptions,
  type Interruption,
  interruptionBy,
  interruptionOf,
  RESULT_DEADLINE,
  type Sleeper,
  Waiting,
  wake,
  wakeSleeper,
} from "../wait.ts"
import {
  type BroadcastLink,
  type ConsumerPolicy,
  checkLink,
  loadLong,
  policyNumber,
  readBroadcast,
  readPolicy,
} from "./broadcast-place.ts"
import {
  ATTACH_CLOSED,
  BROADCAST_CLOSED,
  BROADCAST_SLOTS,
  BROADCAST_WRITE_INDEX,
  CONSUMER_ATTACH,
  CONSUMER_LOST,
  CONSUMER_READ_INDEX,
  CONSUMER_SLEEP,
  LINK_ENDED,
  LINK_WAKE,
  RECEIVER_ATTACH,
  RECEIVER_BYTES,
  RECEIVER_CAPACITY,
  RECEIVER_LINK,
  RECEIVER_LOST,
  RECEIVER_PART,
  RECEIVER_POLICY,
  RECEIVER_RECEIVED,
  RECEIVER_REFUSED,
  RECEIVER_SLOT_BYTES,
  RECEIVER_SLOTS,
  RECEIVER_STAGING,
  RECEIVER_STATUS_WORD,
  RECEIVER_WOKEN,
  RECEIVER_WRITE_WORD,
  RESULT_DISCONNECTED,
} from "./words.ts"

interface ReceiverStats {
  readonly received: number
  readonly lost: number
}

/** Why there is no message. "disconnected": the producer takes no more care of this attach; attach again to go on. */
export type BroadcastOutcome = Interruption | "disconnected"

export class BroadcastConsumer extends Closeable implements Sleeper, LoopSleeper {
  /** Private memory of `slotBytes` that every pop copies to and returns. */
  readonly staging: Uint8Array
  readonly policy: ConsumerPolicy
  readonly #vspace: VSpace
  readonly #state: number
  readonly #status: number
  readonly #waiting: Waiting
  readonly #loop: LoopWaiting
  readonly #options: EndOptions
  readonly #writeWord: number
  readonly #sleepNumber: SleepNumber
  readonly #link: number
  readonly #part: number
  readonly #attach: number
  #wakeSeen = 0
  /** Of an end that was closed: what it had counted. */
  #statsAtClose: ReceiverStats | undefined

  /**
   * Attaches. Its first message is the first of all, for the first attach of a consumer that is not `late`; else the one
   * that the producer sends next after it has noticed this attach.
   * @param producerPart readable here
   * @param link this consumer's: the link readable, the part writable
   * @throws {RingError} NotARing: there is no such broadcast. RangeError, AlignmentError: a part is not in the VSpace
   * @throws {RingError} NotEnoughMemory: no private memory is left for one more slot
   * @throws {PageFault} a part is not mapped here
   */
  constructor(vspace: VSpace, producerPart: Part, link: BroadcastLink, options: EndOptions = {}) {
    super()
    const header = readBroadcast(vspace, producerPart)
    checkLink(vspace, link)
    this.policy = readPolicy(vspace, link.link)
    this.#vspace = vspace
    this.#link = link.link.address
    this.#part = link.consumerPart.address
    this.#status = statusWord(vspace, options.status)
    this.#waiting = new Waiting(vspace, options.wait)
    this.#loop = new LoopWaiting(this, vspace.processors, options.wait?.checkNs)
    this.#options = options
    this.#writeWord = producerPart.address + BROADCAST_WRITE_INDEX
    this.#sleepNumber = new SleepNumber(vspace, this.#part + CONSUMER_SLEEP)
    const ended = vspace.loadWord(this.#link + LINK_ENDED)
    const next = (vspace.loadWord(this.#part + CONSUMER_ATTACH) + 1) % ATTACH_CLOSED || 1
    // The first may have been ended before it came: its number was taken by who died in its place.
    this.#attach = next === ended ? next + 1 : next

    const staging = vspace.allocatePrivate(header.slotBytes, LINE_BYTES)
    this.staging = vspace.u8.subarray(staging, staging + header.slotBytes)
    this.#state = vspace.allocatePrivate(RECEIVER_BYTES, LINE_BYTES)
    const fields = [
      [RECEIVER_CAPACITY, header.capacity],
      [RECEIVER_SLOT_BYTES, header.slotBytes],
      [RECEIVER_SLOTS, producerPart.address + BROADCAST_SLOTS],
      [RECEIVER_WRITE_WORD, this.#writeWord],
      [RECEIVER_LINK, this.#link],
      [RECEIVER_PART, this.#part],
      [RECEIVER_STATUS_WORD, this.#status],
      [RECEIVER_STAGING, staging],
      [RECEIVER_POLICY, policyNumber(this.policy)],
      [RECEIVER_ATTACH, this.#attach],
    ] as const
    for (const [offset, value] of fields) vspace.u32[(this.#state + offset) / 4] = value
    for (const half of [0, 4]) vspace.storeWord(this.#part + CONSUMER_LOST + half, 0)
    // ORDER broadcast-attach: from here on the producer may accept this attach.
    vspace.storeWord(this.#part + CONSUMER_ATTACH, this.#attach)
  }

  /** Messages that were overwritten before this end had read them, all known of before the next message. */
  get lost(): number {
    return this.stats().lost
  }

  /** Why nothing more will come; undefined while it may. After "peer-gone" there may still be messages. */
  interruption(): BroadcastOutcome | undefined {
    if (this.#statsAtClose !== undefined) return "closed"
    if (this.#vspace.loadWord(this.#link + LINK_ENDED) === this.#attach) return "disconnected"
    const interruption = interruptionOf(this.#vspace.loadWord(this.#status))
    const closed = this.#writeWord + BROADCAST_CLOSED - BROADCAST_WRITE_INDEX
    return interruption ?? (this.#vspace.loadWord(closed) === 0 ? undefined : "closed")
  }

  /**
   * Takes the oldest message that is left. Never blocks.
   * @returns its slotBytes bytes, in private memory and always the same array: valid until the next pop; never a mixture
   *   of two messages. undefined when there is none, or `interruption()` says why
   * @throws {PeerMisbehaviorError} the producer's index, or a slot's sequence, is impossible
   * @throws {PageFault} a frame is not mapped here any more
   * Cost: about 10 ns for 64 bytes; a system call when the producer waits for this one.
   */
  tryPop(): Uint8Array | undefined {
    let result: number
    try {
      result = this.#look(1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    return this.#isDone(result) ? this.staging : undefined
  }

  /**
   * As `tryPop`, but waits for a message. BLOCKS for at most `timeoutNs`. What the producer committed before it died comes
   * first, then "peer-gone".
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns the message, or why there is none
   * @throws as tryPop, save that a page fault by revocation is the outcome "revoked"
   */
  pop(timeoutNs?: number): Uint8Array | BroadcastOutcome
  /**
   * The same on the event loop, without blocking it. One such wait at a time, and no other operation during it.
   * @throws (rejects) as RingConsumer.pop
   */
  pop(options: LoopWaitOptions): Promise<Uint8Array | BroadcastOutcome>
  pop(limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY): Uint8Array | string | Promise<unknown> {
    return typeof limit === "object" ? this.#loop.wait(this.#attempt, limit, () => {}) : this.#pop(limit)
  }

  #pop(timeoutNs: number): Uint8Array | BroadcastOutcome {
    checkTimeout(timeoutNs)
    try {
      let result = this.#look(this.#waiting.spins)
      if (result === RESULT_NONE) result = this.#waiting.until(spins => this.#look(spins), this, timeoutNs)
      return this.#isDone(result) ? this.staging : this.#outcome(result)
    } catch (error) {
      return this.interruptionBy(error)
    }
  }

  /** All messages from now on. Ends when nothing more will come; `interruption()` says why. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Messages(
      () => this.pop({}),
      () => this.#loop.end("closed"),
    )
  }

  /** A Node stream of messages (loop/streams.ts). What it has read ahead counts as read: `lost` does not tell of it. */
  readable(highWaterMark?: number): Readable {
    return messagesOf(this, highWaterMark)
  }

  /** A Web stream of messages (loop/streams.ts). */
  readableStream(highWaterMark?: number): ReadableStream<Uint8Array> {
    return messageStreamOf(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#loop
  }

  /** Since this end attached; they stay after `close`. */
  stats(): ReceiverStats {
    return this.#statsAtClose ?? { received: this.#count(RECEIVER_RECEIVED), lost: this.#count(RECEIVER_LOST) }
  }

  /**
   * Takes part no more, as of the producer's next push: what was not read is given up, and who waits for it goes on. Another
   * consumer can attach. Every later operation finds it "closed".
   */
  close(): void {
    if (this.#statsAtClose !== undefined) return
    this.#statsAtClose = this.stats()
    this.#loop.close("closed" satisfies Interruption)
    this.#tellClosed()
    this.#vspace.freePrivate(this.#state, RECEIVER_BYTES)
    this.#vspace.freePrivate(this.staging.byteOffset, this.staging.length)
    this.#options.onClose?.()
  }

  bells(): readonly number[] | undefined {
    const { bell } = this.#options
    return bell === undefined ? undefined : [bell]
  }

  announceInLoop(): void {
    this.#sleepNumber.announce(ASLEEP_IN_LOOP)
  }

  interruptionBy(error: unknown): Interruption {
    return interruptionBy(error, this.#vspace, this.#status)
  }

  announce(): void {
    this.#loop.ensureFree()
    // Before the sleep is announced: a wake-up after that changes it.
    this.#wakeSeen = this.#vspace.loadWord(this.#link + LINK_WAKE)
    this.#sleepNumber.announce()
  }

  retract(): void {
    this.#sleepNumber.retract()
  }

  sleepWords(words: Uint32Array, at: number): number {
    // ORDER broadcast-wake: as it was before the announcement; the producer changes it when it has seen that.
    words[at] = this.#link + LINK_WAKE
    words[at + 1] = this.#wakeSeen
    words[at + 2] = this.#status
    words[at + 3] = awaitedStatus(this.#vspace, this.#status)
    return at + 4
  }

  #look(spins: number): number {
    return this.#statsAtClose === undefined ? this.#vspace.hot.broadcastPop(this.#state, spins) : RESULT_CLOSED
  }

  readonly #attempt = (spins: number): Uint8Array | BroadcastOutcome | undefined => {
    const result = this.#look(spins)
    if (result === RESULT_NONE) return undefined
    return this.#isDone(result) ? this.staging : this.#outcome(result)
  }

  #outcome(result: number): BroadcastOutcome {
    if (result === RESULT_DISCONNECTED) return "disconnected"
    if (result === RESULT_DEADLINE) return "deadline"
    if (result === RESULT_CLOSED) return "closed"
    return interruptionOf(this.#vspace.loadWord(this.#status)) ?? "peer-gone"
  }

  /** A producer that waits for this end sleeps on its read index, which therefore has to change. */
  #tellClosed(): void {
    try {
      this.#vspace.storeWord(this.#part + CONSUMER_ATTACH, this.#attach + ATTACH_CLOSED)
      const sent = loadLong(this.#vspace, this.#writeWord)
      this.#vspace.storeWord(this.#part + CONSUMER_READ_INDEX, Number(sent & 0xffff_ffffn))
      this.#vspace.storeWord(this.#part + CONSUMER_READ_INDEX + 4, Number(sent >> 32n))
      wake(this.#part + CONSUMER_READ_INDEX)
      if (this.#options.bell !== undefined) native.ringPeersBell(this.#options.bell)
    } catch (error) {
      // Where the pages are gone, the kernel has told the producer.
      if (!(error instanceof PageFault)) throw error
    }
  }

  #isDone(result: number): boolean {
    if (result === RESULT_DONE) return true
    if (result === RESULT_DONE_WAKE) {
      const woken = this.#vspace.u32[(this.#state + RECEIVER_WOKEN) / 4] as number
      wakeSleeper(woken, this.#part + CONSUMER_READ_INDEX, this.#options.bell)
      return true
    }
    if (result === RESULT_MISBEHAVED) {
      const refused = this.#count(RECEIVER_REFUSED)
      throw new PeerMisbehaviorError(
        "producer",
        "writeIndex",
        refused,
        "what the slots bear out: each with its message, none behind",
      )
    }
    return false
  }

  #count(offset: number): number {
    return Number(this.#vspace.u64[(this.#state + offset) / 8])
  }
}
