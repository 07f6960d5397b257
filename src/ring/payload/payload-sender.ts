// payload-sender.ts: sends payloads of up to 64 MiB: each lies in a buffer of a frame pool, and its descriptor travels
// through a ring. The receiver sends the buffer back through another.

import type { Writable } from "node:stream"
import { Closeable, type LoopWaits } from "../closeable.ts"
import type { RingConsumer } from "../consumer.ts"
import { ensureBytes, PeerMisbehaviorError, RingError } from "../errors.ts"
import type { LoopWaitOptions } from "../loop/loop-waiting.ts"
import { ofBytes, writableOf, writableStreamOf } from "../loop/streams.ts"
import type { RingProducer } from "../producer.ts"
import type { Part } from "../ring-place.ts"
import type { VSpace } from "../vspace.ts"
import type { Interruption } from "../wait.ts"
import { Arrivals } from "./arrivals.ts"
import { ChunkedCopy } from "./chunked-copy.ts"
import { bufferAddress, markAddress, type PoolGeometry, readPool, returnSlots, STREAMED } from "./pool-layout.ts"

export interface SenderPlace {
  /** Descriptors go out here. A ring with an index word, at `writeIndexWord`. */
  readonly descriptors: RingProducer
  readonly writeIndexWord: number
  /** Buffers come back here. */
  readonly returns: RingConsumer
  /** Readable and writable. */
  readonly pool: Part
}

/** A buffer to be written in place and then committed. */
export interface Claim {
  readonly buffer: number
  /** Address in the VSpace; what an earlier payload left there is still there. */
  readonly address: number
  /** Bytes that it holds. */
  readonly bytes: number
}

/** Marks are odd, so that 0 marks nothing; and of the descriptor's index 31 bits are enough to tell before from after. */
const markOf = (index: number): number => ((index << 1) | 1) >>> 0

export class PayloadSender extends Closeable {
  readonly geometry: PoolGeometry
  readonly #vspace: VSpace
  readonly #place: SenderPlace
  readonly #arrivals: Arrivals
  readonly #copy: ChunkedCopy
  readonly #descriptor: Uint32Array
  readonly #returned: Uint32Array
  /** By buffer: the mark that it is under way with, 0 when it is free. The same stands in the pool, for a successor. */
  readonly #marks: Uint32Array
  readonly #free: number[] = []
  #index: number
  #claim: Claim | undefined
  /** What it knows of the buffers is a successor's then. */
  #isClosed = false

