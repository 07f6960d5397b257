// payload-receiver.ts: receives what a payload-sender.ts sends: as a copy, or on loan in place.

import type { Readable } from "node:stream"
import { Closeable, type LoopWaits } from "../closeable.ts"
import type { RingConsumer } from "../consumer.ts"
import { ensureBytes, isSpoilt, PeerMisbehaviorError, RingError } from "../errors.ts"
import { Messages } from "../loop/iterate.ts"
import type { LoopWaitOptions } from "../loop/loop-waiting.ts"
import { readableOf, readableStreamOf } from "../loop/streams.ts"
import type { RingProducer } from "../producer.ts"
import type { Part } from "../ring-place.ts"
import type { VSpace } from "../vspace.ts"
import type { Interruption } from "../wait.ts"
import { Arrivals } from "./arrivals.ts"
import { ChunkedCopy } from "./chunked-copy.ts"
import { bufferAddress, loanAddress, loansBytes, type PoolGeometry, readPool, STREAMED } from "./pool-layout.ts"

export interface ReceiverPlace {
  readonly descriptors: RingConsumer
  readonly returns: RingProducer
  /** Readable. */
  readonly pool: Part
  /** Readable and writable. */
  readonly loans: Part
}

interface Descriptor {
  readonly buffer: number
  readonly bytes: number
  readonly mark: number
}

export class PayloadReceiver extends Closeable {
  readonly geometry: PoolGeometry
  readonly #vspace: VSpace
  readonly #place: ReceiverPlace
  readonly #arrivals: Arrivals
  readonly #copy: ChunkedCopy
  readonly #return: Uint32Array
  /** By buffer: the mark that it was borrowed under, 0 while it is not. The same stands in shared memory, for a successor. */
  readonly #loans: Uint32Array
  readonly #borrowed = new Set<Loan>()

  /**
   * Goes on where a receiver that died left off: what that one had on loan goes back, what it had not taken comes.
   * @throws {RingError} NotARing: the frame is no pool. RangeError: the loans' frame is too small for it
   */
  constructor(vspace: VSpace, place: ReceiverPlace) {
    super()
    const { returns, pool, loans } = place
    this.geometry = readPool(vspace, pool)
    if (loansBytes(this.geometry) > loans.bytes) {
      throw new RingError(
        "RangeError",
        `The loans' frame has ${loans.bytes} bytes, ${this.geometry.buffers} buffers need ${loansBytes(this.geometry)}`,
      )
    }
    this.#vspace = vspace
    this.#place = place
    this.#arrivals = new Arrivals(place.descriptors)
    this.#copy = ChunkedCopy.of(vspace)
    this.#return = new Uint32Array(returns.staging.buffer, returns.staging.byteOffset, 2)
    this.#loans = new Uint32Array(this.geometry.buffers)
    this.#giveBackOld()
  }

  /**
   * Takes the oldest payload as a copy. BLOCKS for at most `timeoutNs`.
   * @param into where to put it, at least as long; by default new memory
   * @returns the payload, or why there is none
   * @throws {RingError} RangeError: it is longer than `into`; InvalidArgument: that is no Uint8Array. It is still the oldest then
   * @throws {PeerMisbehaviorError} the sender's descriptor is impossible
   */
  receive(timeoutNs?: number, into?: Uint8Array): Uint8Array | Interruption
  /**
   * The same on the event loop, which stands still only while the payload is copied. One such wait at a time.
   * @throws (rejects) the signal's reason: nothing was taken; {RingError} IllegalOperation: another wait is pending; as above
   */
  receive(options: LoopWaitOptions, into?: Uint8Array): Promise<Uint8Array | Interruption>
  receive(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
    into?: Uint8Array,
  ): Uint8Array | Interruption | Promise<Uint8Array | Interruption> {
    return this.#wait(limit, found => this.#copyOf(found, into))
  }

  /** All payloads from now on, as copies. Ends when nothing more will come; leaving the loop early takes none that was not yielded. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Messages(
      () => this.receive({}),
      () => this.cancel(),
    )
  }

  /**
   * A Node stream of all payloads from now on, as copies (loop/streams.ts): the sender has each buffer back when its payload is
   * read, whatever becomes of the stream. By default it reads one ahead.
   */
  readable(highWaterMark: number = STREAMED): Readable {
    return readableOf(options => this.receive(options), highWaterMark)
  }

  /** A Web stream of them, as `readable`. */
  readableStream(highWaterMark: number = STREAMED): ReadableStream<Uint8Array> {
    return readableStreamOf(options => this.receive(options), highWaterMark)
  }

  /** As RingConsumer.interruption: after "peer-gone" or "closed" there may still be payloads. */
  interruption(): Interruption | undefined {
    return this.#place.descriptors.interruption()
  }

  /** Ends a pending wait on the event loop with "closed"; the next one is as before. */
  cancel(): void {
    this.#arrivals.cancel()
  }

