// record-consumer.ts: the receiving end of a ring of records.

import { RingError } from "./errors.ts"
import { END_COUNT, END_STAGING, END_STAGING_BYTES, RECORD_ALIGN, RESULT_LAST, RESULT_LONG } from "./layout.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { ReceivingEnd } from "./receiving-end.ts"
import { refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import type { VSpace } from "./vspace.ts"
import type { EndOptions, Interruption } from "./wait.ts"

/** Room for a first record; it grows to the longest one that comes, and never to what could come. */
const FIRST_STAGING_BYTES = 256

/** Made by `RecordRing.consumer`; one for each ring. */
export class RecordConsumer extends ReceivingEnd {
  /** True when an earlier consumer was handed the first record by peek and did not release it: it comes once more. */
  readonly redelivered: boolean
  #popped = 0
  #staging: Uint8Array = new Uint8Array(0)

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super(vspace, "consumer", place, options)
    this.redelivered = this.end.redelivered > 0
    this.#makeRoom(FIRST_STAGING_BYTES)
  }

  /** Length of the record that `peek` found; 0 when none is peeked. */
  get peekedBytes(): number {
    return this.held
  }

  /**
   * Takes the oldest record. Never blocks.
   * @returns its bytes, in private memory: valid until the next pop. undefined when there is none: the ring is empty, or
   *   `interruption()` says why
   * @throws {PeerMisbehaviorError} the producer's index, or a record's head, is impossible
   * @throws {PageFault} the frame is not mapped here any more
   */
  tryPop(): Uint8Array | undefined {
    try {
      return this.isDone(this.#take(1)) ? this.#taken() : undefined
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  /** As `tryPop`, but waits for a record. BLOCKS for at most `timeoutNs`. What was committed comes before any other outcome. */
  pop(timeoutNs?: number): Uint8Array | Interruption
  /** The same on the event loop, without blocking it, as RingConsumer.pop. */
  pop(options: LoopWaitOptions): Promise<Uint8Array | Interruption>
  pop(limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY): Uint8Array | Interruption | Promise<unknown> {
    return typeof limit === "object" ? this.waitInLoop(this.#attempt, limit) : this.wait(this.#take, this.#taken, limit)
  }

  /**
   * Takes the oldest records, at most `max`. Never blocks.
   * @param max 1 or more
   * @returns copies that are the caller's to keep; none when the ring is empty, or `interruption()` says why
   * @throws {RingError} RangeError: max is no whole number, or less than 1. IllegalOperation: a wait on the event loop is pending
   * @throws as tryPop, of the first record; of a later one the next call says it
   */
  tryPopMany(max: number): Uint8Array[] {
    this.#prepareBatch(max)
    const first = this.tryPop()
    return first === undefined ? [] : this.#andMore(first, max)
  }

  /** As `tryPopMany`, but waits for one record at least. BLOCKS for at most `timeoutNs`. */
  popMany(max: number, timeoutNs?: number): Uint8Array[] | Interruption
  /** The same on the event loop, without blocking it, as `pop`. */
  popMany(max: number, options: LoopWaitOptions): Promise<Uint8Array[] | Interruption>
  popMany(
    max: number,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Uint8Array[] | Interruption | Promise<Uint8Array[] | Interruption> {
    return this.wait(
      this.#take,
      () => this.#andMore(this.#taken(), max),
      limit,
      () => this.#prepareBatch(max),
    )
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
      result = this.hot.peekRecord(this.state, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    this.held = result > RESULT_LAST ? this.end.field(END_COUNT) : 0
    if (this.held > 0) return result
    this.isDone(result)
    return 0
  }

  /**
   * Gives the peeked record's room back to the producer.
   * @throws {RingError} IllegalOperation: no record is peeked
   */
  release(): void {
    if (this.held === 0) refuseUnclaimed("release", "peek", 1, 0)
    this.held = 0
    try {
      if (this.isDone(this.hot.releaseRecord(this.state))) this.#popped++
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  protected get popped(): number {
    return this.#popped
  }

  readonly #take = (spins: number): number => {
    this.held = 0
    for (;;) {
      const result = this.hot.popRecord(this.state, spins)
      if (result !== RESULT_LONG) return result
      // Its length has been checked: it is at most half the ring. A hostile producer can make it longer once more, until
      // there is room for the longest.
      this.#makeRoom(2 ** Math.ceil(Math.log2(this.end.field(END_COUNT) + RECORD_ALIGN)))
    }
  }

  #prepareBatch(max: number): void {
    if (!(Number.isInteger(max) && max >= 1)) {
      throw new RingError("RangeError", `max is ${String(max)}, which must be a whole number of records, 1 or more`)
    }
    this.end.loop.ensureFree()
  }

  /** What was popped, and behind it what is there as well. */
  #andMore(first: Uint8Array, max: number): Uint8Array[] {
    const records = [new Uint8Array(first)]
    try {
      while (records.length < max) {
        const record = this.tryPop()
        if (record === undefined) break
        records.push(new Uint8Array(record))
      }
    } catch {
      // What was taken is not to be lost, and what the matter is the next call finds as well.
    }
    return records
  }

  #makeRoom(bytes: number): void {
    this.end.setField(END_STAGING, this.end.batch(bytes))
    this.end.setField(END_STAGING_BYTES, bytes)
  }

  readonly #taken = (): Uint8Array => {
    this.#popped++
    const from = this.end.field(END_STAGING)
    const bytes = this.end.field(END_COUNT)
    if (this.#staging.byteOffset !== from || this.#staging.length !== bytes) {
      this.#staging = this.vspace.u8.subarray(from, from + bytes)
    }
    return this.#staging
  }

  readonly #attempt = this.attempt(this.#take, this.#taken)
}
