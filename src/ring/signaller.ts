// signaller.ts: the signalling side of a notification: one lane, of which this is the only writer.

import { RingError } from "./errors.ts"
import {
  LANE_BYTES,
  MAX_LANES,
  NOTIFICATION_ACKS,
  NOTIFICATION_BYTES,
  NOTIFICATION_LANES,
  NOTIFICATION_SLEEP,
  RESULT_DONE_WAKE,
  SIGNALLER_ACK,
  SIGNALLER_BYTES,
  SIGNALLER_LANE,
  SIGNALLER_SLEEP_WORD,
  SIGNALLER_VALUE,
} from "./layout.ts"
import type { VSpace } from "./vspace.ts"
import { wake } from "./wait.ts"

const MAX_BADGE = 2n ** 64n - 1n

export class NotificationSignaller {
  readonly #vspace: VSpace
  readonly #state: number
  readonly #lane: number

  /**
   * Goes on from the lane's value in memory, so a new holder can take over from one that died.
   * @param page address of the notification's page, writable
   * @param lane 0 to 15, held by nobody else
   * @throws {RingError} RangeError, AlignmentError: no such lane, or the page is not in the VSpace
   * @throws {PageFault} the page is not mapped here
   */
  constructor(vspace: VSpace, page: number, lane: number) {
    if (!Number.isInteger(lane) || lane < 0 || lane >= MAX_LANES) {
      throw new RingError(
        "RangeError",
        `lane is ${lane}, which must be 0 to ${MAX_LANES - 1}; pass the one that the kernel assigned`,
      )
    }
    vspace.checkRange("the notification", page, NOTIFICATION_BYTES, 8)
    this.#vspace = vspace
    this.#lane = page + NOTIFICATION_LANES + lane * LANE_BYTES
    const value = loadLane(vspace, this.#lane)
    this.#state = vspace.allocatePrivate(SIGNALLER_BYTES, SIGNALLER_BYTES)
    vspace.u64[(this.#state + SIGNALLER_VALUE) / 8] = value
    vspace.u32[(this.#state + SIGNALLER_LANE) / 4] = this.#lane
    vspace.u32[(this.#state + SIGNALLER_ACK) / 4] = page + NOTIFICATION_ACKS + lane * 8
    vspace.u32[(this.#state + SIGNALLER_SLEEP_WORD) / 4] = page + NOTIFICATION_SLEEP
  }

  /**
   * ORs `badge` into the pending bits and wakes the waiter if it sleeps. Never blocks. What was written to shared
   * memory before is visible to who gets the bits, also where they merge with bits that are pending already.
   * @param badge 1n to 2^64 - 1
   * @throws {RingError} InvalidArgument: 0n signals nothing. RangeError: more than 64 bits
   * @throws {PageFault} the page is not mapped here any more
   * Cost: about 20 ns; a system call when the waiter sleeps.
   */
  signal(badge: bigint): void {
    if (badge <= 0n || badge > MAX_BADGE) refuseBadge(badge)
    let result: number
    try {
      result = this.#vspace.hot.signal(this.#state, badge)
    } catch (error) {
      throw this.#vspace.faultOf(error)
    }
    // The waiter sleeps on both halves of the lane, so either will do, whichever has changed.
    if (result === RESULT_DONE_WAKE) wake(this.#lane)
  }
}

function loadLane(vspace: VSpace, address: number): bigint {
  try {
    return BigInt.asUintN(64, vspace.hot.loadLane(address))
  } catch (error) {
    throw vspace.faultOf(error)
  }
}

function refuseBadge(badge: bigint): never {
  if (badge === 0n)
    throw new RingError("InvalidArgument", "badge is 0, which would signal nothing; name at least one bit")
  throw new RingError("RangeError", `badge is ${badge}, which must be 1 to 2^64 - 1; a notification has 64 bits`)
}
