// all-or-none.ts: what is made of several frames is made whole, or none of them is left; and it goes as a whole.

import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import { Proof } from "../../kernel-daemon/abi/syscalls.ts"
import type { Component } from "./component.ts"

/** The frames of what is being made, of the innermost last. Making never waits for the event loop. */
const making: number[][] = []

/** Runs `make`. When it throws, the frames that it has allocated by `allocateFrame` are deleted. */
export function allOrNone<T>(component: Component, make: () => T): T {
  const slots: number[] = []
  making.push(slots)
  try {
    const made = make()
    making.at(-2)?.push(...slots)
    return made
  } catch (error) {
    for (const slot of slots) component.call("cap_delete", { cnode: component.ownCNode, slot })
    throw error
  } finally {
    making.pop()
  }
}

/** @returns its slot. @throws {KernelError} NotEnoughMemory */
export function allocateFrame(component: Component, bytes: number): number {
  const { slot } = component.call("memory_allocate", { bytes })
  making.at(-1)?.push(slot)
  return slot
}

/**
 * Takes the frames in those slots from everybody, this component included, in that order.
 * @returns whether it is proved that nobody has any of them mapped
 * @throws {KernelError} FailedLookup: one of the slots is empty
 */
export function takeBack(component: Component, slots: readonly number[]): boolean {
  const cnode = component.ownCNode
  const proofs = slots.flatMap(slot => [
    component.call("cap_revoke", { cnode, slot }).proof,
    // What was mapped into a child rests on the parent's own capability.
    component.call("cap_delete", { cnode, slot }).proof,
  ])
  return proofs.every(proof => proof === Proof.proved)
}

/** @throws {KernelError} IllegalOperation: they were taken back, and something else may stand in their slots by now */
export function ensureKept(isKept: boolean): void {
  if (!isKept) throw new KernelError("IllegalOperation", "This channel was revoked: create another one")
}
