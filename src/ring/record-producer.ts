// record-producer.ts: the sending end of a ring of records: each as long as it is, in one piece.

import { ensureBytes, ensureList, RingError } from "./errors.ts"
import { END_COUNT, END_RECORD_AT, RECORD_ALIGN, RECORD_HEAD_BYTES, RESULT_DONE, RESULT_LAST } from "./layout.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { refuseUnclaimed } from "./ring-end.ts"
import type { RingPlace } from "./ring-place.ts"
import { SendingEnd } from "./sending-end.ts"
import type { VSpace } from "./vspace.ts"
import type { EndOptions, Interruption } from "./wait.ts"

const alignedBytes = (bytes: number): number => Math.ceil(bytes / RECORD_ALIGN) * RECORD_ALIGN

/** Made by `RecordRing.producer`; one for each ring. */
export class RecordProducer extends SendingEnd {
  /** Bytes that a record may have: half the ring, less its head of 8. */
  readonly maxBytes: number
  readonly #capacity: number
  /** What the records of a push were copied to, and how long it is, or each of several. */
  #from = 0
  #bytes = 0
  #lengths: readonly number[] = []
  #pushed = 0

  constructor(vspace: VSpace, place: RingPlace, options: EndOptions) {
    super(vspace, "producer", place, options)
    this.maxBytes = place.slotBytes
    this.#capacity = place.capacity
  }

  /**
   * Sends a copy of `record`. Never blocks. Gives up an uncommitted claim.
   * @param record 1 to `maxBytes` bytes
   * @returns false when it was not sent: there is too little room, or `interruption()` says why
   * @throws {RingError} RangeError: the record is empty or too long. IllegalOperation: a wait on the event loop is pending
   * @throws {PeerMisbehaviorError} the consumer's index is impossible
   * @throws {PageFault} the frame is not mapped here any more
   */
  tryPush(record: Uint8Array): boolean {
    this.#stageOne(record)
    try {
      return this.isDone(this.#sendOne(1)) && this.#sentOne() === "pushed"
    } catch (error) {
      throw this.vspace.faultOf(error)
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
    return this.wait(this.#sendOne, this.#sentOne, limit, () => this.#stageOne(record))
  }

  /**
   * Sends several records with one publish: the consumer sees all of them at once, or none. Never blocks.
   * @param records with their heads at most half the ring, so that they fit wherever its index stands
   * @returns false when nothing was sent
   * @throws {RingError} RangeError: they are too long together, none, or one is empty
   */
  tryPushMany(records: readonly Uint8Array[]): boolean {
    this.#stage(records)
    try {
      return this.isDone(this.#send(1)) && this.#sent() === "pushed"
    } catch (error) {
      throw this.vspace.faultOf(error)
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
    return this.wait(this.#send, this.#sent, limit, () => this.#stage(records))
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
      result = this.hot.claimRecord(this.state, 0, bytes, 1)
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
    this.held = result > RESULT_LAST ? bytes : 0
    if (this.held > 0) return result
    this.isDone(result)
    return 0
  }

  /**
   * Sends the first `bytes` of what was claimed; the rest is given up.
   * @param bytes 1 to what was claimed; all of it by default
   * @throws {RingError} IllegalOperation: nothing is claimed, or less
   */
  commit(bytes = this.held): void {
    if (!(Number.isInteger(bytes) && bytes >= 1 && bytes <= this.held)) {
      refuseUnclaimed("commit", "claim", bytes, this.held)
    }
    this.held = 0
    try {
      const end = this.hot.endRecord(this.state, this.end.field(END_RECORD_AT), bytes)
      if (this.isDone(this.hot.commit(this.state, end))) this.#pushed++
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  protected get pushed(): number {
    return this.#pushed
  }

  #stageOne(record: Uint8Array): void {
    this.#check(record)
    const { length } = record
    this.#prepare(alignedBytes(length))
    this.#bytes = length
    if (!this.end.closed) this.#copy(record, this.#from)
  }

  #stage(records: readonly Uint8Array[]): void {
    ensureList("records", records)
    for (const record of records) this.#check(record)
    const bytes = records.reduce((sum, { length }) => sum + alignedBytes(length), 0)
    const needed = bytes + records.length * RECORD_HEAD_BYTES
    if (records.length === 0 || needed > this.#capacity / 2) {
      throw new RingError(
        "RangeError",
        `The batch is ${records.length} records that take up ${needed} bytes: it must be 1 or more, ` +
          `and at most half the ring, ${this.#capacity / 2}; split it or use a larger ring`,
      )
    }
    this.#prepare(bytes)
    this.#lengths = records.map(({ length }) => length)
    if (this.end.closed) return
    let to = this.#from
    for (const record of records) to = this.#copy(record, to)
  }

  #prepare(bytes: number): void {
    // What another push is waiting with lies where this one's would.
    this.end.loop.ensureFree()
    this.held = 0
    this.#from = this.end.closed ? 0 : this.end.batch(bytes)
  }

  /** To a multiple of 8, with zeros behind it. Returns where the next one may begin. */
  #copy(record: Uint8Array, to: number): number {
    const { u8 } = this.vspace
    const end = to + alignedBytes(record.length)
    u8.fill(0, end - RECORD_ALIGN, end)
    u8.set(record, to)
    return end
  }

  readonly #sendOne = (spins: number): number => this.hot.pushRecord(this.state, this.#from, this.#bytes, spins)

  readonly #sentOne = (): "pushed" => {
    this.#pushed++
    return "pushed"
  }

  /** Sends what was staged, whatever has become of the caller's arrays. */
  readonly #send = (spins: number): number => {
    let from = this.#from
    let at = 0
    for (const length of this.#lengths) {
      const result = this.hot.stageRecord(this.state, from, at, length, spins)
      if (result !== RESULT_DONE) return result
      at = this.end.field(END_COUNT)
      from += alignedBytes(length)
    }
    return this.hot.commit(this.state, at)
  }

  readonly #sent = (): "pushed" => {
    this.#pushed += this.#lengths.length
    return "pushed"
  }

  #check(record: Uint8Array): void {
    ensureBytes("record", record)
    this.#checkBytes(record.length)
  }

  #checkBytes(bytes: number): void {
    if (Number.isInteger(bytes) && bytes >= 1 && bytes <= this.maxBytes) return
    throw new RingError(
      "RangeError",
      `The record has ${bytes} bytes, which must be an integer, 1 to ${this.maxBytes}; split it or use a larger ring`,
    )
  }
}
