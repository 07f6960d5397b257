// ping-pong.ts: one message there and one back, through two rings, as both ends of a latency trial play it.

import {
  type FrameMapping,
  type RingConsumer,
  type RingProducer,
  SharedRing,
  tsc,
  type VSpace,
  type WaitStrategy,
} from "../runtime/index.ts"
import { type LatencyGeometry, MESSAGE_TIMEOUT_NS } from "./latency-steps.ts"

/** Spins without end: for trials that have a processor for each side. */
export const SPIN: WaitStrategy = { park: false }
/** Sleeps at once. */
export const PARK: WaitStrategy = { spinNs: 0, park: true }

/** Message of a trial: its sequence number, the sender's time stamp, then padding up to the slot's size. */
const STAMP_OFFSET = 8

export class PingPong {
  readonly #out: RingProducer
  readonly #in: RingConsumer
  readonly #outSequence: Uint32Array
  readonly #outStamp: Float64Array
  readonly #inSequence: Uint32Array
  readonly #inStamp: Float64Array
  #sequence = 0

  /** The leader sends first; both rings of `geometry` lie in `frame`. */
  constructor(vspace: VSpace, frame: FrameMapping, geometry: LatencyGeometry, leader: boolean, wait: WaitStrategy) {
    const { there, back, ringBytes } = geometry
    const options = { status: frame.status, wait }
    this.#out = SharedRing.producer(vspace, leader ? there : back, ringBytes, options)
    this.#in = SharedRing.consumer(vspace, leader ? back : there, ringBytes, options)
    const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.buffer, bytes.byteOffset, 1)
    // A slot of 8 bytes has no room for a stamp: then it is neither sent nor read.
    const stamps = (bytes: Uint8Array): Float64Array =>
      bytes.length > STAMP_OFFSET
        ? new Float64Array(bytes.buffer, bytes.byteOffset + STAMP_OFFSET, 1)
        : new Float64Array(0)
    this.#outSequence = words(this.#out.staging)
    this.#outStamp = stamps(this.#out.staging)
    this.#inSequence = words(this.#in.staging)
    this.#inStamp = stamps(this.#in.staging)
  }

  /** The leader's half: sends, and waits for the answer. */
  roundTrip(): void {
    this.#send()
    this.#receive()
  }

  /** The same with a stamp in the message; returns the cycles from before the push to after the pop. */
  stampedRoundTrip(): number {
    const begun = tsc()
    this.#outStamp[0] = begun
    this.#send()
    this.#receive()
    return tsc() - begun
  }

  /** The follower's half: waits, and answers. */
  answer(): void {
    this.#receive()
    this.#send()
  }

  /** The same; returns the cycles from the sender's stamp to after the pop. */
  stampedAnswer(): number {
    this.#receive()
    const cycles = tsc() - (this.#inStamp[0] ?? 0)
    this.#send()
    return cycles
  }

  #send(): void {
    this.#outSequence[0] = ++this.#sequence
    const outcome = this.#out.push(undefined, MESSAGE_TIMEOUT_NS)
    if (outcome !== "pushed") throw new Error(`Message ${this.#sequence}: ${outcome} while pushing`)
  }

  #receive(): void {
    const message = this.#in.pop(MESSAGE_TIMEOUT_NS)
    if (typeof message === "string") throw new Error(`Message ${this.#sequence}: ${message} while waiting`)
    const sequence = this.#inSequence[0] ?? 0
    if (sequence !== this.#sequence && sequence !== this.#sequence + 1) {
      throw new Error(`Message ${this.#sequence}: got number ${sequence}`)
    }
  }
}
