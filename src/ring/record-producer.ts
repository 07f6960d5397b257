// record-producer.ts: the sending end of a ring of records: each as long as it is, in one piece.

import type { Writable } from "node:stream"
import { Closeable, type LoopWaits } from "./closeable.ts"
import { ensureBytes, RingError } from "./errors.ts"
import type { Hot } from "./hot.ts"
import {
  END_COUNT,
  END_INDEX,
  END_RECORD_AT,
  RECORD_ALIGN,
  RECORD_HEAD_BYTES,
  RESULT_DONE,
  RESULT_DONE_WAKE,
  RESULT_LAST,
  RESULT_MISBEHAVED,
  RESULT_NONE,
} from "./layout.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { writableOf, writableStreamOf } from "./loop/streams.ts"
import type { ProducerStats } from "./producer.ts"
import { RingEnd, refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import { checkTimeout, type EndOptions, type Interruption } from "./wait.ts"

const alignedBytes = (bytes: number): number => Math.ceil(bytes / RECORD_ALIGN) * RECORD_ALIGN

/** Made by `RecordRing.producer`; one for each ring. */
export class RecordProducer extends Closeable {
  /** Bytes that a record may have: half the ring, less its head of 8. */
  readonly maxBytes: number
  readonly #vspace: VSpace
  readonly #hot: Hot
  readonly #end: RingEnd
  readonly #spins: number
  readonly #capacity: number
  #state: number
  /** Bytes of the record between claim and commit. */
  #claimed = 0
  #pushed = 0
  #full = 0

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super()
    this.#vspace = vspace
    this.#hot = vspace.hot
    this.maxBytes = place.slotBytes
    this.#capacity = place.capacity
    this.#end = new RingEnd(vspace, "producer", place, options)
    this.#state = this.#end.state
    this.#spins = this.#end.waiting.spins
  }

  /** Changes when a record that was claimed is no longer this end's to write; -1 once it is closed. */
  get generation(): number {
    return this.#end.closed ? -1 : this.#end.field(END_INDEX)
  }

  /** As RingProducer. */
  interruption(): Interruption | undefined {
    return this.#end.interruption()
  }

  /**
   * Sends a copy of `record`. Never blocks. Gives up an uncommitted claim.
   * @param record 1 to `maxBytes` bytes
   * @returns false when it was not sent: there is too little room, or `interruption()` says why
   * @throws {RingError} RangeError: the record is empty or too long
   * @throws {PeerMisbehaviorError} the consumer's index is impossible
   * @throws {PageFault} the frame is not mapped here any more
   */
  tryPush(record: Uint8Array): boolean {
    const from = this.#stage([record])
    try {
      return this.#isDone(this.#hot.pushRecord(this.#state, from, record.length, 1), 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** As `tryPush`, but waits for room. BLOCKS for at most `timeoutNs`. */
  push(record: Uint8Array, timeoutNs?: number): "pushed" | Interruption
  /** The same on the event loop, without blocking it, as RingProducer.push. The record is copied at once. */
  push(record: Uint8Array, options: LoopWaitOptions): Promise<"pushed" | Interruption>
  push(
    record: Uint8Array,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<"pushed" | Interruption> {
    if (typeof limit === "object") return this.#pushInLoop([record], limit)
    checkTimeout(limit)
    const from = this.#stage([record])
    return this.#wait(spins => this.#hot.pushRecord(this.#state, from, record.length, spins), 1, limit)
  }

  /**
   * Sends several records with one publish: the consumer sees all of them at once, or none. Never blocks.
   * @param records with their heads at most half the ring, so that they fit wherever its index stands
   * @returns false when nothing was sent
   * @throws {RingError} RangeError: they are too long together, none, or one is empty
   */
  tryPushMany(records: readonly Uint8Array[]): boolean {
    const from = this.#stage(records)
    try {
      return this.#isDone(this.#pushStaged(records, from, 1), records.length)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** As `tryPushMany`, but waits until there is room for all. BLOCKS for at most `timeoutNs`. */
  pushMany(records: readonly Uint8Array[], timeoutNs?: number): "pushed" | Interruption
  /** The same on the event loop, as `push`. */
  pushMany(records: readonly Uint8Array[], options: LoopWaitOptions): Promise<"pushed" | Interruption>
  pushMany(
    records: readonly Uint8Array[],
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<"pushed" | Interruption> {
    if (typeof limit === "object") return this.#pushInLoop(records, limit)
    checkTimeout(limit)
    const from = this.#stage(records)
    return this.#wait(spins => this.#pushStaged(records, from, spins), records.length, limit)
  }

  /**
   * The address of `bytes` to be written in place and then committed.
   * @param bytes 1 to `maxBytes`; the record may turn out shorter
   * @returns a multiple of 8; 0 when there is too little room, or `interruption()` says why
   * @throws {RingError} RangeError: bytes is out of its range
   */
  claim(bytes: number): number {
    this.#checkBytes(bytes)
    let result: number
    try {
      result = this.#hot.claimRecord(this.#state, 0, bytes, 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    this.#claimed = result > RESULT_LAST ? bytes : 0
    if (this.#claimed > 0) return result
    this.#isDone(result, 0)
    return 0
  }

  /**
   * Sends the first `bytes` of what was claimed; the rest is given up.
   * @param bytes 1 to what was claimed; all of it by default
   * @throws {RingError} IllegalOperation: nothing is claimed, or less
   */
  commit(bytes = this.#claimed): void {
    if (!(Number.isInteger(bytes) && bytes >= 1 && bytes <= this.#claimed)) {
      refuseUnclaimed("commit", "claim", bytes, this.#claimed)
    }
    this.#claimed = 0
    try {
      const at = this.#end.field(END_RECORD_AT)
      this.#isDone(this.#hot.commit(this.#state, this.#hot.endRecord(this.#state, at, bytes)), 1)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
  }

  /** A Node stream that writes records (loop/streams.ts). */
  writable(highWaterMark?: number): Writable {
    return writableOf(this, highWaterMark)
  }

  /** A Web stream that writes records (loop/streams.ts). */
  writableStream(highWaterMark?: number): WritableStream<Uint8Array> {
    return writableStreamOf(this, highWaterMark)
  }

  protected get waits(): LoopWaits {
    return this.#end.loop
  }

  /** Counts since this end attached; they stay after `close`. */
  stats(): ProducerStats {
    const { sleeps, wakes } = this.#end
    return { pushed: this.#pushed, full: this.#full, sleeps, wakes }
  }

  /** As RingProducer.close. */
  close(): void {
    this.#claimed = 0
    this.#end.close()
    this.#state = this.#end.state
  }

  #pushInLoop(records: readonly Uint8Array[], options: LoopWaitOptions): Promise<"pushed" | Interruption> {
    let from = 0
    const attempt = (spins: number): "pushed" | Interruption | undefined => {
      const result = this.#pushStaged(records, from, spins)
      if (result === RESULT_NONE) return undefined
      return this.#isDone(result, records.length) ? "pushed" : this.#end.outcome(result)
    }
    const stage = (): void => {
      from = this.#stage(records)
    }
    return this.#end.loop.wait(attempt, options, this.#onFull, stage)
  }

  readonly #onFull = (): void => {
    this.#full++
  }

  /** Copies the records to private memory, each to a multiple of 8, with zeros behind it. */
  #stage(records: readonly Uint8Array[]): number {
    for (const record of records) {
      ensureBytes("record", record)
      this.#checkBytes(record.length)
    }
    const bytes = records.reduce((sum, { length }) => sum + alignedBytes(length), 0)
    const needed = bytes + records.length * RECORD_HEAD_BYTES
    if (records.length === 0 || needed > this.#capacity / 2) {
      throw new RingError(
        "RangeError",
        `The batch is ${records.length} records that take up ${needed} bytes: it must be 1 or more, ` +
          `and at most half the ring, ${this.#capacity / 2}; split it or use a larger ring`,
      )
    }
    this.#claimed = 0
    if (this.#end.closed) return 0
    const from = this.#end.batch(bytes)
    const { u8 } = this.#vspace
    let to = from
    for (const record of records) {
      const end = to + alignedBytes(record.length)
      u8.fill(0, end - RECORD_ALIGN, end)
      u8.set(record, to)
      to = end
    }
    return from
  }

  #pushStaged(records: readonly Uint8Array[], from: number, spins: number): number {
    let at = 0
    for (const { length } of records) {
      const result = this.#hot.stageRecord(this.#state, from, at, length, spins)
      if (result !== RESULT_DONE) return result
      at = this.#end.field(END_COUNT)
      from += alignedBytes(length)
    }
    return this.#hot.commit(this.#state, at)
  }

  #wait(attempt: (spins: number) => number, records: number, timeoutNs: number): "pushed" | Interruption {
    try {
      let result = attempt(this.#spins)
      if (result === RESULT_NONE) {
        this.#full++
        result = this.#end.waiting.until(attempt, this.#end, timeoutNs)
      }
      return this.#isDone(result, records) ? "pushed" : this.#end.outcome(result)
    } catch (error) {
      return this.#end.interruptionBy(error)
    }
  }

  #isDone(result: number, records: number): boolean {
    if (result === RESULT_DONE || result === RESULT_DONE_WAKE) {
      this.#pushed += records
      if (result === RESULT_DONE_WAKE) this.#end.wakePeer()
      return true
    }
    if (result === RESULT_MISBEHAVED) throw this.#end.misbehaviour()
    if (result === RESULT_NONE) this.#full++
    return false
  }

  #checkBytes(bytes: number): void {
    if (Number.isInteger(bytes) && bytes >= 1 && bytes <= this.maxBytes) return
    throw new RingError(
      "RangeError",
      `The record has ${bytes} bytes, which must be an integer, 1 to ${this.maxBytes}; split it or use a larger ring`,
    )
  }
}
