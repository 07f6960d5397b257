// ring-end.ts: what both ends of a ring are made of: private state for the hot code, staging, sleeping, and outcomes.

import { PeerMisbehaviorError, RingError } from "./errors.ts"
import {
  END_BYTES,
  END_CAPACITY,
  END_INDEX,
  END_INDEX_WORD,
  END_PEER_INDEX,
  END_PEER_INDEX_WORD,
  END_PEER_SLEEP_WORD,
  END_REFUSED,
  END_SLOT_BYTES,
  END_SLOTS,
  END_STAGING,
  END_STATUS_WORD,
  END_STRIDE,
  LINE_BYTES,
  RING_CONSUMER_SLEEP,
  RING_PRODUCER_SLEEP,
  RING_READ_INDEX,
  RING_SLOTS,
  RING_WRITE_INDEX,
  STATUS_LIVE,
} from "./layout.ts"
import type { Geometry } from "./ring-header.ts"
import { SleepNumber } from "./sleep-number.ts"
import type { VSpace } from "./vspace.ts"
import {
  type EndOptions,
  type Interruption,
  interruptionBy,
  interruptionOf,
  RESULT_DEADLINE,
  type Sleeper,
  Waiting,
  wake,
} from "./wait.ts"

export type Role = "producer" | "consumer"

/** A validated ring: where its two parts are. They need not lie in one frame. */
export interface RingPlace extends Geometry {
  readonly producerPart: number
  readonly consumerPart: number
}

export class RingEnd implements Sleeper {
  /** Address of the private state, END_ in words.ts. */
  readonly state: number
  /** One slot of private memory. */
  readonly staging: Uint8Array
  readonly waiting: Waiting
  readonly #vspace: VSpace
  readonly #role: Role
  readonly #capacity: number
  readonly #sleepNumber: SleepNumber
  readonly #indexWord: number
  readonly #peerIndexWord: number
  readonly #status: number

  /** @throws {PeerMisbehaviorError} the indices are further apart than the capacity: nobody can go on from there */
  constructor(vspace: VSpace, role: Role, place: RingPlace, options: EndOptions) {
    const writeIndex = place.producerPart + RING_WRITE_INDEX
    const readIndex = place.consumerPart + RING_READ_INDEX
    const producerSleep = place.producerPart + RING_PRODUCER_SLEEP
    const consumerSleep = place.consumerPart + RING_CONSUMER_SLEEP
    const produces = role === "producer"
    this.#vspace = vspace
    this.#role = role
    this.#capacity = place.capacity
    this.#indexWord = produces ? writeIndex : readIndex
    this.#peerIndexWord = produces ? readIndex : writeIndex
    this.#sleepNumber = new SleepNumber(vspace, produces ? producerSleep : consumerSleep)
    this.#status = statusWord(vspace, options.status)
    this.waiting = new Waiting(vspace, options.wait)

    const index = vspace.loadWord(this.#indexWord)
    const peerIndex = vspace.loadWord(this.#peerIndexWord)
    const ahead = (produces ? index - peerIndex : peerIndex - index) >>> 0
    if (ahead > place.capacity) throw this.#misbehaviour(peerIndex, index)

    const staging = vspace.allocatePrivate(place.slotBytes, LINE_BYTES)
    this.staging = vspace.u8.subarray(staging, staging + place.slotBytes)
    this.state = vspace.allocatePrivate(END_BYTES, LINE_BYTES)
    const fields = [
      [END_INDEX, index],
      [END_PEER_INDEX, peerIndex],
      [END_CAPACITY, place.capacity],
      [END_SLOT_BYTES, place.slotBytes],
      [END_STRIDE, place.slotBytes],
      [END_SLOTS, place.producerPart + RING_SLOTS],
      [END_INDEX_WORD, this.#indexWord],
      [END_PEER_INDEX_WORD, this.#peerIndexWord],
      [END_PEER_SLEEP_WORD, produces ? consumerSleep : producerSleep],
      [END_STATUS_WORD, this.#status],
      [END_STAGING, staging],
    ] as const
    for (const [offset, value] of fields) vspace.u32[(this.state + offset) / 4] = value
  }

  announce(): void {
    this.#sleepNumber.announce()
  }

  retract(): void {
    this.#sleepNumber.retract()
  }

  sleepWords(words: Uint32Array, at: number): number {
    words[at] = this.#peerIndexWord
    words[at + 1] = this.#field(END_PEER_INDEX)
    words[at + 2] = this.#status
    words[at + 3] = STATUS_LIVE
    return at + 4
  }

  wakePeer(): void {
    wake(this.#indexWord)
  }

  /** Why this end can do no more; undefined while its status is live. */
  interruption(): Interruption | undefined {
    return interruptionOf(this.#vspace.loadWord(this.#status))
  }

  /** Why a wait ended with `result`, which is RESULT_DEADLINE or RESULT_STOPPED. A new peer may have made it live again. */
  outcome(result: number): Interruption {
    return result === RESULT_DEADLINE ? "deadline" : (this.interruption() ?? "peer-gone")
  }

  interruptionBy(error: unknown): Interruption {
    return interruptionBy(error, this.#vspace, this.#status)
  }

  /** What the hot code refused the peer's index for. */
  misbehaviour(): PeerMisbehaviorError {
    return this.#misbehaviour(this.#field(END_REFUSED), this.#field(END_INDEX))
  }

  #misbehaviour(peerIndex: number, index: number): PeerMisbehaviorError {
    return this.#role === "producer"
      ? new PeerMisbehaviorError(
          "consumer",
          "readIndex",
          peerIndex,
          `at most writeIndex, ${index}, at least ${this.#capacity} less, and never move back`,
        )
      : new PeerMisbehaviorError(
          "producer",
          "writeIndex",
          peerIndex,
          `at least readIndex, ${index}, and at most ${this.#capacity} more`,
        )
  }

  #field(offset: number): number {
    return this.#vspace.u32[(this.state + offset) / 4] as number
  }
}

/** The status word's address, or that of a private one that stays live. */
export function statusWord(vspace: VSpace, status = 0): number {
  if (status === 0) return vspace.alwaysLive
  vspace.checkRange("the status word", status, 4, 4)
  return status
}

/** @throws {RingError} IllegalOperation: there is nothing to commit or release */
export function refuseUnclaimed(operation: "commit" | "release"): never {
  const first = operation === "commit" ? "claim" : "peek"
  throw new RingError(
    "IllegalOperation",
    `${operation}() without a slot: call ${first}() first, once for each ${operation}()`,
  )
}
