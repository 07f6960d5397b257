// kernel-snapshot.ts: the kernel's tables as text, to compare before and after a call that was refused.

import type { KernelState } from "../../src/kernel-daemon/invocation/state.ts"
import type { Capability } from "../../src/kernel-daemon/objects/capability.ts"
import { isShared, type KernelObject } from "../../src/kernel-daemon/objects/kernel-object.ts"
import { standing } from "./kernel-invariants.ts"

const numbers = new WeakMap<object, number>()
let last = 0

/** The same number for the same thing, for as long as it lives. */
function numberOf(thing: object): number {
  const known = numbers.get(thing)
  if (known !== undefined) return known
  last += 1
  numbers.set(thing, last)
  return last
}

/** One line for each capability, object, mapping and component, in a fixed order. */
export function snapshot(state: KernelState): string[] {
  const lines = new Set<string>()
  const objects = new Set<KernelObject>()
  for (const capability of standing(state)) {
    objects.add(capability.object)
    lines.add(describe(capability))
  }
  for (const component of state.components.values()) {
    objects.add(component).add(component.cspace).add(component.vspace)
    const { id, isDoomed, waits, report, vspace } = component
    lines.add(`component ${id} ${component.state} ${isDoomed} ${waits.length} waits, report ${report?.join()}`)
    for (const mapping of vspace.mappings) {
      const { address, bytes, permissions, object, capability, leaving, lane } = mapping
      const what = `${numberOf(mapping)} of ${numberOf(object)} by ${numberOf(capability)}, lane ${lane}`
      lines.add(`mapping ${id}:${address} ${bytes} ${permissions} ${leaving} ${what}`)
    }
  }
  for (const object of objects) lines.add(account(object))
  return [...lines].sort()
}

function describe(capability: Capability): string {
  const { cnode, slot, object, rights, badge, original, claims, parent } = capability
  const place = `${cnode === undefined ? "nowhere" : numberOf(cnode)}:${slot}`
  const family = parent === undefined ? "of nobody" : `of ${numberOf(parent)}`
  return `capability ${numberOf(capability)} at ${place} to ${numberOf(object)}, ${rights} ${badge} ${original} ${claims} ${family}`
}

function account(object: KernelObject): string {
  const more =
    object.type === "Untyped" ? `${object.freeBytes} free` : isShared(object) ? `${object.peers.count} peers` : ""
  const use = object.type === "TCB" ? object.state : object.type === "VSpace" ? `in use ${object.inUse}` : ""
  const free = object.type === "CNode" && object.slots.length > FIRST_ALLOCATED ? freeSlot(object) : ""
  return `${object.type} ${numberOf(object)} ${object.references} ${more}${use}${free}`
}

/** The allocator's next slot tells what it has handed out. */
function freeSlot(cnode: Extract<KernelObject, { type: "CNode" }>): string {
  try {
    return `next ${cnode.lowestFree()}`
  } catch {
    return "full"
  }
}

const FIRST_ALLOCATED = 100
