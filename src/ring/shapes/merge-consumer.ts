// merge-consumer.ts: one consumer of many rings, each with a producer of its own. Which ring is next is chosen in
// WebAssembly; a producer that is gone, stopped or hostile costs the others nothing.

import type { Readable } from "node:stream"
import { Closeable, type LoopWaits } from "../closeable.ts"
import { isSpoilt, PageFault, type PeerMisbehaviorError, RingError } from "../errors.ts"
import {
  LINE_BYTES,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_NONE_WAKE,
  RESULT_STOPPED,
  STATUS_LIVE,
  STATUS_PEER_GONE,
} from "../layout.ts"
import { Messages } from "../loop/iterate.ts"
import { type LoopSleeper, LoopWaiting, type LoopWaitOptions } from "../loop/loop-waiting.ts"
import { readableOf, readableStreamOf } from "../loop/streams.ts"
import { RingEnd, statusWord } from "../ring-end.ts"
import { placeOf, type RingPlace } from "../ring-place.ts"
import type { VSpace } from "../vspace.ts"
import { checkTimeout, type Interruption, interruptionOf, RESULT_DEADLINE, type Sleeper, Waiting } from "../wait.ts"
import {
  checkMerge,
  type Departure,
  type MergedMessage,
  type MergeOptions,
  type MergeSource,
  type MergeStats,
  type ProducerState,
} from "./merge-options.ts"
import {
  MERGE_BUDGET,
  MERGE_BYTES,
  MERGE_CLOSED,
  MERGE_COUNT,
  MERGE_ENDS,
  MERGE_EXCLUDED,
  MERGE_LEFT,
  MERGE_LIVE,
  MERGE_NEXT,
  MERGE_NOBODY,
  MERGE_SOURCE,
  MERGE_STATES,
  MERGE_TAKEN,
} from "./words.ts"

export class MergeConsumer extends Closeable implements Sleeper, LoopSleeper {
  /** The producer of the last message, or of the last departure: its position in the list; -1 before the first. */
  source = -1
  readonly #vspace: VSpace
  readonly #state: number
  readonly #waiting: Waiting
  readonly #loop: LoopWaiting
  readonly #spins: number
  readonly #bells: readonly (number | undefined)[]
  /** Empty where a ring could not be attached. */
  readonly #ends: readonly (RingEnd | undefined)[]
  readonly #statuses: readonly number[]
  /** Why a ring is excluded. */
  readonly #faults: (PeerMisbehaviorError | PageFault | RingError | undefined)[] = []
  /** Excluded, and the caller has not been told. */
  readonly #departures: number[] = []
  #closed = false

