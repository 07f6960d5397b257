// badged-signaller.ts: the signalling end of a notification capability, in whichever thread: what its badge allows is signalled.

import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import type { Profile } from "../../kernel-daemon/abi/profile.ts"
import type { NotificationSignaller } from "../../ring/notification.ts"
import type { VSpace } from "../../ring/vspace.ts"
import { STATUS_REVOKED } from "../../ring/words.ts"

/** What the kernel said about the capability, and how strict it is. Plain data, which a worker thread can be sent. */
export interface BadgeRules {
  /** Its bits; 0n of one without a badge, which may name any. */
  readonly badge: bigint
  readonly profile: Pick<Profile, "signalNamesAnyBits" | "signalOfNothingIsLost">
}

export class BadgedSignaller {
  readonly #vspace: VSpace
  readonly #end: NotificationSignaller
  readonly #status: number
  readonly #rules: BadgeRules

  /** @param status address of the status word of what it was attached to */
  constructor(vspace: VSpace, end: NotificationSignaller, status: number, rules: BadgeRules) {
    this.#vspace = vspace
    this.#end = end
    this.#status = status
    this.#rules = rules
  }

  /** Its pages are gone then, and something else may be mapped there by now. */
  get isRevoked(): boolean {
    return this.#vspace.loadWord(this.#status) === STATUS_REVOKED
  }

  /** As Notification.signal. FailedLookup: it was revoked; whatever stands in the slot now is to be attached anew. */
  signal(badge?: bigint): void {
    if (this.isRevoked) {
      throw new KernelError("FailedLookup", "The notification's capability was revoked or deleted; attach to another")
    }
    const bits = this.#checked(badge)
    if (bits !== 0n) this.#end.signal(bits)
  }

  /** Nothing can be signalled by it afterwards. */
  close(): void {
    this.#end.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** The bits to signal; 0n for none, where that is allowed. @throws {KernelError} as Notification.signal */
  #checked(badge: bigint | undefined): bigint {
    if (badge !== undefined && typeof badge !== "bigint") {
      throw new KernelError(
        "InvalidArgument",
        `badge is ${String(badge)}, a ${typeof badge}: a bigint is needed, as 1n`,
      )
    }
    const { badge: allowed, profile } = this.#rules
    const bits = badge ?? allowed
    if (bits === 0n && profile.signalOfNothingIsLost) return 0n
    if (bits === 0n) throw new KernelError("InvalidArgument", "Badge 0 would signal nothing; name at least one bit")
    if (!profile.signalNamesAnyBits && allowed !== 0n && (bits & ~allowed) !== 0n) {
      throw new KernelError(
        "IllegalOperation",
        `Badge 0x${bits.toString(16)} has bits outside the capability's badge 0x${allowed.toString(16)}`,
      )
    }
    return bits
  }
}
