// streams.ts: the ends of a ring as Node's streams and as Web streams. One chunk is one message; back-pressure is the ring's.

import { Readable, Writable } from "node:stream"
import { RingError } from "../errors.ts"
import type { Interruption } from "../wait.ts"
import type { LoopWaitOptions } from "./loop-waiting.ts"

/** What a stream reads from. */
export interface MessageSource {
  pop(options: LoopWaitOptions): Promise<Uint8Array | Interruption>
}

/** What a stream writes to. */
export interface MessageSink {
  push(message: Uint8Array, options: LoopWaitOptions): Promise<"pushed" | Interruption>
}

/** Messages that a stream holds beside those in the ring, unless told otherwise. */
const HIGH_WATER_MARK = 16

/**
 * Chunks are copies of messages. Ends after the last message of a producer that is gone or has closed; any other interruption destroys
 * it with a RingError. Destroying it ends the pending wait, and takes nothing more.
 */
export function readableOf(source: MessageSource, highWaterMark = HIGH_WATER_MARK): Readable {
  const aborter = new AbortController()
  return new Readable({
    objectMode: true,
    highWaterMark,
    read() {
      source.pop({ signal: aborter.signal }).then(
        message => {
          if (typeof message !== "string") this.push(copyOf(message))
          else if (isEnd(message)) this.push(null)
          else this.destroy(interrupted(message))
        },
        error => {
          if (!aborter.signal.aborted) this.destroy(error)
        },
      )
    },
    destroy(error, done) {
      aborter.abort()
      done(error)
    },
  })
}

/**
 * A chunk is a Uint8Array of at most slotBytes, written when the ring has taken it. An interruption fails the write, and
 * with it the stream, with a RingError. Destroying it gives up what the ring has not taken.
 */
export function writableOf(sink: MessageSink, highWaterMark = HIGH_WATER_MARK): Writable {
  const aborter = new AbortController()
  return new Writable({
    objectMode: true,
    highWaterMark,
    write(chunk: unknown, _encoding, done) {
      push(sink, chunk, aborter.signal).then(() => done(), done)
    },
    destroy(error, done) {
      aborter.abort()
      done(error)
    },
  })
}

/** As `readableOf`. Cancelling it ends the pending wait. */
export function readableStreamOf(source: MessageSource, highWaterMark = HIGH_WATER_MARK): ReadableStream<Uint8Array> {
  const aborter = new AbortController()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const message = await source.pop({ signal: aborter.signal })
          if (typeof message !== "string") controller.enqueue(copyOf(message))
          else if (isEnd(message)) controller.close()
          else controller.error(interrupted(message))
        } catch (error) {
          if (!aborter.signal.aborted) throw error
        }
      },
      cancel() {
        aborter.abort()
      },
    },
    { highWaterMark },
  )
}

/** As `writableOf`. */
export function writableStreamOf(sink: MessageSink, highWaterMark = HIGH_WATER_MARK): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>(
    {
      write(chunk, controller) {
        return push(sink, chunk, controller.signal)
      },
    },
    { highWaterMark },
  )
}

async function push(sink: MessageSink, chunk: unknown, signal: AbortSignal): Promise<void> {
  if (!(chunk instanceof Uint8Array)) {
    throw new RingError("InvalidArgument", `A chunk is ${typeof chunk}, which must be a Uint8Array: encode it first`)
  }
  const outcome = await sink.push(chunk, { signal })
  if (outcome !== "pushed") throw interrupted(outcome)
}

/** The producer has gone, or has closed its end: what it had committed has come. */
function isEnd(interruption: Interruption): boolean {
  return interruption === "peer-gone" || interruption === "closed"
}

/** The array that a pop returns is overwritten by the next, and a stream keeps several. */
function copyOf(message: Uint8Array): Uint8Array {
  return new Uint8Array(message)
}

function interrupted(interruption: Interruption): RingError {
  return new RingError("Interrupted", `The ring is at its end: ${interruption}; attach to a new one`)
}
