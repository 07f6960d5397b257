// attachment.ts: what an end takes of its component's slots, and how it is made from that: by the main thread, which takes it, or by a
// worker thread, which is lent what was taken.

import { endBellAddress } from "../../kernel-daemon/abi/bell-map.ts"
import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import { AttachRole } from "../../kernel-daemon/abi/syscalls.ts"
import type { RingParts } from "../../ring/ring-place.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { EndOptions, WaitStrategy } from "../../ring/wait.ts"
import type { BadgeRules } from "./badged-signaller.ts"
import type { Component } from "./component.ts"

export type End = "producer" | "consumer"
/** What a slot is taken as. A frame is only looked up, and a notification's two ends are those of its handle. */
export type Role = keyof typeof AttachRole
export type Wanted = readonly [slot: number, role: Role]

/** What was taken: where it is mapped, and what belongs to it. */
export interface Taken {
  readonly address: number
  readonly bytes: number
  readonly status: number
  readonly bell: number
  /** Of a notification's signaller. */
  readonly rules?: BadgeRules
  /** Gives it up, once. */
  readonly onClose: () => void
}

/** An end before anything is taken for it. */
export interface Attachment<E> {
  readonly wanted: readonly Wanted[]
  /** @param taken as wanted, in this order */
  make(vspace: VSpace, taken: readonly Taken[]): E
}

/**
 * Takes what the end wants, and makes it.
 * @throws {KernelError} FailedLookup, IllegalOperation: one of it cannot be had. As `make`. Nothing is taken then
 */
export function attach<E>(component: Component, { wanted, make }: Attachment<E>): E {
  return takeAll(component, wanted, taken => make(component.vspace, taken))
}

/** Takes all of it for `use`, and gives it up when that throws. @throws as attach */
export function takeAll<T>(component: Component, wanted: readonly Wanted[], use: (taken: readonly Taken[]) => T): T {
  const taken: Taken[] = []
  try {
    for (const [slot, role] of wanted) taken.push(take(component, slot, role))
    return use(taken)
  } catch (error) {
    for (const { onClose } of taken) onClose()
    throw error
  }
}

function take(component: Component, slot: number, role: Role): Taken {
  if (role === "frame") return { ...component.frame(slot), bell: 0, onClose: () => {} }
  if (role === "signaller" || role === "waiter") return component.notification(slot).lend(role)
  const number = AttachRole[role]
  const { address, bytes, status } = component.call("object_attach", { slot, role: number })
  let isHeld = true
  const onClose = (): void => {
    if (isHeld) giveUp(component, slot, number)
    isHeld = false
  }
  return { address, bytes, status, bell: endBellAddress(address, number), onClose }
}

/** Where the capability or the mapping has gone, the end has gone with it. */
function giveUp(component: Component, slot: number, role: number): void {
  try {
    component.call("object_detach", { slot, role })
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
  }
}

/**
 * An end of a ring whose producer's frame is in `slot` and whose consumer's is in the next. It is told through the status of the
 * producer's frame, which both have mapped: so to end a channel, delete that one. The pages, which `mapInto` mapped through the
 * parent's capability, go with it; of the consumer's frame alone that is a PageFault.
 */
export function ringEnd<E>(
  slot: number,
  end: End,
  wait: WaitStrategy | undefined,
  make: (vspace: VSpace, parts: RingParts, options: EndOptions) => E,
): Attachment<E> {
  return {
    wanted: [
      [slot, end],
      [slot + 1, "frame"],
    ],
    make: (vspace, taken) => {
      const [producerPart, consumerPart] = taken as readonly [Taken, Taken]
      return make(vspace, { producerPart, consumerPart }, optionsOf(producerPart, wait))
    },
  }
}

export function optionsOf({ status, bell, onClose }: Taken, wait: WaitStrategy | undefined): EndOptions {
  return { status, bell, onClose, ...(wait === undefined ? {} : { wait }) }
}