  /**
   * Goes on where a sender that died left off: what it committed is under way, what it had only claimed is free.
   * @throws {RingError} NotARing: the frame is no pool
   */
  constructor(vspace: VSpace, place: SenderPlace) {
    super()
    const { descriptors, returns, pool, writeIndexWord } = place
    this.geometry = readPool(vspace, pool)
    this.#vspace = vspace
    this.#place = place
    this.#copy = ChunkedCopy.of(vspace)
    this.#arrivals = new Arrivals(returns)
    this.#descriptor = words(descriptors.staging)
    this.#returned = words(returns.staging)
    this.#index = vspace.loadWord(writeIndexWord)
    this.#marks = new Uint32Array(this.geometry.buffers)
    for (let buffer = this.geometry.buffers - 1; buffer >= 0; buffer--) {
      const mark = vspace.loadWord(markAddress(pool.address, buffer))
      const isUnderWay = mark !== 0 && ((markOf(this.#index) - mark) | 0) >= 0
      if (isUnderWay) this.#marks[buffer] = mark
      else this.#setFree(buffer)
    }
  }

  /**
   * Copies `payload` into a free buffer and sends it; waits for one, BLOCKING for at most `timeoutNs`.
   * @returns "sent", or why it was not
   * @throws {RingError} RangeError: it is longer than a buffer
   * @throws {PeerMisbehaviorError} the receiver sent back what is no buffer, or whose descriptor it had not taken
   * Cost: two copies, the first into the cache.
   */
  send(payload: Uint8Array, timeoutNs?: number): "sent" | Interruption
  /**
   * The same on the event loop, which stands still only while the payload is copied, once a buffer is free: until the promise
   * settles it must stay as it is. One such wait at a time.
   * @throws (rejects) the signal's reason: nothing was sent; {RingError} IllegalOperation: another wait is pending; as above
   */
  send(payload: Uint8Array, options: LoopWaitOptions): Promise<"sent" | Interruption>
  send(
    payload: Uint8Array,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "sent" | Interruption | Promise<"sent" | Interruption> {
    const length = payload?.length
    return this.#arrivals.until(limit, () => {
      ensureBytes("payload", payload)
      this.#ensureFits(payload.length)
      if (payload.length !== length) {
        throw new RingError(
          "InvalidArgument",
          `The payload had ${length} bytes at the call and has ${payload.length} now; do not transfer it away before it is sent`,
        )
      }
      if (this.#isClosed) return "closed"
      const buffer = this.#takeFree()
      return buffer === undefined ? undefined : this.#sendIn(buffer, payload)
    })
  }

  #sendIn(buffer: number, payload: Uint8Array): "sent" | Interruption {
    try {
      this.#copy.write(this.#addressOf(buffer), payload)
    } catch (error) {
      this.#setFree(buffer)
      throw error
    }
    return this.#lend(buffer, payload.length)
  }

  /**
   * A free buffer to be written in place; undefined when all are under way, or this end is closed. Never blocks. Calling it again names the same
   * one until it is committed.
   */
  claim(): Claim | undefined {
    if (this.#claim !== undefined || this.#isClosed) return this.#claim
    const buffer = this.#takeFree()
    if (buffer === undefined) return undefined
    this.#claim = { buffer, address: this.#addressOf(buffer), bytes: this.geometry.bufferBytes }
    return this.#claim
  }

  /**
   * Sends the first `bytes` of the claimed buffer.
   * @throws {RingError} IllegalOperation: none is claimed. RangeError: more than it holds
   */
  commit(bytes: number): "sent" | Interruption {
    if (this.#claim === undefined) {
      throw new RingError("IllegalOperation", "commit() without a buffer: call claim() first, once for each commit()")
    }
    this.#ensureFits(bytes)
    const { buffer } = this.#claim
    this.#claim = undefined
    return this.#lend(buffer, bytes)
  }

  /** A Node stream that sends each chunk as a payload (loop/streams.ts); by default it takes one beside the one that it sends. */
  writable(highWaterMark: number = STREAMED): Writable {
    return writableOf(
      ofBytes((chunk, options) => this.send(chunk, options)),
      highWaterMark,
    )
  }

  /** A Web stream that sends each chunk as a payload, as `writable`. */
  writableStream(highWaterMark: number = STREAMED): WritableStream<Uint8Array> {
    return writableStreamOf(
      ofBytes((chunk, options) => this.send(chunk, options)),
      highWaterMark,
    )
  }

  /** As RingProducer.interruption. */
  interruption(): Interruption | undefined {
    return this.#place.descriptors.interruption()
  }

  /** Ends a pending wait on the event loop with "closed"; the next one is as before. */
  cancel(): void {
    this.#arrivals.cancel()
  }

  /** Ends this end: the receiver is told "closed" after what was sent. What was only claimed goes to whoever sends next. */
  close(): void {
    this.#isClosed = true
    this.#claim = undefined
    this.#place.descriptors.close()
    this.#place.returns.close()
  }

  protected get waits(): LoopWaits {
    return this.#place.returns
  }

  #lend(buffer: number, bytes: number): "sent" | Interruption {
    const { descriptors, pool } = this.#place
    const mark = markOf(this.#index + 1)
    // Before the descriptor is committed: whoever succeeds us tells by that index whether it was.
    this.#vspace.storeWord(markAddress(pool.address, buffer), mark)
    this.#marks[buffer] = mark
    this.#descriptor.set([buffer, bytes, mark, 0])
    if (!descriptors.tryPush()) {
      this.#setFree(buffer)
      const interruption = descriptors.interruption()
      if (interruption !== undefined) return interruption
      // There is room for all buffers.
      throw new PeerMisbehaviorError("consumer", "a returned buffer", buffer, "one whose descriptor it has taken")
    }
    this.#index = (this.#index + 1) >>> 0
    return "sent"
  }

  #takeFree(): number | undefined {
    this.#collect()
    return this.#free.pop()
  }

  #collect(): void {
    // As many as an honest receiver can have sent: a hostile one may go on for ever.
    for (let most = returnSlots(this.geometry); most > 0; most--) {
      if (this.#place.returns.tryPop() === undefined) return
      this.#takeBack()
    }
  }

  /** A buffer comes back under the mark that it was sent with; a receiver's successor may send one back once more. */
  #takeBack(): void {
    const [buffer = 0, mark = 0] = this.#returned
    if (buffer >= this.geometry.buffers) {
      throw new PeerMisbehaviorError("consumer", "a returned buffer", buffer, `less than ${this.geometry.buffers}`)
    }
    if (mark !== 0 && this.#marks[buffer] === mark) this.#setFree(buffer)
  }

  #setFree(buffer: number): void {
    this.#marks[buffer] = 0
    this.#vspace.storeWord(markAddress(this.#place.pool.address, buffer), 0)
    this.#free.push(buffer)
  }

  #addressOf(buffer: number): number {
    return bufferAddress(this.#place.pool.address, this.geometry, buffer)
  }

  #ensureFits(bytes: number): void {
    const { bufferBytes } = this.geometry
    if (Number.isInteger(bytes) && bytes >= 0 && bytes <= bufferBytes) return
    throw new RingError(
      "RangeError",
      `The payload has ${bytes} bytes: a buffer holds 0 to ${bufferBytes}; split it or make the pool with larger buffers`,
    )
  }
}

function words(staging: Uint8Array): Uint32Array {
  return new Uint32Array(staging.buffer, staging.byteOffset, staging.length / 4)
}
