// broadcast-producer.ts: the one producer of a broadcast. Whom it waits for is decided in WebAssembly.

import type { Writable } from "node:stream"
import { Closeable, type LoopWaits } from "../closeable.ts"
import { PageFault, RingError } from "../errors.ts"
import {
  ASLEEP,
  ASLEEP_IN_LOOP,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_NONE,
  RESULT_STOPPED,
  STATUS_LIVE,
} from "../layout.ts"
import { type LoopSleeper, LoopWaiting, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import { writableStreamTo, writableTo } from "../loop/streams.ts"
import { statusWord } from "../ring-end.ts"
import type { Part } from "../ring-place.ts"
import { stage } from "../sending-end.ts"
import { SleepNumber } from "../sleep-number.ts"
import type { VSpace } from "../vspace.ts"
import {
  checkTimeout,
  type EndOptions,
  type Interruption,
  interruptionBy,
  interruptionOf,
  RESULT_DEADLINE,
  type Sleeper,
  Waiting,
  wakeSleeper,
} from "../wait.ts"
import { type ConsumerPolicy, checkLink, loadLong, readBroadcast, readPolicy } from "./broadcast-place.ts"
import { type BroadcastTarget, makeSender } from "./broadcast-sender.ts"
import type { BroadcastStats } from "./broadcast-stats.ts"
import {
  BROADCAST_CLOSED,
  BROADCAST_WRITE_INDEX,
  CONSUMER_LOST,
  CONSUMER_READ_INDEX,
  LINK_PRODUCER_SLEEP,
  LINK_WAKE,
  SENDER_BYTES,
  SENDER_INDEX,
  SENDER_LOOKING_AT,
  SENDER_OWN,
  SENDER_PUBLISHED,
  SENDER_STAGING,
  SENDER_TARGETS,
  SENDER_TO_WAKE,
  TARGET_ABSENT,
  TARGET_BYTES,
  TARGET_DISCONNECTED,
  TARGET_EXCLUDED,
  TARGET_LINK,
  TARGET_LOADED,
  TARGET_MISBEHAVED,
  TARGET_OBSTRUCTS,
  TARGET_PART,
  TARGET_PRESENT,
  TARGET_STATE,
  TARGET_STATUS_WORD,
  TARGET_WOKEN,
} from "./words.ts"

export class BroadcastProducer extends Closeable implements Sleeper, LoopSleeper {
  #staging: Uint8Array
  readonly #vspace: VSpace
  readonly #state: number
  readonly #status: number
  readonly #waiting: Waiting
  readonly #loop: LoopWaiting
  readonly #options: EndOptions
  readonly #closedWord: number
  readonly #targets: readonly BroadcastTarget[]
  readonly #policies: readonly ConsumerPolicy[]
  readonly #firstIndex: bigint
  readonly #sleepNumbers: (SleepNumber | undefined)[] = []
  /** The consumers that were told that this end sleeps. */
  #announced: number[] = []
  #isClosed = false
  #statsAtClose: BroadcastStats | undefined

  /**
   * Goes on where a producer that died left off.
   * @param producerPart writable here
   * @param targets one for each consumer, in the order of the creation
   * @throws {RingError} NotARing: there is no such broadcast. RangeError, AlignmentError: a part is not in the VSpace
   * @throws {RingError} NotEnoughMemory: no private memory is left
   * @throws {PageFault} a part is not mapped here
   */
  constructor(vspace: VSpace, producerPart: Part, targets: readonly BroadcastTarget[], options: EndOptions = {}) {
    super()
    const header = readBroadcast(vspace, producerPart)
    if (header.consumers !== targets.length) {
      throw new RingError(
        "NotARing",
        `The frame at ${producerPart.address} is that of ${header.consumers} consumers, not of ${targets.length}; name all`,
      )
    }
    for (const target of targets) checkLink(vspace, target)
    this.#vspace = vspace
    this.#targets = targets
    this.#policies = targets.map(({ link }) => readPolicy(vspace, link))
    this.#status = statusWord(vspace, options.status)
    this.#options = options
    this.#loop = new LoopWaiting(this, vspace.processors, options.wait?.checkNs)
    this.#closedWord = producerPart.address + BROADCAST_CLOSED
    this.#waiting = new Waiting(vspace, options.wait)
    this.#firstIndex = loadLong(vspace, producerPart.address + BROADCAST_WRITE_INDEX)
    this.#state = makeSender(vspace, producerPart, header, targets, this.#status)
    const staging = this.#get(SENDER_STAGING)
    this.#staging = vspace.u8.subarray(staging, staging + header.slotBytes)
    vspace.storeWord(this.#closedWord, 0)
  }

  /** Private memory of `slotBytes`: what a push without an argument sends. */
  get staging(): Uint8Array {
    return this.#staging
  }

  /**
   * Why nothing more can be sent: "peer-gone" (the last consumer has died and none has come), "revoked", "kernel-gone";
   * undefined while the broadcast is live.
   */
  interruption(): Interruption | undefined {
    if (this.#isClosed) return "closed"
    return interruptionOf(this.#vspace.loadWord(this.#status))
  }

  /**
   * Sends `message`, or what is in `staging`, to every consumer that takes part. Never blocks.
   * @param message at most slotBytes; the rest of the slot is sent as zeros
   * @returns false when it was not sent: a consumer of policy "block" has not read the slot that would be overwritten, or
   *   `interruption()` says why
   * @throws {RingError} RangeError: the message is longer than a slot
   * @throws {PageFault} the producer's frame is not mapped here any more
   * Cost: 10 to 20 ns for 64 bytes to one consumer that is waited for, and 2 ns for each further one; 60 ns more where a
   *   consumer may be overtaken. A system call for each consumer that sleeps.
   */
  tryPush(message?: Uint8Array): boolean {
    if (message !== undefined) stage(this.#staging, message)
    return this.#isDone(this.#attempt(1))
  }

  /**
   * As `tryPush`, but waits for the consumers of policy "block". BLOCKS for at most `timeoutNs`.
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns "pushed", or why it was not sent
   * @throws as tryPush, save that a page fault by revocation is the outcome "revoked"
   */
  push(message?: Uint8Array, timeoutNs?: number): "pushed" | Interruption
  /**
   * The same on the event loop, without blocking it. One such wait at a time, and no other operation during it.
   * @throws (rejects) as RingProducer.push
   */
  push(message: Uint8Array | undefined, options: LoopWaitOptions): Promise<"pushed" | Interruption>
  push(
    message?: Uint8Array,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<"pushed" | Interruption> {
    if (typeof limit !== "object") return this.#push(message, limit)
    return this.#loop.wait(
      this.#pushOnce,
      limit,
      () => {},
      () => {
        if (message !== undefined) stage(this.#staging, message)
      },
    )
  }

  #push(message: Uint8Array | undefined, timeoutNs: number): "pushed" | Interruption {
    checkTimeout(timeoutNs)
    if (message !== undefined) stage(this.#staging, message)
    try {
      let result = this.#attempt(this.#waiting.spins)
      if (result === RESULT_NONE) result = this.#waiting.until(spins => this.#attempt(spins), this, timeoutNs)
      if (this.#isDone(result)) return "pushed"
      return result === RESULT_DEADLINE ? "deadline" : (this.interruption() ?? "peer-gone")
    } catch (error) {
      return this.interruptionBy(error)
    }
  }

  /** A Node stream that sends each chunk as a message (loop/streams.ts). */
  writable(highWaterMark?: number): Writable {
    return writableTo(this, highWaterMark)
  }

  /** A Web stream that sends each chunk as a message (loop/streams.ts). */
  writableStream(highWaterMark?: number): WritableStream<Uint8Array> {
    return writableStreamTo(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#loop
  }

  /** Every consumer is told "closed" when it has read what was sent. Another producer can attach, and goes on. */
  close(): void {
    if (this.#isClosed) return
    this.#statsAtClose = this.stats()
    this.#loop.close("closed" satisfies Interruption)
    this.#tellClosed()
    this.#isClosed = true
    this.#vspace.freePrivate(this.#state, SENDER_BYTES)
    this.#vspace.freePrivate(this.#staging.byteOffset, this.#staging.length)
    // What is pushed from now on must not be written to what is another end's by then.
    this.#staging = new Uint8Array(this.#staging.length)
    this.#options.onClose?.()
  }

  bells(): readonly number[] | undefined {
    const bells = [this.#options.bell, ...this.#targets.map(({ bell }) => bell)]
    return bells.includes(undefined) ? undefined : (bells as number[])
  }

  announceInLoop(): void {
    this.#announce(ASLEEP_IN_LOOP)
  }

  interruptionBy(error: unknown): Interruption {
    return interruptionBy(error, this.#vspace, this.#status)
  }

  stats(): BroadcastStats {
    if (this.#statsAtClose !== undefined) return this.#statsAtClose
    const index = this.#vspace.u64[(this.#state + SENDER_INDEX) / 8] as bigint
    const consumers = this.#targets.map(({ consumerPart }, at) => {
      const state = this.#target(at, TARGET_STATE)
      return {
        policy: this.#policies[at] as ConsumerPolicy,
        state: state === TARGET_PRESENT ? "present" : state === TARGET_ABSENT ? "absent" : "page-fault",
        lost: state === TARGET_EXCLUDED ? 0 : Number(loadLong(this.#vspace, consumerPart.address + CONSUMER_LOST)),
        disconnected: this.#target(at, TARGET_DISCONNECTED),
        misbehaved: this.#target(at, TARGET_MISBEHAVED),
      } as const
    })
    return { sent: Number(BigInt.asUintN(64, index - this.#firstIndex)), consumers }
  }

  announce(): void {
    this.#loop.ensureFree()
    this.#announce(ASLEEP)
  }

  #announce(how: number): void {
    this.#announced = this.#blocking()
    this.#eachAnnounced(number => number.announce(how))
  }

  retract(): void {
    this.#eachAnnounced(number => number.retract())
  }

  sleepWords(words: Uint32Array, at: number): number {
    let next = at
    const sleepOn = (address: number, value: number): void => {
      words[next] = address
      words[next + 1] = value
      next += 2
    }
    for (const consumer of this.#blocking()) {
      sleepOn(this.#target(consumer, TARGET_PART) + CONSUMER_READ_INDEX, this.#target(consumer, TARGET_LOADED))
      sleepOn(this.#target(consumer, TARGET_STATUS_WORD), STATUS_LIVE)
    }
    sleepOn(this.#status, STATUS_LIVE)
    return next
  }

  readonly #pushOnce = (spins: number): "pushed" | Interruption | undefined => {
    const result = this.#attempt(spins)
    if (result === RESULT_NONE) return undefined
    return this.#isDone(result) ? "pushed" : (this.interruption() ?? "peer-gone")
  }

  #tellClosed(): void {
    try {
      // ORDER ring-closed: comes after all that was committed; then who sleeps is looked for, as after a message.
      this.#vspace.storeWord(this.#closedWord, 1)
      this.#isDone(this.#wakeRest())
    } catch (error) {
      // Where its own pages are gone, the kernel has told the consumers.
      if (!(error instanceof PageFault)) throw error
    }
  }

  #attempt(spins: number): number {
    if (this.#isClosed) return RESULT_STOPPED
    try {
      return this.#vspace.hot.broadcastPush(this.#state, spins)
    } catch (error) {
      this.#excludeFaulty(error)
      return this.#get(SENDER_PUBLISHED) === 0 ? this.#attempt(spins) : this.#wakeRest()
    }
  }

  /** The message is out; only some who sleep have not been marked. */
  #wakeRest(): number {
    try {
      return this.#vspace.hot.broadcastWake(this.#state)
    } catch (error) {
      this.#excludeFaulty(error)
      return this.#wakeRest()
    }
  }

  #isDone(result: number): boolean {
    if (result === RESULT_DONE) return true
    if (result !== RESULT_DONE_WAKE) return false
    for (const half of [0, 1]) {
      const offset = SENDER_TO_WAKE + 4 * half
      for (let sleepers = this.#get(offset); sleepers !== 0; sleepers = (sleepers & (sleepers - 1)) >>> 0) {
        const at = 32 * half + 31 - Math.clz32(sleepers & -sleepers)
        const word = this.#target(at, TARGET_LINK) + LINK_WAKE
        wakeSleeper(this.#target(at, TARGET_WOKEN), word, this.#targets[at]?.bell)
      }
      this.#set(offset, 0)
    }
    return true
  }

  /** The consumers that kept the last push from going on. */
  #blocking(): number[] {
    return this.#targets.flatMap((_, at) =>
      this.#target(at, TARGET_OBSTRUCTS) === 1 &&
      this.#policies[at] === "block" &&
      this.#target(at, TARGET_STATE) !== TARGET_EXCLUDED
        ? [at]
        : [],
    )
  }

  #eachAnnounced(apply: (number: SleepNumber) => void): void {
    for (const at of this.#announced) {
      try {
        const address = this.#target(at, TARGET_LINK) + LINK_PRODUCER_SLEEP
        this.#sleepNumbers[at] ??= new SleepNumber(this.#vspace, address)
        apply(this.#sleepNumbers[at])
      } catch (error) {
        if (!(error instanceof PageFault)) throw error
        this.#set(SENDER_TARGETS + at * TARGET_BYTES + TARGET_STATE, TARGET_EXCLUDED)
      }
    }
  }

  /** @throws what the hot code threw, unless it is a page fault in what is shared with one consumer */
  #excludeFaulty(error: unknown): void {
    const fault = this.#vspace.faultOf(error)
    const target = this.#get(SENDER_LOOKING_AT)
    if (!(fault instanceof PageFault) || target === SENDER_OWN) throw fault
    this.#set(SENDER_LOOKING_AT, SENDER_OWN)
    this.#set(SENDER_TARGETS + target + TARGET_STATE, TARGET_EXCLUDED)
  }

  #target(at: number, offset: number): number {
    return this.#get(SENDER_TARGETS + at * TARGET_BYTES + offset)
  }

  #get(offset: number): number {
    return this.#vspace.u32[(this.#state + offset) / 4] as number
  }

  #set(offset: number, value: number): void {
    this.#vspace.u32[(this.#state + offset) / 4] = value
  }
}
