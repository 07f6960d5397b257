// packed-ring.ts: the two ends of a ring that carries arbitrary values as MessagePack: the convenient form, not the fast one.

import type { Readable, Writable } from "node:stream"
import { Packr, Unpackr } from "msgpackr/index-no-eval"
import type { RingConsumer } from "../consumer.ts"
import { ensureOptions, PeerMisbehaviorError, RingError } from "../errors.ts"
import { Messages } from "../loop/iterate.ts"
import type { LoopWaitOptions } from "../loop/loop-waiting.ts"
import { readableOf, readableStreamOf, type Send, type Take, writableOf, writableStreamOf } from "../loop/streams.ts"
import type { RingProducer } from "../producer.ts"
import type { Interruption } from "../wait.ts"
import { isOneValue } from "./msgpack-scan.ts"

/** A slot begins with how many bytes of MessagePack follow. */
const LENGTH_BYTES = 4

/** Plain MessagePack, every value by itself: no state that a lost message or a hostile peer could spoil. */
const FORMAT = { useRecords: false, sequential: false, structuredClone: false, moreTypes: false } as const

/** A value that was popped; it may be a string or undefined itself. */
export interface Boxed {
  readonly value: unknown
}

export class PackedProducer {
  readonly ring: RingProducer
  readonly #packr = new Packr(FORMAT)

  constructor(ring: RingProducer) {
    this.ring = ring
  }

  /**
   * Sends a value: null, booleans, numbers, bigints of 64 bits, strings, Uint8Arrays, Dates, arrays and
   * plain objects of those.
   * May BLOCK.
   * @throws {RingError} InvalidArgument: it cannot be packed. RangeError: it does not fit a slot
   * Cost: about a microsecond for a small object.
   */
  push(value: unknown, timeoutNs?: number): "pushed" | Interruption
  /** The same on the event loop, without blocking it, as `RingProducer.push`. The value is packed at once. */
  push(value: unknown, options: LoopWaitOptions): Promise<"pushed" | Interruption>
  push(
    value: unknown,
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): "pushed" | Interruption | Promise<"pushed" | Interruption> {
    if (typeof limit === "object") return this.ring.pushStaged(() => this.#stage(value), limit)
    this.#stage(value)
    return this.ring.push(undefined, limit)
  }

  /** A Node stream that sends the value in each chunk, a box, since null is no chunk (loop/streams.ts). */
  writable(highWaterMark?: number): Writable {
    return writableOf(this.#send, highWaterMark)
  }

  /** A Web stream of them, as `writable`. */
  writableStream(highWaterMark?: number): WritableStream<Boxed> {
    return writableStreamOf(this.#send, highWaterMark)
  }

  readonly #send: Send<Boxed> = async (box, options) => {
    ensureOptions(box, "value")
    if ("value" in box) return this.push(box.value, options)
    throw new RingError("InvalidArgument", "A chunk has no value: pass a box, as { value: 5 }")
  }

  /** As `push`; false when there is no room. Never blocks. */
  tryPush(value: unknown): boolean {
    this.#stage(value)
    return this.ring.tryPush()
  }

  #stage(value: unknown): void {
    const packed = pack(this.#packr, value)
    const { staging } = this.ring
    const room = staging.length - LENGTH_BYTES
    if (packed.length > room) {
      throw new RingError(
        "RangeError",
        `The value packs to ${packed.length} bytes, a slot of this ring holds ${room}; send less or use larger slots`,
      )
    }
    staging.set(packed, LENGTH_BYTES)
    // What an earlier message left behind is not this one's to send.
    staging.fill(0, LENGTH_BYTES + packed.length)
    // Asked for anew: of a ring that was closed since, the old one is another end's by now.
    new DataView(staging.buffer, staging.byteOffset).setUint32(0, packed.length, true)
  }
}

export class PackedConsumer {
  readonly ring: RingConsumer
  readonly #unpackr = new Unpackr(FORMAT)
  readonly #length: Uint32Array

  constructor(ring: RingConsumer) {
    this.ring = ring
    this.#length = new Uint32Array(ring.staging.buffer, ring.staging.byteOffset, 1)
  }

  /**
   * Takes the oldest value. May BLOCK.
   * @returns it in a box, since a value may be a string or undefined as well; or why there is none
   * @throws {PeerMisbehaviorError} it is no MessagePack; the message is taken all the same
   */
  pop(timeoutNs?: number): Boxed | Interruption
  /** The same on the event loop, without blocking it, as `RingConsumer.pop`. */
  pop(options: LoopWaitOptions): Promise<Boxed | Interruption>
  pop(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): Boxed | Interruption | Promise<Boxed | Interruption> {
    if (typeof limit === "object") return this.ring.popAs(() => this.#unpacked(), limit)
    const outcome = this.ring.pop(limit)
    return typeof outcome === "string" ? outcome : this.#unpacked()
  }

  /** All values from now on, each in a box. Ends as RingConsumer's messages do. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Boxed> {
    return new Messages(
      () => this.pop({}),
      () => this.ring.cancel(),
    )
  }

  /** A Node stream of all values from now on, each in a box (loop/streams.ts). What is no MessagePack destroys it. */
  readable(highWaterMark?: number): Readable {
    return readableOf(this.#take, highWaterMark)
  }

  /** A Web stream of them, as `readable`. */
  readableStream(highWaterMark?: number): ReadableStream<Boxed> {
    return readableStreamOf(this.#take, highWaterMark)
  }

  readonly #take: Take<Boxed> = options => this.pop(options)

  /** As `pop`; undefined when there is none. Never blocks. */
  tryPop(): Boxed | undefined {
    return this.ring.tryPop() === undefined ? undefined : this.#unpacked()
  }

  #unpacked(): Boxed {
    const { staging } = this.ring
    const length = this.#length[0] as number
    const room = staging.length - LENGTH_BYTES
    if (length > room) throw new PeerMisbehaviorError("producer", "the length of a value", length, `at most ${room}`)
    // A copy of its own: what is unpacked, byte arrays included, must not change with the next pop.
    const packed = Uint8Array.from(staging.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
    if (!isOneValue(packed)) throw notMessagePack(length)
    try {
      return { value: this.#unpackr.unpack(packed) }
    } catch (cause) {
      throw Object.assign(notMessagePack(length), { cause })
    }
  }
}

function notMessagePack(length: number): PeerMisbehaviorError {
  return new PeerMisbehaviorError("producer", "a value, its bytes being", length, "one value of plain MessagePack")
}

function pack(packr: Packr, value: unknown): Uint8Array {
  // Or it would arrive as undefined.
  if (typeof value === "function")
    throw new RingError("InvalidArgument", "The value cannot be packed: it is a function")
  try {
    return packr.pack(value)
  } catch (cause) {
    throw new RingError("InvalidArgument", `The value cannot be packed: ${(cause as Error).message}`, { cause })
  }
}