  /**
   * Attaches as the consumer of every ring. A ring that its producer has spoilt already is not refused: that producer has
   * gone, "misbehaved".
   * @param sources 1 to 42: a thread sleeps on 128 words, and each ring takes three. Their slot sizes may differ
   * @throws {RingError} RangeError: no producer, or more than 42; a frame is not in the VSpace
   * @throws {RingError} IllegalOperation: this process consumes one of the rings already
   * @throws {RingError} InvalidArgument: a budget or a wait strategy that cannot be
   * @throws {RingError} NotEnoughMemory: no private memory is left for the largest slot
   * Cost: a few microseconds for each.
   */
  constructor(vspace: VSpace, sources: readonly MergeSource[], options: MergeOptions = {}) {
    super()
    const budget = checkMerge(sources, options)
    this.#vspace = vspace
    this.#waiting = new Waiting(vspace, options.wait)
    this.#loop = new LoopWaiting(this, vspace.processors, options.wait?.checkNs)
    this.#bells = sources.map(({ bell }) => bell)
    // A round looks at every ring.
    this.#spins = Math.max(1, Math.floor(this.#waiting.spins / sources.length))
    this.#statuses = sources.map(({ status }) => statusWord(vspace, status))

    const places = sources.map(({ frames }, producer) =>
      this.#unlessSpoilt(producer, () => placeOf(vspace, frames, "slots")),
    )
    const largest = Math.max(8, ...places.map(place => place?.slotBytes ?? 0))
    const staging = vspace.allocatePrivate(largest, LINE_BYTES)
    this.#ends = places.map((place, producer) => {
      const attach = () =>
        new RingEnd(vspace, "consumer", place as RingPlace, sources[producer] as MergeSource, staging)
      return place && this.#unlessSpoilt(producer, attach)
    })
    this.#state = vspace.allocatePrivate(MERGE_BYTES, LINE_BYTES)
    this.#set(MERGE_COUNT, sources.length)
    this.#set(MERGE_NEXT, 0)
    this.#set(MERGE_BUDGET, budget)
    this.#set(MERGE_LEFT, budget)
    for (const [producer, end] of this.#ends.entries()) {
      this.#set(MERGE_ENDS + 4 * producer, end?.state ?? 0)
      if (end !== undefined) continue
      this.#exclude(producer)
      sources[producer]?.onClose?.()
    }
  }

  /** How many producers it was made for, gone ones included. */
  get producers(): number {
    return this.#ends.length
  }

  /**
   * Takes a message of the producer whose turn it is; `source` says whose it was. Never blocks. The order of one
   * producer's messages is kept, there is none between those of two.
   * @returns all bytes of its slot, in private memory: valid until the next message. "producer-gone", once for each.
   *   undefined when there is neither: all rings are empty, or `interruption()` says why
   * Cost: that of a RingConsumer's and 2 ns for each empty ring before it; a system call when that producer sleeps.
   */
  tryPop(): Uint8Array | Departure | undefined {
    for (;;) {
      try {
        return this.#received(this.#attempt(1))
      } catch (error) {
        this.#excludeFaulty(error)
      }
    }
  }

  /**
   * As `tryPop`, but waits. BLOCKS for at most `timeoutNs`; sleeps on all rings at once. What a producer committed before it
   * died comes first, then its "producer-gone"; when the last has gone, "peer-gone" each time, until a new one comes.
   * @param timeoutNs nanoseconds from 0; Infinity for no limit
   * @returns a message, a departure, or why there is none
   * @throws {RingError} InvalidArgument: `timeoutNs` is negative or not a number
   */
  pop(timeoutNs?: number): Uint8Array | Departure | Interruption
  /**
   * The same on the event loop, without blocking it. One such wait at a time, and no other operation during it.
   * @throws (rejects) as RingConsumer.pop
   */
  pop(options: LoopWaitOptions): Promise<Uint8Array | Departure | Interruption>
  pop(limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY): Uint8Array | string | Promise<unknown> {
    return typeof limit === "object" ? this.#loop.wait(this.#lookOnce, limit, () => {}) : this.#pop(limit)
  }

  #pop(timeoutNs: number): Uint8Array | Departure | Interruption {
    checkTimeout(timeoutNs)
    const deadlineMs = performance.now() + timeoutNs / 1e6
    let leftNs = timeoutNs
    for (;;) {
      try {
        let result = this.#attempt(this.#spins)
        if (result === RESULT_NONE) {
          const spins = this.#spins
          result = this.#waiting.until(most => this.#attempt(Math.min(most, spins)), this, leftNs)
        }
        if (result === RESULT_DEADLINE) return "deadline"
        return this.#received(result) ?? this.interruption() ?? "peer-gone"
      } catch (error) {
        this.#excludeFaulty(error)
        leftNs = Math.max(0, (deadlineMs - performance.now()) * 1e6)
      }
    }
  }

  /** All messages from now on, of whomever; `source` says whose. Departures are left to `state`. As RingConsumer's. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Messages(
      () => this.#next({}),
      () => this.cancel(),
    )
  }

  /** A Node stream of messages and whose they are (loop/streams.ts); ends when the last producer has gone. */
  readable(highWaterMark?: number): Readable {
    return readableOf(this.#take, highWaterMark)
  }

  /** A Web stream, as `readable`. */
  readableStream(highWaterMark?: number): ReadableStream<MergedMessage> {
    return readableStreamOf(this.#take, highWaterMark)
  }

  async #next(options: LoopWaitOptions): Promise<Uint8Array | Interruption> {
    for (;;) {
      const message = await this.pop(options)
      if (message !== "producer-gone") return message
    }
  }

  readonly #take = async (options: LoopWaitOptions): Promise<MergedMessage | Interruption> => {
    const message = await this.#next(options)
    return typeof message === "string" ? message : { source: this.source, message: new Uint8Array(message) }
  }

  /** Ends a pending wait on the event loop with "closed"; the next one is as before. */
  cancel(): void {
    this.#loop.end("closed" satisfies Interruption)
  }

  protected get waits(): LoopWaits {
    return this.#loop
  }

  /** Why nothing more will come from anybody; undefined while one producer is live. */
  interruption(): Interruption | undefined {
    if (this.#closed) return "closed"
    const states = this.#ends.map((_, producer) => this.state(producer))
    if (states.includes("live")) return undefined
    const [first] = states
    const alike = first !== undefined && states.every(state => state === first)
    return alike && (first === "revoked" || first === "kernel-gone" || first === "closed") ? first : "peer-gone"
  }

  /**
   * @param producer its position in the list
   * @throws {RingError} RangeError: there is none at that position
   */
  state(producer: number): ProducerState {
    const status = this.#statuses[producer]
    if (status === undefined) {
      throw new RingError("RangeError", `producer is ${producer}, which must be 0 to ${this.producers - 1}`)
    }
    const word = interruptionOf(this.#vspace.loadWord(status))
    const fault = this.#faults[producer]
    // The status follows the pages when they are taken away by a revocation.
    if (fault instanceof PageFault) return word ?? "page-fault"
    if (fault !== undefined) return "misbehaved"
    if (word !== undefined) return word
    return this.#known(producer) === MERGE_CLOSED || this.#closed ? "closed" : "live"
  }

  /** What an excluded producer did, to be reported; undefined for all others. */
  fault(producer: number): PeerMisbehaviorError | PageFault | RingError | undefined {
    return this.#faults[producer]
  }

  stats(): MergeStats {
    const taken = (this.#state + MERGE_TAKEN) / 8
    const producers = this.#ends.map((_, producer) => ({
      state: this.state(producer),
      received: Number(this.#vspace.u64[taken + producer]),
    }))
    return { received: producers.reduce((sum, { received }) => sum + received, 0), producers }
  }

  /** Closes the consumer's end of every ring: the producers are told "closed", and so is who pops. Twice is once. */
  close(): void {
    this.#closed = true
    this.#loop.close("closed" satisfies Interruption)
    this.#departures.length = 0
    for (const [producer, end] of this.#ends.entries()) {
      end?.close()
      this.#set(MERGE_STATES + 4 * producer, MERGE_EXCLUDED)
    }
  }

  /** Of the rings that are looked at; undefined where they have none. */
  bells(): readonly number[] | undefined {
    if (this.#bells.includes(undefined)) return undefined
    return this.#bells.filter((_, producer) => this.#known(producer) !== MERGE_EXCLUDED) as number[]
  }

  announceInLoop(): void {
    this.#eachEnd(end => end.announceInLoop())
  }

  /** A page fault excludes its ring, and is no outcome. */
  interruptionBy(error: unknown): never {
    throw error
  }

  announce(): void {
    this.#loop.ensureFree()
    this.#eachEnd(end => end.announce())
  }

  retract(): void {
    this.#eachEnd(end => end.retract())
  }

  sleepWords(words: Uint32Array, at: number): number {
    let next = at
    for (const [producer, end] of this.#ends.entries()) {
      if (end === undefined || this.#known(producer) === MERGE_EXCLUDED) continue
      next = end.sleepWords(words, next)
      if (this.#known(producer) !== MERGE_LIVE) this.#sleepOnReturn(words, next)
    }
    return next
  }

  /** The last words are those of a producer that was gone at the last look: sleep until that changes, if it has not. */
  #sleepOnReturn(words: Uint32Array, next: number): void {
    const [status = 0, , closed = 0] = words.subarray(next - 4, next)
    try {
      const now = [this.#vspace.loadWord(status), this.#vspace.loadWord(closed)] as const
      words[next - 3] = now[0] === STATUS_LIVE && now[1] === 0 ? STATUS_PEER_GONE : now[0]
      words[next - 1] = now[1]
    } catch (error) {
      // Its pages have gone since: no sleep, and the next look leaves it out.
      if (!(error instanceof PageFault)) throw error
    }
  }

  readonly #lookOnce = (spins: number): Uint8Array | Departure | Interruption | undefined => {
    for (;;) {
      try {
        const result = this.#attempt(Math.min(spins, this.#spins))
        return result === RESULT_NONE ? undefined : (this.#received(result) ?? this.interruption() ?? "peer-gone")
      } catch (error) {
        this.#excludeFaulty(error)
      }
    }
  }

  #attempt(spins: number): number {
    const departed = this.#departures.shift()
    if (departed === undefined) {
      for (;;) {
        const result = this.#vspace.hot.mergePop(this.#state, spins)
        if (result !== RESULT_NONE_WAKE) return result
        this.#ends[this.#get(MERGE_SOURCE)]?.wakePeer()
      }
    }
    this.#set(MERGE_SOURCE, departed)
    return RESULT_STOPPED
  }

  #received(result: number): Uint8Array | Departure | undefined {
    const source = this.#get(MERGE_SOURCE)
    if (result === RESULT_NONE || source === MERGE_NOBODY) return undefined
    this.source = source
    const end = this.#ends[source]
    if (result === RESULT_MISBEHAVED) this.#faults[source] = (end as RingEnd).misbehaviour()
    if (result === RESULT_DONE_WAKE) (end as RingEnd).wakePeer()
    return result === RESULT_DONE || result === RESULT_DONE_WAKE ? (end as RingEnd).staging : "producer-gone"
  }

  /** For each ring that is in use; one whose pages are gone no longer is. */
  #eachEnd(apply: (end: RingEnd) => void): void {
    for (const [producer, end] of this.#ends.entries()) {
      if (end === undefined || this.#known(producer) === MERGE_EXCLUDED) continue
      try {
        apply(end)
      } catch (error) {
        if (!(error instanceof PageFault)) throw error
        this.#faults[producer] = error
        this.#exclude(producer)
      }
    }
  }

  /** @throws what the hot code threw, unless it is a page fault */
  #excludeFaulty(error: unknown): void {
    const fault = this.#vspace.faultOf(error)
    if (!(fault instanceof PageFault)) throw fault
    const producer = this.#get(MERGE_SOURCE)
    this.#faults[producer] = fault
    this.#exclude(producer)
  }

  #exclude(producer: number): void {
    if (this.#known(producer) === MERGE_LIVE) this.#departures.push(producer)
    this.#set(MERGE_STATES + 4 * producer, MERGE_EXCLUDED)
  }

  /** A producer can spoil its own ring at any time, also before its consumer comes. */
  #unlessSpoilt<T>(producer: number, attach: () => T): T | undefined {
    try {
      return attach()
    } catch (error) {
      if (!isSpoilt(error)) throw error
      this.#faults[producer] = error
      return undefined
    }
  }

  #known(producer: number): number {
    return this.#get(MERGE_STATES + 4 * producer)
  }

  #get(offset: number): number {
    return this.#vspace.u32[(this.#state + offset) / 4] as number
  }

  #set(offset: number, value: number): void {
    this.#vspace.u32[(this.#state + offset) / 4] = value
  }
}
