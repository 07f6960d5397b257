// ring-end.ts: what both ends of a ring are made of: private state for the hot code, staging, sleeping, and outcomes.

import { native } from "../../native/index.ts"
import { closedState } from "./closed-state.ts"
import { PageFault, type PeerMisbehaviorError, RingError } from "./errors.ts"
import {
  ASLEEP_IN_LOOP,
  END_AHEAD,
  END_AHEAD_BYTES,
  END_BYTES,
  END_CAPACITY,
  END_FORM,
  END_INDEX,
  END_INDEX_WORD,
  END_PEER_CLOSED_WORD,
  END_PEER_INDEX,
  END_PEER_INDEX_WORD,
  END_PEER_SLEEP_WORD,
  END_PROGRESS_WORD,
  END_REFUSED,
  END_RELEASE_AFTER,
  END_RELEASED,
  END_SLOT_BYTES,
  END_SLOTS,
  END_STAGING,
  END_STATUS_WORD,
  END_STRIDE,
  END_WAKE_WORD,
  END_WOKEN,
  FORM_INDEX,
  FORM_SLOT,
  LINE_BYTES,
  RESULT_BAD_RECORD,
  RESULT_CLOSED,
  RESULT_DONE_WAKE,
  RESULT_MISBEHAVED,
  RING_CONSUMER_CLOSED,
  RING_CONSUMER_SLEEP,
  RING_PRODUCER_CLOSED,
  RING_PRODUCER_SLEEP,
  RING_READ_INDEX,
  RING_READ_PROGRESS,
  RING_SLOTS,
  RING_WRITE_INDEX,
  SLOT_HEAD_BYTES,
  STATUS_LIVE,
} from "./layout.ts"
import { type LoopSleeper, LoopWaiting } from "./loop/loop-waiting.ts"
import { strideOf } from "./ring-header.ts"
import type { RingPlace } from "./ring-place.ts"
import { NEVER_WOKEN, SleepNumber } from "./sleep-number.ts"
import {
  checkAligned,
  consumerStart,
  headMisbehaviour,
  producerStart,
  readMisbehaviour,
  sequenceMisbehaviour,
  writeMisbehaviour,
} from "./take-over.ts"
import type { VSpace } from "./vspace.ts"
import {
  awaitedStatus,
  type EndOptions,
  type Interruption,
  interruptionBy,
  interruptionOf,
  RESULT_DEADLINE,
  type Sleeper,
  Waiting,
  wake,
  wakeSleeper,
} from "./wait.ts"

export type Role = "producer" | "consumer"

/** The share of a ring that a consumer reads before it gives the slots back: so their line moves once a share. */
const RELEASE_SHARES = 4
/** What a producer asks ahead for: eight lines come in little more than the time of one. At most such a share of the ring. */
const ASK_AHEAD_BYTES = 512
const ASK_AHEAD_SHARES = 4

export class RingEnd implements Sleeper, LoopSleeper {
  /** Address of the private state, END_ in words.ts. Of a closed end: of one that is empty and stopped. */
  state: number
  /** One slot of private memory. */
  staging: Uint8Array
  readonly waiting: Waiting
  /** Its waits on the event loop. */
  readonly loop: LoopWaiting
  /** Messages that this end's predecessor was handed and did not release. */
  readonly redelivered: number
  sleeps = 0
  wakes = 0
  readonly #bell: number | undefined
  readonly #bells: readonly number[] | undefined
  readonly #onClose: (() => void) | undefined
  readonly #vspace: VSpace
  readonly #role: Role
  readonly #place: RingPlace
  readonly #start: number
  readonly #sleepNumber: SleepNumber
  readonly #indexWord: number
  readonly #closedWord: number
  readonly #peerIndexWord: number
  readonly #peerClosedWord: number
  readonly #status: number
  readonly #staging: number
  readonly #stagingBytes: number
  readonly #sharesStaging: boolean
  #batch = { address: 0, bytes: 0 }
  /** Of a closed end: what it had counted. */
  #countAtClose: number | undefined = undefined

