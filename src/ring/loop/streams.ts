// streams.ts: an end as a Node stream and as a Web stream. One chunk is one message; back-pressure is the channel's.

import type { Readable, Writable } from "node:stream"
import { ensureBytes, RingError } from "../errors.ts"
import type { Interruption } from "../wait.ts"
import type { LoopWaitOptions } from "./loop-waiting.ts"

/** Why nothing more comes; the consumer of a broadcast may have been left behind. */
export type Ending = Interruption | "disconnected"

/** What a stream reads with: takes one message, which is the stream's to keep. */
export type Take<T extends object> = (options: LoopWaitOptions) => Promise<T | Ending>

/** What a ring did with a message that it did not refuse: "dropped" where its policy is to drop. */
const TAKEN = ["pushed", "sent", "dropped"] as const

/** What a stream writes with: sends one chunk, which stays as it is until then. "full": the ring's policy is to say so. */
export type Send<T> = (chunk: T, options: LoopWaitOptions) => Promise<(typeof TAKEN)[number] | "full" | Interruption>

/** Loaded when the first stream is made: a millisecond that a process without one need not pay at its start. */
const nodeStreams = () => process.getBuiltinModule("node:stream")

/** Messages that a stream holds beside those in the ring, unless told otherwise. */
const HIGH_WATER_MARK = 16

/**
 * Chunks are copies of messages. Ends after the last message of a producer that is gone or has closed; any other interruption destroys
 * it with a RingError. Destroying it ends the pending wait, and takes nothing more; what it had read ahead goes with it.
 * @param highWaterMark messages that it reads ahead, a whole number from 0: so many, and one more, are taken and not yet read
 * @throws {RingError} InvalidArgument: another highWaterMark
 */
export function readableOf<T extends object>(take: Take<T>, highWaterMark = HIGH_WATER_MARK): Readable {
  const aborter = new AbortController()
  return new (nodeStreams().Readable)({
    objectMode: true,
    highWaterMark: checkMark(highWaterMark),
    read() {
      take({ signal: aborter.signal }).then(
        message => {
          if (typeof message !== "string") this.push(message)
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
 * A chunk is written when the channel has taken it: until then it must stay as it is.
 * An interruption fails the write, and with it the stream, with a RingError. Destroying it gives up what was not taken. Its end
 * closes nothing: `close()` the end when it has finished.
 * @param highWaterMark chunks from which on `write` says that the channel is behind, a whole number from 0
 * @throws {RingError} InvalidArgument: another highWaterMark
 */
export function writableOf<T>(send: Send<T>, highWaterMark = HIGH_WATER_MARK): Writable {
  const aborter = new AbortController()
  return new (nodeStreams().Writable)({
    objectMode: true,
    highWaterMark: checkMark(highWaterMark),
    write(chunk: T, _encoding, done) {
      write(send, chunk, aborter.signal).then(() => done(), done)
    },
    destroy(error, done) {
      aborter.abort()
      done(error)
    },
  })
}

/** As `readableOf`. Cancelling it ends the pending wait. */
export function readableStreamOf<T extends object>(take: Take<T>, highWaterMark = HIGH_WATER_MARK): ReadableStream<T> {
  const aborter = new AbortController()
  return new ReadableStream<T>(
    {
      async pull(controller) {
        try {
          const message = await take({ signal: aborter.signal })
          if (typeof message !== "string") controller.enqueue(message)
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
    { highWaterMark: checkMark(highWaterMark) },
  )
}

/** As `writableOf`. */
export function writableStreamOf<T>(send: Send<T>, highWaterMark = HIGH_WATER_MARK): WritableStream<T> {
  return new WritableStream<T>(
    {
      write(chunk, controller) {
        return write(send, chunk, controller.signal)
      },
    },
    { highWaterMark: checkMark(highWaterMark) },
  )
}

/** The array that a ring's pop returns is overwritten by the next, and a stream keeps several. */
function copiesOf(pop: Take<Uint8Array>): Take<Uint8Array> {
  return options => pop(options).then(message => (typeof message === "string" ? message : new Uint8Array(message)))
}

/** An end that gives one message after the other, and overwrites each. */
interface Pops {
  pop(options: LoopWaitOptions): Promise<Uint8Array | Ending>
}

/** An end that sends bytes. */
interface Pushes {
  push(message: Uint8Array, options: LoopWaitOptions): ReturnType<Send<Uint8Array>>
}

/** `readableOf` an end's messages, a copy of each. */
export function messagesOf(end: Pops, highWaterMark?: number): Readable {
  return readableOf(
    copiesOf(options => end.pop(options)),
    highWaterMark,
  )
}

/** As `messagesOf`. */
export function messageStreamOf(end: Pops, highWaterMark?: number): ReadableStream<Uint8Array> {
  return readableStreamOf(
    copiesOf(options => end.pop(options)),
    highWaterMark,
  )
}

/** `writableOf` an end that sends bytes. */
export function writableTo(end: Pushes, highWaterMark?: number): Writable {
  return writableOf(
    ofBytes((chunk, options) => end.push(chunk, options)),
    highWaterMark,
  )
}

/** As `writableTo`. */
export function writableStreamTo(end: Pushes, highWaterMark?: number): WritableStream<Uint8Array> {
  return writableStreamOf(
    ofBytes((chunk, options) => end.push(chunk, options)),
    highWaterMark,
  )
}

/** For chunks that are messages as they are: a Uint8Array of at most what a message holds, and nothing that looks like one. */
export function ofBytes(send: Send<Uint8Array>): Send<Uint8Array> {
  return async (chunk, options) => {
    ensureBytes("chunk", chunk)
    return send(chunk, options)
  }
}

async function write<T>(send: Send<T>, chunk: T, signal: AbortSignal): Promise<void> {
  const outcome = await send(chunk, { signal })
  if ((TAKEN as readonly string[]).includes(outcome)) return
  if (outcome !== "full") throw interrupted(outcome as Interruption)
  throw new RingError("Interrupted", 'The ring is full, and its policy is "fail": a stream that waits wants "block"')
}

/** The producer has gone, or has closed its end: what it had committed has come. */
function isEnd(interruption: Ending): boolean {
  return interruption === "peer-gone" || interruption === "closed"
}

function interrupted(interruption: Ending): RingError {
  if (interruption === "disconnected")
    return new RingError("Interrupted", "The producer has left this consumer behind: attach to the broadcast once more")
  return new RingError("Interrupted", `The ring is at its end: ${interruption}; attach to a new one`)
}

function checkMark(highWaterMark: number): number {
  if (Number.isSafeInteger(highWaterMark) && highWaterMark >= 0) return highWaterMark
  throw new RingError(
    "InvalidArgument",
    `highWaterMark is ${String(highWaterMark)}, which must be a whole number of messages, 0 or more`,
  )
}
