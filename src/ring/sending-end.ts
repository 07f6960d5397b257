// sending-end.ts: what the producers of slots and of records offer alike.

import type { Writable } from "node:stream"
import { AttachedEnd } from "./attached-end.ts"
import { ensureBytes, RingError } from "./errors.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { writableStreamTo, writableTo } from "./loop/streams.ts"
import type { Interruption } from "./wait.ts"

/** What a producer has done since it attached. */
export interface ProducerStats {
  /** Messages. */
  readonly pushed: number
  /** Operations that found too little room; a wait counts once. */
  readonly full: number
  readonly sleeps: number
  /** Wake-ups of the consumer: a system call each. */
  readonly wakes: number
}

export abstract class SendingEnd extends AttachedEnd {
  abstract push(message: Uint8Array, options: LoopWaitOptions): Promise<"pushed" | Interruption>

  /** A Node stream that sends each chunk as a message (loop/streams.ts). */
  writable(highWaterMark?: number): Writable {
    return writableTo(this, highWaterMark)
  }

  /** A Web stream that sends each chunk as a message (loop/streams.ts). */
  writableStream(highWaterMark?: number): WritableStream<Uint8Array> {
    return writableStreamTo(this, highWaterMark)
  }

  /** Counts since this end attached; they stay after `close`. */
  stats(): ProducerStats {
    const { sleeps, wakes } = this.end
    return { pushed: this.pushed, full: this.misses, sleeps, wakes }
  }

  /** Messages sent since it attached. */
  protected abstract readonly pushed: number
}

export const pushed = (): "pushed" => "pushed"

/** @throws {RingError} RangeError: a slot does not hold so much. InvalidArgument: it is no Uint8Array */
export function ensureFits(message: Uint8Array, slotBytes: number): void {
  ensureBytes("message", message)
  const { length } = message
  if (length <= slotBytes) return
  throw new RingError(
    "RangeError",
    `The message has ${length} bytes: a slot holds ${slotBytes}; split it or use larger slots`,
  )
}

/** Puts `message`, and zeros behind it, into the private memory that a push sends. @throws as ensureFits */
export function stage(staging: Uint8Array, message: Uint8Array): void {
  ensureFits(message, staging.length)
  staging.set(message)
  // What an earlier message left behind is not this one's to send.
  if (message.length < staging.length) staging.fill(0, message.length)
}
