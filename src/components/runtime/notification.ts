// notification.ts: one notification capability as its holder uses it. Attached on first use, in the role that is used.

import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import { NOTIFICATION_LANES } from "../../kernel-daemon/abi/limits.ts"
import { ackAddress, laneAddress } from "../../kernel-daemon/abi/notification-map.ts"
import type { Profile } from "../../kernel-daemon/abi/profile.ts"
import type { Result } from "../../kernel-daemon/abi/syscalls.ts"
import { AttachRole } from "../../kernel-daemon/abi/syscalls.ts"
import { type LanePlace, NotificationSignaller, NotificationWaiter } from "../../ring/notification.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Interruption, WaitStrategy } from "../../ring/wait.ts"
import { STATUS_REVOKED } from "../../ring/words.ts"

type Attach = (role: number) => Result<"object_attach">

export class Notification {
  readonly #vspace: VSpace
  readonly #profile: Profile
  readonly #attach: Attach
  #signaller: { readonly end: NotificationSignaller; readonly badge: bigint; readonly status: number } | undefined
  #waiter: { readonly end: NotificationWaiter; readonly status: number } | undefined
  /** What it waited through was revoked, and nothing that it can wait through has come into the slot since. */
  #isRevoked = false
  #strategy: WaitStrategy | undefined

  constructor(vspace: VSpace, profile: Profile, attach: Attach) {
    this.#vspace = vspace
    this.#profile = profile
    this.#attach = attach
  }

  /** How to wait, from the next attach on; by default spin a little where two processors can be used, then park. */
  set waitStrategy(strategy: WaitStrategy) {
    this.#strategy = strategy
    this.#waiter = undefined
  }

  /** Attaches anew when it is used next: what stands in the slot has changed, or may have. */
  forget(): void {
    this.#signaller = undefined
    this.#waiter = undefined
    this.#isRevoked = false
  }

  /**
   * ORs `badge` into the pending word and wakes the waiter if it sleeps. Never blocks.
   * @param badge 1n to 2^64 - 1, within the capability's badge; without it, all of that badge. In profile kaal any bits,
   * and 0n signals nothing
   * @throws {KernelError} InvalidArgument: badge 0, or no bigint. IllegalOperation: no write right, or bits outside the badge.
   * FailedLookup: the capability was revoked or deleted, and no other stands in the slot
   * Cost: a few nanoseconds; a system call only when somebody sleeps. The first use asks the kernel.
   */
  signal(badge?: bigint): void {
    const { end, badge: allowed } = this.#signalling()
    if (badge !== undefined && typeof badge !== "bigint") {
      throw new KernelError(
        "InvalidArgument",
        `badge is ${String(badge)}, a ${typeof badge}: a bigint is needed, as 1n`,
      )
    }
    const bits = badge ?? allowed
    const { signalNamesAnyBits, signalOfNothingIsLost } = this.#profile
    if (bits === 0n && signalOfNothingIsLost) return
    if (bits === 0n) throw new KernelError("InvalidArgument", "Badge 0 would signal nothing; name at least one bit")
    if (!signalNamesAnyBits && allowed !== 0n && (bits & ~allowed) !== 0n) {
      throw new KernelError(
        "IllegalOperation",
        `Badge 0x${bits.toString(16)} has bits outside the capability's badge 0x${allowed.toString(16)}`,
      )
    }
    end.signal(bits)
  }

  /**
   * Takes all pending bits; blocks while there are none, for at most `timeoutNs`.
   * @returns the bits, never 0n; or why there are none: "deadline", "peer-gone", "revoked"
   * @throws {KernelError} IllegalOperation: no read right, or another component waits on it
   */
  wait(timeoutNs = Number.POSITIVE_INFINITY): bigint | Interruption {
    try {
      return this.#waiting().wait(timeoutNs)
    } catch (error) {
      if (this.#isRevoked && error instanceof KernelError) return "revoked"
      throw error
    }
  }

  /**
   * Takes all pending bits, 0n when there are none. Never blocks.
   * @throws {KernelError} as signal, for the read right
   */
  poll(): bigint {
    return this.#waiting().poll()
  }

  #waiting(): NotificationWaiter {
    if (this.#waiter !== undefined) {
      if (!this.#saysRevoked(this.#waiter)) return this.#waiter.end
      this.#waiter = undefined
      this.#isRevoked = true
    }
    const { address, status } = this.#attach(AttachRole.waiter)
    const lanes = Array.from({ length: NOTIFICATION_LANES }, (_, lane) => placeOf(laneAddress(address, lane)))
    const end = new NotificationWaiter(
      this.#vspace,
      { kernelPart: address, lanes },
      {
        status,
        ...(this.#strategy === undefined ? {} : { wait: this.#strategy }),
      },
    )
    this.#waiter = { end, status }
    this.#isRevoked = false
    return end
  }

  #signalling(): { readonly end: NotificationSignaller; readonly badge: bigint } {
    if (this.#signaller !== undefined && !this.#saysRevoked(this.#signaller)) return this.#signaller
    // Its pages are gone, and something else may be mapped there by now.
    this.#signaller = undefined
    const { address, badge, status } = this.#attach(AttachRole.signaller)
    this.#signaller = { end: new NotificationSignaller(this.#vspace, placeOf(address)), badge, status }
    return this.#signaller
  }

  #saysRevoked({ status }: { readonly status: number }): boolean {
    return this.#vspace.loadWord(status) === STATUS_REVOKED
  }
}

function placeOf(lane: number): LanePlace {
  return { lane, ack: ackAddress(lane) }
}
