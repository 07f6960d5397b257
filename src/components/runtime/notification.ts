// notification.ts: one notification capability as its holder uses it. Attached on first use, in the role that is used.

import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import type { Result } from "../../kernel-daemon/abi/syscalls.ts"
import { AttachRole } from "../../kernel-daemon/abi/syscalls.ts"
import { Messages } from "../../ring/loop/iterate.ts"
import type { LoopWaitOptions } from "../../ring/loop/loop-waiting.ts"
import type { NotificationWaiter } from "../../ring/notification.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Interruption, WaitStrategy } from "../../ring/wait.ts"
import { STATUS_REVOKED } from "../../ring/words.ts"
import type { Taken } from "./attachment.ts"
import type { BadgedSignaller, BadgeRules } from "./badged-signaller.ts"
import type { Component } from "./component.ts"
import { signallerAt, waiterAt } from "./notification-ends.ts"

export class Notification {
  readonly #component: Component
  readonly #slot: number
  readonly #vspace: VSpace
  #signaller: BadgedSignaller | undefined
  #waiter: { readonly end: NotificationWaiter; readonly status: number } | undefined
  /** What it waited through was revoked, and nothing that it can wait through has come into the slot since. */
  #isRevoked = false
  /** The waiter may no longer be to what stands in the slot. */
  #isStale = false
  #keepsAlive = true
  /** The ends that worker threads have. */
  readonly #lent = new Set<"signaller" | "waiter">()
  #strategy: WaitStrategy | undefined

  constructor(component: Component, slot: number) {
    this.#component = component
    this.#slot = slot
    this.#vspace = component.vspace
  }

  /** How to wait, from the next attach on; by default spin a little where two processors can be used, then park. */
  set waitStrategy(strategy: WaitStrategy) {
    this.#strategy = strategy
    this.#isStale = true
  }

  /**
   * Attaches anew when it is used next: what stands in the slot has changed, or may have. A wait that is pending goes on where
   * it began.
   */
  forget(): void {
    this.#dropSignaller()
    this.#isStale = true
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
    this.#signalling().signal(badge)
  }

  /**
   * Takes all pending bits; blocks while there are none, for at most `timeoutNs`.
   * @returns the bits, never 0n; or why there are none: "deadline", "peer-gone", "revoked"
   * @throws {KernelError} IllegalOperation: no read right, or another component waits on it
   */
  wait(timeoutNs?: number): bigint | Interruption
  /**
   * The same on the event loop, without blocking it. One such wait at a time.
   * @throws (rejects) the signal's reason, as `wait`; {RingError} IllegalOperation: another wait is pending
   * Cost: of bits that are there, a promise; otherwise up to `checkNs` of looking, then it sleeps.
   */
  wait(options: LoopWaitOptions): Promise<bigint | Interruption>
  wait(
    limit: number | LoopWaitOptions = Number.POSITIVE_INFINITY,
  ): bigint | Interruption | Promise<bigint | Interruption> {
    if (typeof limit === "object") return this.#waitInLoop(limit)
    try {
      return this.#waiting().wait(limit)
    } catch (error) {
      return this.#revokedBy(error)
    }
  }

  async #waitInLoop(options: LoopWaitOptions): Promise<bigint | Interruption> {
    try {
      return await this.#waiting().wait(options)
    } catch (error) {
      return this.#revokedBy(error)
    }
  }

  #revokedBy(error: unknown): "revoked" {
    if (this.#isRevoked && error instanceof KernelError) return "revoked"
    throw error
  }

  /** All bits from now on, as they come. Ends when no more will; leaving the loop early takes none that were not yielded. */
  [Symbol.asyncIterator](): AsyncIterableIterator<bigint> {
    return new Messages(
      () => this.wait({}),
      () => this.#waiter?.end.cancel(),
    )
  }

  /** A pending wait on the event loop keeps the process alive: after `unref` no longer, after `ref` again. */
  ref(): this {
    return this.#keepAlive(true)
  }

  unref(): this {
    return this.#keepAlive(false)
  }

  /**
   * Ends a pending wait with "closed", and gives back its lane, and its place as the one that waits: another component can
   * then. What is pending stays so. When it is used next it attaches anew.
   */
  close(): void {
    const roles = [
      ...(this.#signaller === undefined ? [] : [AttachRole.signaller]),
      ...(this.#waiter === undefined ? [] : [AttachRole.waiter]),
    ]
    this.#dropSignaller()
    this.#dropWaiter()
    for (const role of roles) this.#giveUp(role)
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }

  /**
   * Takes an end of it for a worker thread; until it is given up this handle does not signal, or does not wait.
   * @throws {KernelError} IllegalOperation: this handle, or another worker, has that end: close() it first. As `signal`, `wait`
   */
  lend(role: "signaller" | "waiter"): Taken {
    this.#ensureNotLent(role)
    if ((role === "waiter" ? this.#waiter : this.#signaller) !== undefined) this.#refuse(role, "this thread")
    const { address, bytes, status, badge } = this.#attach(AttachRole[role])
    this.#lent.add(role)
    const onClose = (): void => {
      if (this.#lent.delete(role)) this.#giveUp(AttachRole[role])
    }
    return { address, bytes, status, bell: address, rules: this.#rules(badge), onClose }
  }

  #ensureNotLent(role: "signaller" | "waiter"): void {
    if (this.#lent.has(role)) this.#refuse(role, "a worker thread")
  }

  #refuse(role: string, who: string): never {
    const text = `${who} is the ${role} of the notification in slot ${this.#slot} already; end or close() that first`
    throw new KernelError("IllegalOperation", text.charAt(0).toUpperCase() + text.slice(1))
  }

  #keepAlive(does: boolean): this {
    this.#keepsAlive = does
    this.#waiter?.end.keepAlive(does)
    return this
  }

  /** Where it stands is asked anew: another mapping may stand at the old address by now. */
  #giveUp(role: number): void {
    try {
      const { address, bytes } = this.#attach(role)
      this.#component.call("memory_unmap", { address, bytes })
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
    }
  }

  #attach(role: number): Result<"object_attach"> {
    return this.#component.call("object_attach", { slot: this.#slot, role })
  }

  #dropSignaller(): void {
    this.#signaller?.close()
    this.#signaller = undefined
  }

  #dropWaiter(): void {
    this.#waiter?.end.close()
    this.#waiter = undefined
    this.#isStale = false
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
      const isRevoked = this.#saysRevoked(this.#waiter)
      // A wait that is pending is told itself.
      if (this.#waiter.end.isPending || !(isRevoked || this.#isStale)) return this.#waiter.end
      this.#isRevoked = isRevoked && !this.#isStale
      this.#dropWaiter()
    }
    this.#ensureNotLent("waiter")
    const { address, status } = this.#attach(AttachRole.waiter)
    const end = waiterAt(this.#vspace, address, status, this.#strategy)
    end.keepAlive(this.#keepsAlive)
    this.#waiter = { end, status }
    this.#isStale = false
    this.#isRevoked = false
    return end
  }

  #signalling(): BadgedSignaller {
    if (this.#signaller !== undefined && !this.#signaller.isRevoked) return this.#signaller
    this.#dropSignaller()
    this.#ensureNotLent("signaller")
    const { badge, ...lane } = this.#attach(AttachRole.signaller)
    this.#signaller = signallerAt(this.#vspace, lane, this.#rules(badge))
    return this.#signaller
  }

  #rules(badge: bigint): BadgeRules {
    return { badge, profile: this.#component.profile }
  }

  #saysRevoked({ status }: { readonly status: number }): boolean {
    return this.#vspace.loadWord(status) === STATUS_REVOKED
  }
}