  #copyOf(found: Descriptor, into: Uint8Array | undefined): Uint8Array {
    const { buffer, bytes } = found
    if (into !== undefined) ensureBytes("into", into)
    if (into !== undefined && into.length < bytes) {
      throw new RingError("RangeError", `The payload has ${bytes} bytes, into holds ${into.length}; give more room`)
    }
    const payload = into?.subarray(0, bytes) ?? new Uint8Array(bytes)
    this.#borrow(found)
    try {
      this.#copy.read(payload, this.#addressOf(buffer))
    } finally {
      this.#giveBack(found)
    }
    return payload
  }

  /**
   * Takes the oldest payload where it lies, until its `release`: for a sender that you trust, since another one may write
   * while you read. Several can be on loan, and be released in any order. BLOCKS for at most `timeoutNs`.
   */
  borrow(timeoutNs?: number): Loan | Interruption
  /** The same on the event loop, as `receive`. */
  borrow(options: LoopWaitOptions): Promise<Loan | Interruption>
  borrow(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Loan | Interruption | Promise<Loan | Interruption> {
    return this.#wait(limit, found => this.#lend(found))
  }

  #lend(found: Descriptor): Loan {
    this.#borrow(found)
    const loan = new Loan(this.#vspace, this.#addressOf(found.buffer), found.bytes, () => {
      this.#borrowed.delete(loan)
      this.#giveBack(found)
    })
    this.#borrowed.add(loan)
    return loan
  }

  /** Ends this end: what is on loan goes back, and the sender is told "closed". */
  close(): void {
    for (const loan of [...this.#borrowed]) releaseIfPossible(loan)
    this.#place.descriptors.close()
    this.#place.returns.close()
  }

  protected get waits(): LoopWaits {
    return this.#place.descriptors
  }

  /** Waits for a payload, and takes it as `take` does, in the same turn. */
  #wait<T>(
    limit: number | LoopWaitOptions,
    take: (found: Descriptor) => T,
  ): T | Interruption | Promise<T | Interruption> {
    return this.#arrivals.until(limit, () => {
      const found = this.#peek()
      return found && take(found)
    })
  }

  /** The oldest descriptor, read once, checked, and still in the ring. */
  #peek(): Descriptor | undefined {
    const address = this.#place.descriptors.peek()
    if (address === 0) return undefined
    const [buffer, bytes, mark] = [0, 4, 8].map(offset => this.#vspace.loadWord(address + offset)) as [
      number,
      number,
      number,
    ]
    const { buffers, bufferBytes } = this.geometry
    if (buffer >= buffers) {
      throw new PeerMisbehaviorError("producer", "a descriptor's buffer", buffer, `less than ${buffers}`)
    }
    if (bytes > bufferBytes) {
      throw new PeerMisbehaviorError("producer", "a descriptor's bytes", bytes, `at most ${bufferBytes}`)
    }
    if ((mark & 1) === 0) throw new PeerMisbehaviorError("producer", "a descriptor's mark", mark, "odd")
    if (this.#loans[buffer] !== 0) {
      throw new PeerMisbehaviorError("producer", "a descriptor's buffer", buffer, "one that is not on loan")
    }
    return { buffer, bytes, mark }
  }

  #borrow({ buffer, mark }: Descriptor): void {
    this.#loans[buffer] = mark
    // Before the descriptor is released: after that nobody else knows where the buffer is.
    this.#vspace.storeWord(loanAddress(this.#place.loans.address, buffer), mark)
    this.#place.descriptors.release()
  }

  #giveBack({ buffer, mark }: Descriptor): void {
    this.#return.set([buffer, mark])
    // There is room for all buffers twice. A sender that is gone does not want them.
    this.#place.returns.tryPush()
    this.#vspace.storeWord(loanAddress(this.#place.loans.address, buffer), 0)
    this.#loans[buffer] = 0
  }

  /** One that was being borrowed when the last receiver died is still in the ring, and comes from there. */
  #giveBackOld(): void {
    const first = this.#peek()
    for (let buffer = 0; buffer < this.geometry.buffers; buffer++) {
      const address = loanAddress(this.#place.loans.address, buffer)
      const mark = this.#vspace.loadWord(address)
      if (mark === 0) continue
      if (first?.buffer === buffer && first.mark === mark) this.#vspace.storeWord(address, 0)
      else this.#giveBack({ buffer, bytes: 0, mark })
    }
  }

  #addressOf(buffer: number): number {
    return bufferAddress(this.#place.pool.address, this.geometry, buffer)
  }
}

/** Of a sender that has gone with its pages, or that has spoilt them, nobody wants it back. */
function releaseIfPossible(loan: Loan): void {
  try {
    loan.release()
  } catch (error) {
    if (!isSpoilt(error)) throw error
  }
}

/** A payload in place. After `release` its methods throw; the raw bytes cannot, and show whatever comes there next. */
export class Loan {
  /** Of the payload. */
  readonly bytes: number
  readonly #vspace: VSpace
  readonly #address: number
  readonly #giveBack: () => void
  #released = false

  constructor(vspace: VSpace, address: number, bytes: number, giveBack: () => void) {
    this.#vspace = vspace
    this.#address = address
    this.bytes = bytes
    this.#giveBack = giveBack
  }

  /** Where it lies, for WebAssembly of your own. @throws {RingError} IllegalOperation: it is released */
  get address(): number {
    this.#ensureHeld()
    return this.#address
  }

  /**
   * The bytes themselves, not a copy. Nothing checks them: after the release they are the next payload's, an access after
   * a revocation ends the process.
   * @throws {RingError} IllegalOperation: it is released
   */
  uncheckedBytes(): Uint8Array {
    return this.#vspace.u8.subarray(this.address, this.address + this.bytes)
  }

  /** Gives the buffer back to the sender. @throws {RingError} IllegalOperation: it is released already */
  release(): void {
    this.#ensureHeld()
    this.#released = true
    this.#giveBack()
  }

  /** As `release`, where it is not released yet: so `using` gives it back. */
  [Symbol.dispose](): void {
    if (!this.#released) this.release()
  }

  #ensureHeld(): void {
    if (!this.#released) return
    throw new RingError("IllegalOperation", "The payload was released; borrow another one, or receive() a copy")
  }
}
