// all-or-none.ts: what is made of several frames is made whole, or none of them is left.

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
