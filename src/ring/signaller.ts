// signaller.ts: the signalling side of a notification: one lane, of which this is the only writer.

import { RingError } from "./errors.ts"
import {
  ACK_BYTES,
  ACK_SLEEP,
  ACK_VALUE,
  LANE_BYTES,
  RESULT_DONE_WAKE,
  SIGNALLER_ACK,
  SIGNALLER_BYTES,
  SIGNALLER_LANE,
  SIGNALLER_SLEEP_WORD,
  SIGNALLER_VALUE,
  SIGNALLER_WOKEN,
} from "./layout.ts"
import { NEVER_WOKEN } from "./sleep-number.ts"
import type { VSpace } from "./vspace.ts"
import { type EndOptions, wakeSleeper } from "./wait.ts"

const MAX_BADGE = 2n ** 64n - 1n

/** Addresses of a lane, which its signaller writes, and of its acknowledgement, which the waiter writes. */
export interface LanePlace {
  readonly lane: number
  readonly ack: number
}

/** @throws {RingError} RangeError, AlignmentError: one of the two does not lie in the VSpace */
export function checkLane(vspace: VSpace, { lane, ack }: LanePlace): void {
  vspace.checkRange("the notification's lane", lane, LANE_BYTES, 8)
  vspace.checkRange("the notification's acknowledgement", ack, ACK_BYTES, 8)
}

export class NotificationSignaller {
  readonly #vspace: VSpace
  readonly #state: number
  readonly #lane: number
  readonly #bell: number | undefined
  #isClosed = false

  /**
   * Goes on from the lane's value in memory, so a new holder can take over from one that died.
   * @param place a lane that nobody else holds, writable, and its acknowledgement, readable
   * @param bell address of the waiter's bell, where one hangs: then a waiter that sleeps in its event loop is woken
   * @throws {RingError} RangeError, AlignmentError: it does not lie in the VSpace
   * @throws {PageFault} it is not mapped here
   */
  constructor(vspace: VSpace, place: LanePlace, { bell }: Pick<EndOptions, "bell"> = {}) {
    checkLane(vspace, place)
    this.#bell = bell
    this.#vspace = vspace
    this.#lane = place.lane
    const value = loadLane(vspace, place.lane)
    this.#state = vspace.allocatePrivate(SIGNALLER_BYTES, SIGNALLER_BYTES)
    vspace.u64[(this.#state + SIGNALLER_VALUE) / 8] = value
    vspace.u32[(this.#state + SIGNALLER_LANE) / 4] = place.lane
    vspace.u32[(this.#state + SIGNALLER_ACK) / 4] = place.ack + ACK_VALUE
    vspace.u32[(this.#state + SIGNALLER_SLEEP_WORD) / 4] = place.ack + ACK_SLEEP
  }

  /**
   * ORs `badge` into the pending bits and wakes the waiter if it sleeps. Never blocks. What was written to shared
   * memory before is visible to who gets the bits, also where they merge with bits that are pending already.
   * @param badge 1n to 2^64 - 1
   * @throws {RingError} InvalidArgument: 0n signals nothing; no bigint. RangeError: more than 64 bits
   * @throws {PageFault} the lane is not mapped here any more
   * Cost: about 20 ns; a system call when the waiter sleeps.
   */
  signal(badge: bigint): void {
    if (typeof badge !== "bigint" || badge <= 0n || badge > MAX_BADGE) refuseBadge(badge)
    if (this.#isClosed) throw new RingError("IllegalOperation", "This signaller was closed: attach again")
    let result: number
    try {
      result = this.#vspace.hot.signal(this.#state, badge)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    // The waiter sleeps on both halves of the lane, so either will do, whichever has changed.
    if (result === RESULT_DONE_WAKE) this.#wake()
  }

  /** Gives its private memory back; nothing may be signalled by it afterwards. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#vspace.freePrivate(this.#state, SIGNALLER_BYTES)
  }

  #wake(): void {
    const woken = (this.#state + SIGNALLER_WOKEN) / 4
    const { u32 } = this.#vspace
    if (!wakeSleeper(u32[woken] as number, this.#lane, this.#bell)) u32[woken] = NEVER_WOKEN
  }
}

function loadLane(vspace: VSpace, address: number): bigint {
  try {
    return BigInt.asUintN(64, vspace.hot.loadLane(address))
  } catch (error) {
    throw vspace.faultOf(error)
  }
}

function refuseBadge(badge: unknown): never {
  if (typeof badge !== "bigint") {
    throw new RingError("InvalidArgument", `badge is ${String(badge)}, a ${typeof badge}: a bigint is needed, as 1n`)
  }
  if (badge === 0n)
    throw new RingError("InvalidArgument", "badge is 0, which would signal nothing; name at least one bit")
  throw new RingError("RangeError", `badge is ${badge}, which must be 1 to 2^64 - 1; a notification has 64 bits`)
}
