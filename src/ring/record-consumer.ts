// record-consumer.ts: the receiving end of a ring of records.

import type { Readable } from "node:stream"
import { Closeable, type LoopWaits } from "./closeable.ts"
import type { ConsumerStats } from "./consumer.ts"
import type { Hot } from "./hot.ts"
import {
  END_COUNT,
  END_INDEX,
  END_STAGING,
  END_STAGING_BYTES,
  RECORD_ALIGN,
  RESULT_BAD_RECORD,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_LAST,
  RESULT_LONG,
  RESULT_MISBEHAVED,
  RESULT_NONE,
  RESULT_NONE_WAKE,
} from "./layout.ts"
import { Messages } from "./loop/iterate.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { readableOf, readableStreamOf } from "./loop/streams.ts"
import { RingEnd, refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

/** Room for a first record; it grows to the longest one that comes, and never to what could come. */
const FIRST_STAGING_BYTES = 256

/** Made by `RecordRing.consumer`; one for each ring. */
export class RecordConsumer extends Closeable {
  /** True when an earlier consumer was handed the first record by peek and did not release it: it comes once more. */
  readonly redelivered: boolean
  readonly #vspace: VSpace
  readonly #hot: Hot
  readonly #end: RingEnd
  readonly #spins: number
  #state: number
  #peeked = 0
  #popped = 0
  #empty = 0
  #staging: Uint8Array = new Uint8Array(0)

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super()
    this.#vspace = vspace
    this.#hot = vspace.hot
    this.#end = new RingEnd(vspace, "consumer", place, options)
    this.#state = this.#end.state
    this.#spins = this.#end.waiting.spins
    this.redelivered = this.#end.redelivered > 0
    this.#makeRoom(FIRST_STAGING_BYTES)
  }

  /** Changes when what was popped or peeked is no longer this end's to read; -1 once it is closed. */
  get generation(): number {
    return this.#end.closed ? -1 : this.#end.field(END_INDEX)
  }

  /** Length of the record that `peek` found; 0 when none is peeked. */
  get peekedBytes(): number {
    return this.#peeked
  }

  /** As RingConsumer. */
  interruption(): Interruption | undefined {
    return this.#end.interruption()
  }

  /**
   * Takes the oldest record. Never blocks.
   * @returns its bytes, in private memory: valid until the next pop. undefined when there is none: the ring is empty, or
   *   `interruption()` says why
   * @throws {PeerMisbehaviorError} the producer's index, or a record's head, is impossible
   * @throws {PageFault} the frame is not mapped here any more
   */
  tryPop(): Uint8Array | undefined {
    this.#peeked = 0
    try {
      return this.#isDone(this.#pop(1)) ? this.#record() : undefined
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** As `tryPop`, but waits for a record. BLOCKS for at most `timeoutNs`. What was committed comes before any other outcome. */
  pop(timeoutNs?: number): Uint8Array | Interruption
  /** The same on the event loop, without blocking it, as RingConsumer.pop. */
  pop(options: LoopWaitOptions): Promise<Uint8Array | Interruption>
  pop(limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY): Uint8Array | Interruption | Promise<unknown> {
    return typeof limit === "object" ? this.#end.loop.wait(this.#attempt, limit, this.#onEmpty) : this.#popOrWait(limit)
  }

  #popOrWait(timeoutNs: number): Uint8Array | Interruption {
    checkTimeout(timeoutNs)
    this.#peeked = 0
    const look = (spins: number): number => {
      const result = this.#pop(spins)
      if (result !== RESULT_NONE_WAKE) return result
      this.#end.wakePeer()
      return RESULT_NONE
    }
    try {
      let result = look(this.#spins)
      if (result === RESULT_NONE) {
        this.#empty++
        result = this.#end.waiting.until(look, this.#end, timeoutNs)
      }
      return this.#isDone(result) ? this.#record() : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  /** All records from now on, as RingConsumer's messages. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Messages(
      () => this.pop({}),
      () => this.#end.loop.end("closed"),
    )
  }

  /** A Node stream of records (loop/streams.ts). */
  readable(highWaterMark?: number): Readable {
    return readableOf(this, highWaterMark)
  }

  /** A Web stream of records (loop/streams.ts). */
  readableStream(highWaterMark?: number): ReadableStream<Uint8Array> {
    return readableStreamOf(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#end.loop
  }

  /**
   * Takes the oldest records, at most `max`. Never blocks.
   * @returns copies that are the caller's to keep; none when the ring is empty, or `interruption()` says why
   * @throws as tryPop
   */
  tryPopMany(max: number): Uint8Array[] {
    const records: Uint8Array[] = []
    while (records.length < max) {
      const record = this.tryPop()
      if (record === undefined) break
      records.push(new Uint8Array(record))
    }
    return records
  }

  /**
   * The address of the oldest record, to be read in place and then released; `peekedBytes` is its length, which was loaded
   * once and checked. For a trusted producer. Calling it again names the same record.
   * @returns 0 when there is none: the ring is empty, or `interruption()` says why
   * @throws as tryPop
   */
  peek(): number {
    let result: number
    try {
      result = this.#hot.peekRecord(this.#state, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    this.#peeked = result > RESULT_LAST ? this.#end.field(END_COUNT) : 0
    if (this.#peeked > 0) return result
    this.#isDone(result)
    return 0
  }

  /**
   * Gives the peeked record's room back to the producer.
   * @throws {RingError} IllegalOperation: no record is peeked
   */
  release(): void {
    if (this.#peeked === 0) refuseUnclaimed("release", "peek", 1, 0)
    this.#peeked = 0
    try {
      this.#isDone(this.#hot.releaseRecord(this.#state))
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** As RingConsumer.giveBack. */
  giveBack(): void {
    try {
      if (this.#hot.giveBack(this.#state) === RESULT_DONE_WAKE) this.#end.wakePeer()
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** Counts since this end attached; they stay after `close`. */
  stats(): ConsumerStats {
    const { sleeps, wakes } = this.#end
    return { popped: this.#popped, empty: this.#empty, sleeps, wakes }
  }

  /** As RingConsumer.close. */
  close(): void {
    this.#peeked = 0
    this.#end.close()
    this.#state = this.#end.state
  }

  readonly #attempt = (spins: number): Uint8Array | Interruption | undefined => {
    this.#peeked = 0
    const result = this.#pop(spins)
    if (result === RESULT_NONE_WAKE) this.#end.wakePeer()
    if (result === RESULT_NONE || result === RESULT_NONE_WAKE) return undefined
    return this.#isDone(result) ? this.#record() : this.#end.outcome(result)
  }

  readonly #onEmpty = (): void => {
    this.#empty++
  }

  #pop(spins: number): number {
    for (;;) {
      const result = this.#hot.popRecord(this.#state, spins)
      if (result !== RESULT_LONG) return result
      // Its length has been checked: it is at most half the ring. A hostile producer can make it longer once more, until
      // there is room for the longest.
      this.#makeRoom(2 ** Math.ceil(Math.log2(this.#end.field(END_COUNT) + RECORD_ALIGN)))
    }
  }

  #makeRoom(bytes: number): void {
    this.#end.setField(END_STAGING, this.#end.batch(bytes))
    this.#end.setField(END_STAGING_BYTES, bytes)
  }

  #record(): Uint8Array {
    const from = this.#end.field(END_STAGING)
    const bytes = this.#end.field(END_COUNT)
    if (this.#staging.byteOffset !== from || this.#staging.length !== bytes) {
      this.#staging = this.#vspace.u8.subarray(from, from + bytes)
    }
    return this.#staging
  }

  #isDone(result: number): boolean {
    switch (result) {
      case RESULT_DONE:
      case RESULT_DONE_WAKE:
        this.#popped++
        if (result === RESULT_DONE_WAKE) this.#end.wakePeer()
        return true
      case RESULT_NONE:
      case RESULT_NONE_WAKE:
        this.#empty++
        if (result === RESULT_NONE_WAKE) this.#end.wakePeer()
        return false
      case RESULT_MISBEHAVED:
      case RESULT_BAD_RECORD:
        throw this.#end.misbehaviour(result)
      default:
        return false
    }
  }
}