  /**
   * @param sharedStaging private memory of at least slotBytes that several ends share; by default memory of its own
   * @throws {PeerMisbehaviorError} the indices are further apart than the capacity: nobody can go on from there
   * @throws {RingError} IllegalOperation: this process has that end already
   */
  constructor(vspace: VSpace, role: Role, place: RingPlace, options: EndOptions, sharedStaging?: number) {
    const { producerPart, consumerPart, capacity } = place
    const writeIndex = producerPart + RING_WRITE_INDEX
    const readIndex = consumerPart + RING_READ_INDEX
    const producerSleep = producerPart + RING_PRODUCER_SLEEP
    const consumerSleep = consumerPart + RING_CONSUMER_SLEEP
    const produces = role === "producer"
    this.#vspace = vspace
    this.#role = role
    this.#place = place
    this.#indexWord = produces ? writeIndex : readIndex
    this.#peerIndexWord = produces ? readIndex : writeIndex
    const closedWords = [producerPart + RING_PRODUCER_CLOSED, consumerPart + RING_CONSUMER_CLOSED] as const
    this.#closedWord = closedWords[produces ? 0 : 1]
    this.#peerClosedWord = closedWords[produces ? 1 : 0]
    refuseSecond(vspace, role, this.#indexWord)
    this.#sleepNumber = new SleepNumber(vspace, produces ? producerSleep : consumerSleep)
    this.#status = statusWord(vspace, options.status)
    this.waiting = new Waiting(vspace, options.wait)
    this.loop = new LoopWaiting(this, vspace.processors, options.wait?.checkNs)
    this.#bell = options.bell
    this.#bells = options.bell === undefined ? undefined : [options.bell, ...(options.alsoWoken ?? [])]
    this.#onClose = options.onClose

    const start = produces ? producerStart(vspace, place) : consumerStart(vspace, place)
    if (place.form === "record") checkAligned(start)
    this.redelivered = start.redelivered
    this.#start = start.index

    // Records find their room in a batch.
    this.#stagingBytes = place.form === "record" ? 0 : place.slotBytes
    this.#sharesStaging = sharedStaging !== undefined
    this.#staging = sharedStaging ?? vspace.allocatePrivate(this.#stagingBytes, LINE_BYTES)
    this.staging = vspace.u8.subarray(this.#staging, this.#staging + this.#stagingBytes)
    this.state = vspace.allocatePrivate(END_BYTES, LINE_BYTES)
    const headBytes = place.form === "slot" ? SLOT_HEAD_BYTES : 0
    const fields = [
      [END_INDEX, start.index],
      [END_PEER_INDEX, start.peerIndex],
      [END_CAPACITY, capacity],
      [END_SLOT_BYTES, place.slotBytes],
      [END_STRIDE, strideOf(place)],
      [END_SLOTS, producerPart + RING_SLOTS + headBytes],
      [END_INDEX_WORD, this.#indexWord],
      [END_PEER_INDEX_WORD, this.#peerIndexWord],
      [END_PEER_SLEEP_WORD, produces ? consumerSleep : producerSleep],
      [END_PEER_CLOSED_WORD, this.#peerClosedWord],
      [END_STATUS_WORD, this.#status],
      [END_PROGRESS_WORD, consumerPart + RING_READ_PROGRESS],
      [END_WAKE_WORD, this.#indexWord],
      [END_STAGING, this.#staging],
      [END_FORM, place.form === "slot" ? FORM_SLOT : FORM_INDEX],
      [END_RELEASED, start.released],
      [END_RELEASE_AFTER, Math.ceil(capacity / RELEASE_SHARES)],
      ...(produces ? askedAhead(place) : []),
    ] as const
    for (const [offset, value] of fields) vspace.u32[(this.state + offset) / 4] = value
    vspace.storeWord(this.#closedWord, 0)
    vspace.ownedWords.add(this.#indexWord)
  }

  get closed(): boolean {
    return this.#countAtClose !== undefined
  }

  /** What this end has committed or released since it attached. */
  get count(): number {
    return this.#countAtClose ?? Number(this.#vspace.u64[(this.state + END_INDEX) / 8]) - this.#start
  }

  bells(): readonly number[] | undefined {
    return this.#bells
  }

  announce(): void {
    this.loop.ensureFree()
    this.sleeps++
    this.#sleepNumber.announce()
  }

  announceInLoop(): void {
    this.sleeps++
    this.#sleepNumber.announce(ASLEEP_IN_LOOP)
  }

  retract(): void {
    this.#sleepNumber.retract()
  }

  sleepWords(words: Uint32Array, at: number): number {
    const sequenced = this.#place.form === "slot" && this.#role === "consumer"
    words[at] = sequenced ? this.slotAt(0) - SLOT_HEAD_BYTES : this.#peerIndexWord
    words[at + 1] = this.field(END_PEER_INDEX)
    words[at + 2] = this.#status
    words[at + 3] = this.#role === "consumer" ? awaitedStatus(this.#vspace, this.#status) : STATUS_LIVE
    words[at + 4] = this.#peerClosedWord
    words[at + 5] = 0
    return at + 6
  }

  wakePeer(): void {
    this.wakes++
    const woken = wakeSleeper(this.field(END_WOKEN), this.field(END_WAKE_WORD), this.#bell)
    if (!woken) this.#vspace.u32[(this.state + END_WOKEN) / 4] = NEVER_WOKEN
  }

  /** Why this end can do no more; undefined while its status is live and both ends are open. */
  interruption(): Interruption | undefined {
    if (this.closed) return "closed"
    const interruption = interruptionOf(this.#vspace.loadWord(this.#status))
    return interruption ?? (this.#vspace.loadWord(this.#peerClosedWord) === 0 ? undefined : "closed")
  }

  /** Why a wait ended with `result`, which is no success. A new peer may have made it live again. */
  outcome(result: number): Interruption {
    if (result === RESULT_DEADLINE) return "deadline"
    return result === RESULT_CLOSED ? "closed" : (this.interruption() ?? "peer-gone")
  }

  interruptionBy(error: unknown): Interruption {
    return interruptionBy(error, this.#vspace, this.#status)
  }

  /** What the hot code refused the peer's word for. */
  misbehaviour(result = RESULT_MISBEHAVED): PeerMisbehaviorError {
    const { capacity, form, slotBytes } = this.#place
    const [refused, index] = [this.field(END_REFUSED), this.field(END_INDEX)]
    if (result === RESULT_BAD_RECORD) return headMisbehaviour(refused, slotBytes)
    if (this.#role === "producer") return readMisbehaviour(refused, index, capacity)
    return form === "slot" ? sequenceMisbehaviour(refused) : writeMisbehaviour(refused, index, capacity)
  }

  /** Address of the slot that is `ahead` of this end's index. */
  slotAt(ahead: number): number {
    const slot = (this.field(END_INDEX) + ahead) & (this.#place.capacity - 1)
    return this.field(END_SLOTS) + slot * this.field(END_STRIDE)
  }

  /** Address of private memory for so many bytes, until the next call. */
  batch(bytes: number): number {
    if (bytes > this.#batch.bytes) {
      const address = this.#vspace.allocatePrivate(bytes, LINE_BYTES)
      this.#freeBatch()
      this.#batch = { address, bytes }
    }
    return this.#batch.address
  }

  /** Tells the peer, and gives back what is private. Done once; later calls do nothing. */
  close(): void {
    if (this.closed) return
    this.#countAtClose = this.count
    this.loop.close("closed" satisfies Interruption)
    this.#tellClosed()
    this.#vspace.ownedWords.delete(this.#indexWord)
    this.#freeBatch()
    if (!this.#sharesStaging) this.#vspace.freePrivate(this.#staging, this.#stagingBytes)
    this.#vspace.freePrivate(this.state, END_BYTES)
    this.state = closedState(this.#vspace)
    // Whoever still holds the old array must not be handed another end's through this one.
    this.staging = new Uint8Array(this.#stagingBytes)
    this.#onClose?.()
  }

  setField(offset: number, value: number): void {
    this.#vspace.u32[(this.state + offset) / 4] = value
  }

  field(offset: number): number {
    return this.#vspace.u32[(this.state + offset) / 4] as number
  }

  #tellClosed(): void {
    try {
      if (this.#role === "consumer" && this.#vspace.hot.giveBack(this.state) === RESULT_DONE_WAKE) this.wakePeer()
      // ORDER ring-closed: comes after all that was committed or given back.
      this.#vspace.storeWord(this.#closedWord, 1)
      wake(this.#closedWord)
      if (this.#bell !== undefined) native.ringPeersBell(this.#bell)
    } catch (error) {
      // Where the pages are gone, the kernel has told the peer.
      const fault = this.#vspace.faultOf(error)
      if (!(fault instanceof PageFault)) throw fault
    }
  }

  #freeBatch(): void {
    const { address, bytes } = this.#batch
    if (bytes > 0) this.#vspace.freePrivate(address, bytes)
    this.#batch = { address: 0, bytes: 0 }
  }
}

/**
 * How far a producer asks ahead, in the fields for it: not in slots with sequence words, whose lines the consumer watches, nor
 * in records, which may be of any length.
 */
function askedAhead(place: RingPlace): readonly (readonly [field: number, value: number])[] {
  if (place.form !== "index") return []
  const stride = strideOf(place)
  const slots = Math.min(Math.max(1, ASK_AHEAD_BYTES / stride), place.capacity / ASK_AHEAD_SHARES)
  if (slots < 1) return []
  const group = 2 ** Math.floor(Math.log2(slots))
  return [
    [END_AHEAD, group],
    [END_AHEAD_BYTES, Math.min(ASK_AHEAD_BYTES, group * stride)],
  ]
}

/** The status word's address, or that of a private one that stays live. */
export function statusWord(vspace: VSpace, status = 0): number {
  if (status === 0) return vspace.alwaysLive
  vspace.checkRange("the status word", status, 4, 4)
  return status
}

function refuseSecond(vspace: VSpace, role: Role, indexWord: number): void {
  if (!vspace.ownedWords.has(indexWord)) return
  throw new RingError(
    "IllegalOperation",
    `This process is the ring's ${role} already, with an index word at ${indexWord}; close() that end first`,
  )
}

/** @throws {RingError} IllegalOperation: there is nothing to commit or release, or not as much */
export function refuseUnclaimed(operation: string, first: string, count: number, held: number): never {
  throw new RingError(
    "IllegalOperation",
    held === 0
      ? `${operation}() without a slot: call ${first}() first, once for each ${operation}()`
      : `${operation}(${count}) of ${held} slots: count must be an integer, 1 to ${held}`,
  )
}

/** @throws {RingError} RangeError: no ring of that capacity ever has so many slots at once */
export function checkBatch(count: number, capacity: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= capacity) return
  throw new RingError(
    "RangeError",
    `The batch is ${count} slots: it must be an integer, 1 to the ring's ${capacity}; split it or use a larger ring`,
  )
}
