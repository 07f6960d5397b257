// broadcast-consumer.ts: one of the consumers of a broadcast.

import { PeerMisbehaviorError } from "../errors.ts"
import { LINE_BYTES, RESULT_DONE, RESULT_DONE_WAKE, RESULT_MISBEHAVED, RESULT_NONE } from "../layout.ts"
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
} from "../wait.ts"
import {
  type BroadcastLink,
  type ConsumerPolicy,
  checkLink,
  policyNumber,
  readBroadcast,
  readPolicy,
} from "./broadcast-place.ts"
import {
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
  RECEIVER_WRITE_WORD,
  RESULT_DISCONNECTED,
} from "./words.ts"

/** Why there is no message. "disconnected": the producer takes no more care of this attach; attach again to go on. */
export type BroadcastOutcome = Interruption | "disconnected"

export class BroadcastConsumer implements Sleeper {
  /** Private memory of `slotBytes` that every pop copies to and returns. */
  readonly staging: Uint8Array
  readonly policy: ConsumerPolicy
  readonly #vspace: VSpace
  readonly #state: number
  readonly #status: number
  readonly #waiting: Waiting
  readonly #sleepNumber: SleepNumber
  readonly #link: number
  readonly #part: number
  readonly #attach: number
  #wakeSeen = 0

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
    const header = readBroadcast(vspace, producerPart)
    checkLink(vspace, link)
    this.policy = readPolicy(vspace, link.link)
    this.#vspace = vspace
    this.#link = link.link.address
    this.#part = link.consumerPart.address
    this.#status = statusWord(vspace, options.status)
    this.#waiting = new Waiting(vspace, options.wait)
    this.#sleepNumber = new SleepNumber(vspace, this.#part + CONSUMER_SLEEP)
    const ended = vspace.loadWord(this.#link + LINK_ENDED)
    const next = (vspace.loadWord(this.#part + CONSUMER_ATTACH) + 1) >>> 0 || 1
    // The first may have been ended before it came: its number was taken by who died in its place.
    this.#attach = next === ended ? next + 1 : next

    const staging = vspace.allocatePrivate(header.slotBytes, LINE_BYTES)
    this.staging = vspace.u8.subarray(staging, staging + header.slotBytes)
    this.#state = vspace.allocatePrivate(RECEIVER_BYTES, LINE_BYTES)
    const fields = [
      [RECEIVER_CAPACITY, header.capacity],
      [RECEIVER_SLOT_BYTES, header.slotBytes],
      [RECEIVER_SLOTS, producerPart.address + BROADCAST_SLOTS],
      [RECEIVER_WRITE_WORD, producerPart.address + BROADCAST_WRITE_INDEX],
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
    return this.#count(RECEIVER_LOST)
  }

  /** Why nothing more will come; undefined while it may. After "peer-gone" there may still be messages. */
  interruption(): BroadcastOutcome | undefined {
    if (this.#vspace.loadWord(this.#link + LINK_ENDED) === this.#attach) return "disconnected"
    return interruptionOf(this.#vspace.loadWord(this.#status))
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
      result = this.#vspace.hot.broadcastPop(this.#state, 1)
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
  pop(timeoutNs = Number.POSITIVE_INFINITY): Uint8Array | BroadcastOutcome {
    checkTimeout(timeoutNs)
    const { hot } = this.#vspace
    try {
      let result = hot.broadcastPop(this.#state, this.#waiting.spins)
      if (result === RESULT_NONE) {
        result = this.#waiting.until(spins => hot.broadcastPop(this.#state, spins), this, timeoutNs)
      }
      if (this.#isDone(result)) return this.staging
      if (result === RESULT_DISCONNECTED) return "disconnected"
      return result === RESULT_DEADLINE
        ? "deadline"
        : (interruptionOf(this.#vspace.loadWord(this.#status)) ?? "peer-gone")
    } catch (error) {
      return interruptionBy(error, this.#vspace, this.#status)
    }
  }

  /** Since this end attached. */
  stats(): { readonly received: number; readonly lost: number } {
    return { received: this.#count(RECEIVER_RECEIVED), lost: this.lost }
  }

  announce(): void {
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

  #isDone(result: number): boolean {
    if (result === RESULT_DONE) return true
    if (result === RESULT_DONE_WAKE) {
      wake(this.#part + CONSUMER_READ_INDEX)
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
