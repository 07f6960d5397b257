// typed-ring.ts: the two ends of a ring whose messages have a declared type. Nothing is serialised.

import type { Readable, Writable } from "node:stream"
import type { RingConsumer } from "../consumer.ts"
import { ensureOptions, RingError } from "../errors.ts"
import { Messages } from "../loop/iterate.ts"
import type { LoopWaitOptions } from "../loop/loop-waiting.ts"
import { readableOf, readableStreamOf, type Send, type Take, writableOf, writableStreamOf } from "../loop/streams.ts"
import type { RingProducer } from "../producer.ts"
import type { Interruption } from "../wait.ts"
import type { MessageType, MessageValues, Schema } from "./message-type.ts"
import { fixedView, type MessageView, movingView, type Place } from "./message-view.ts"

/** The generation of no end. */
const NEVER = -2
/** That of a closed end; and of one that is not, where nothing else matters. */
const CLOSED = -1
const OPEN = 0

export class TypedProducer<S extends Schema> {
  readonly ring: RingProducer
  /**
   * What a push sends, in private memory: set its fields, then push. They stay as they are until they are set again. Throws
   * once the ring is closed.
   */
  readonly message: MessageView<S>
  readonly #place: Place = { address: 0, generation: NEVER }
  readonly #claimed: MessageView<S>

  /** @throws {RingError} RangeError: the type does not fit the ring's slots */
  constructor(ring: RingProducer, type: MessageType<S>) {
    ensureFits(type, ring.staging.length)
    this.ring = ring
    const staged = { address: ring.staging.byteOffset, generation: OPEN }
    this.message = movingView(type, ring.staging.buffer, staged, {
      get generation() {
        return ring.generation === CLOSED ? CLOSED : OPEN
      },
    })
    this.#claimed = movingView(type, ring.staging.buffer, this.#place, ring)
  }

  /** As `RingProducer.push`: sends `message`, after having set `values` in it where they are given. May BLOCK. */
  push(values?: Partial<MessageValues<S>>, timeoutNs?: number): "pushed" | Interruption
  /** The same on the event loop, without blocking it, as `RingProducer.push`. The message must stay as it is until then. */
  push(values: Partial<MessageValues<S>> | undefined, options: LoopWaitOptions): Promise<"pushed" | Interruption>
  push(
    values?: Partial<MessageValues<S>>,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<"pushed" | Interruption> {
    if (typeof limit === "object") return this.ring.pushStaged(() => this.#assign(values), limit)
    this.#assign(values)
    return this.ring.push(undefined, limit)
  }

  /** A Node stream whose chunks are the fields to set, each sent as a message (loop/streams.ts). */
  writable(highWaterMark?: number): Writable {
    return writableOf(this.#send, highWaterMark)
  }

  /** A Web stream of them, as `writable`. */
  writableStream(highWaterMark?: number): WritableStream<Partial<MessageValues<S>>> {
    return writableStreamOf(this.#send, highWaterMark)
  }

  readonly #send: Send<Partial<MessageValues<S>>> = async (values, options) => {
    ensureOptions(values, "the fields to set")
    return this.push(values, options)
  }

  /** As `RingProducer.tryPush`. */
  tryPush(values?: Partial<MessageValues<S>>): boolean {
    this.#assign(values)
    return this.ring.tryPush()
  }

  #assign(values: Partial<MessageValues<S>> | undefined): void {
    // A closed ring says so itself, and its memory may be another's.
    if (values !== undefined && this.ring.generation !== CLOSED) this.message.assign(values)
  }

  /**
   * The next free slot, to be written in place and committed: every field, since what stands there before is unspecified.
   * @returns undefined when there is none; always the same object, which throws once it is committed
   */
  claim(): MessageView<S> | undefined {
    const address = this.ring.claim()
    if (address === 0) return undefined
    this.#place.address = address
    this.#place.generation = this.ring.generation
    return this.#claimed
  }

  /** @throws {RingError} IllegalOperation: no slot is claimed */
  commit(): void {
    this.ring.commit()
  }
}

export class TypedConsumer<S extends Schema> {
  readonly ring: RingConsumer
  readonly #popped: MessageView<S>
  readonly #place: Place = { address: 0, generation: NEVER }
  readonly #peeked: MessageView<S>

  /** @throws {RingError} RangeError: the type does not fit the ring's slots */
  constructor(ring: RingConsumer, type: MessageType<S>) {
    ensureFits(type, ring.staging.length)
    this.ring = ring
    this.#popped = fixedView(type, ring.staging.buffer, ring.staging.byteOffset)
    this.#peeked = movingView(type, ring.staging.buffer, this.#place, ring)
  }

  /**
   * As `RingConsumer.pop`. May BLOCK.
   * @returns the message, copied to private memory, so nobody changes it while you read: always the same object, which
   *   shows the next message after the next pop, and anything once the ring is closed; keep `values()` of it. Or why there is none
   */
  pop(timeoutNs?: number): MessageView<S> | Interruption
  /** The same on the event loop, without blocking it, as `RingConsumer.pop`. */
  pop(options: LoopWaitOptions): Promise<MessageView<S> | Interruption>
  pop(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): MessageView<S> | Interruption | Promise<MessageView<S> | Interruption> {
    if (typeof limit === "object") return this.ring.popAs(() => this.#popped, limit)
    const outcome = this.ring.pop(limit)
    return typeof outcome === "string" ? outcome : this.#popped
  }

  /** All messages from now on, as RingConsumer's: always the same object, which shows the next one when that is asked for. */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageView<S>> {
    return new Messages(
      () => this.pop({}),
      () => this.ring.cancel(),
    )
  }

  /** A Node stream of all messages from now on, each as its `values()` (loop/streams.ts). */
  readable(highWaterMark?: number): Readable {
    return readableOf(this.#take, highWaterMark)
  }

  /** A Web stream of them, as `readable`. */
  readableStream(highWaterMark?: number): ReadableStream<MessageValues<S>> {
    return readableStreamOf(this.#take, highWaterMark)
  }

  readonly #take: Take<MessageValues<S>> = options => this.ring.popAs(() => this.#popped.values(), options)

  /** As `pop`; undefined when there is none. Never blocks. */
  tryPop(): MessageView<S> | undefined {
    return this.ring.tryPop() === undefined ? undefined : this.#popped
  }

  /**
   * The oldest message, read in place and then released: for a producer that you trust, since another one may write while
   * you read.
   * @returns undefined when there is none; always the same object, which throws once it is released
   */
  peek(): MessageView<S> | undefined {
    const address = this.ring.peek()
    if (address === 0) return undefined
    this.#place.address = address
    this.#place.generation = this.ring.generation
    return this.#peeked
  }

  /** @throws {RingError} IllegalOperation: no message is peeked */
  release(): void {
    this.ring.release()
  }
}

function ensureFits({ bytes }: MessageType, slotBytes: number): void {
  if (bytes <= slotBytes) return
  throw new RingError(
    "RangeError",
    `The message type has ${bytes} bytes, a slot holds ${slotBytes}; make the ring with slotBytes ${bytes}, or drop fields`,
  )
}
