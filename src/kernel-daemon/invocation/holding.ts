// holding.ts: puts capabilities into slots and takes them out, so that slots, tree, peers and the objects' lives agree.

import { isSubset, Right, type Rights } from "../abi/rights.ts"
import { Capability } from "../objects/capability.ts"
import type { CNode } from "../objects/cnode.ts"
import type { Component } from "../objects/component.ts"
import { linkChild, settle } from "../objects/derivation-tree.ts"
import { isShared, type KernelObject } from "../objects/kernel-object.ts"
import { Lingering } from "../objects/lingering.ts"
import type { Untyped } from "../objects/untyped.ts"
import { detach } from "./mappings.ts"
import { tell, welcome } from "./peer-status.ts"
import type { KernelState } from "./state.ts"

/** What a new capability is like, and where in the tree it belongs. */
export interface NewCapability {
  readonly object: KernelObject
  readonly rights: Rights
  readonly badge: bigint
  readonly original: boolean
  readonly parent: Capability | undefined
}

/** Makes a capability in an empty slot. Cost: O(1). */
export function place(state: KernelState, cnode: CNode, slot: number, made: NewCapability): Capability {
  const capability = new Capability(made.object, made.rights, made.badge, made.original)
  made.object.references += 1
  linkChild(made.parent, capability)
  cnode.put(slot, capability)
  countWriter(state, capability)
  return capability
}

/** Moves a capability to an empty slot; its place in the tree and its mappings stay. Cost: O(1). */
export function move(state: KernelState, capability: Capability, cnode: CNode, slot: number): void {
  discountWriter(capability)
  capability.cnode?.clear(capability)
  cnode.put(slot, capability)
  countWriter(state, capability)
}

/**
 * Takes a capability out of its slot, its mappings with it, and destroys its object if it was the last.
 * @param orphans gets the CNode that went with it, if one did: its contents are to be removed next
 * @param proved its mappings were seen to be gone
 *
 * Cost: O(1), and linear in the mappings made through it; of a TCB whose component has not been started, a look at its CSpace.
 */
export function remove(state: KernelState, capability: Capability, orphans: CNode[], proved: boolean): void {
  if (capability.mappings !== undefined) {
    for (const mapping of capability.mappings) {
      tell(state, mapping, "revoked")
      detach(mapping, proved)
    }
  }
  if (capability.lingering !== undefined) passOn(capability, capability.lingering)
  discountWriter(capability)
  capability.cnode?.clear(capability)
  settle(capability)
  dropReference(state, capability.object, orphans)
}

/** What was mapped through a capability was mapped through those that it was derived from, too. */
function passOn({ parent }: Capability, lingering: Lingering): void {
  let ancestor = parent
  while (ancestor !== undefined && ancestor.cnode === undefined) ancestor = ancestor.parent
  if (ancestor === undefined || lingering.isOver) return
  ancestor.lingering ??= new Lingering()
  ancestor.lingering.addAll(lingering)
}

/** Lets go of one reference; an object without any is destroyed. */
export function dropReference(state: KernelState, object: KernelObject, orphans: CNode[]): void {
  object.references -= 1
  const reason = object.type === "TCB" ? whyToEnd(object) : undefined
  if (object.type === "TCB" && reason !== undefined) state.emit({ kind: "kill", component: object.id, reason })
  if (object.references > 0) return
  switch (object.type) {
    case "TCB":
      if (object.state !== "inactive") state.components.delete(object.id)
      break
    case "Untyped":
      returnUntyped(object)
      return
    case "Page":
      state.emit({ kind: "destroy-memory", memory: object.memory })
      state.emit({ kind: "destroy-bells", memory: object.id })
      break
    case "Notification":
      for (const memory of object.memories) {
        state.emit({ kind: "destroy-memory", memory })
        state.emit({ kind: "destroy-bells", memory })
      }
      break
    case "CNode":
      orphans.push(object)
      break
  }
  refund(object.origin, object.chargedBytes)
}

/** Why a component has to go with the capability to its TCB that has just gone; undefined when it has not. */
function whyToEnd(component: Component): string | undefined {
  const { state, references } = component
  if (state === "ended" || state === "inactive") return undefined
  // What is left is the living component's hold on itself, which goes when its process has gone (component-end.ts).
  if (references === 1) return "the last capability to its TCB is gone"
  // Or, before it runs, its own capabilities besides: those it could use only if somebody else had started it.
  if (state !== "created") return undefined
  const own = component.cspace.slots.filter(capability => capability?.object === component).length
  return references === 1 + own ? "nobody is left who could start it" : undefined
}

/** Gives memory back to where it came from, and further up where that was only waiting for it. */
export function refund(untyped: Untyped | undefined, bytes: number): void {
  if (untyped === undefined) return
  untyped.refund(bytes)
  if (untyped.references === 0) returnUntyped(untyped)
}

/** An untyped whose capabilities are gone is given back only when all that was made from it is gone as well. */
function returnUntyped(untyped: Untyped): void {
  let done: Untyped | undefined = untyped
  while (done !== undefined && done.references === 0 && done.whole) {
    done.origin?.refund(done.chargedBytes)
    done = done.origin
  }
}

function countWriter(state: KernelState, { object, rights, cnode }: Capability): void {
  if (cnode === undefined || !isShared(object) || !isSubset(Right.write, rights)) return
  object.peers.addWriter(cnode.owner)
  welcome(state, object)
}

function discountWriter({ object, rights, cnode }: Capability): void {
  if (cnode !== undefined && isShared(object) && isSubset(Right.write, rights)) object.peers.removeWriter(cnode.owner)
}
