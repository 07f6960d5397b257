// lookup.ts: what a slot number in an argument stands for, checked for type, rights and use.

import { KernelError } from "../abi/errors.ts"
import { ConventionSlot, PAGE_BYTES } from "../abi/limits.ts"
import { formatRights, isSubset, Right, type Rights } from "../abi/rights.ts"
import type { Capability } from "../objects/capability.ts"
import type { CNode } from "../objects/cnode.ts"
import type { Component } from "../objects/component.ts"
import { describeObject, type KernelObject } from "../objects/kernel-object.ts"
import type { Untyped } from "../objects/untyped.ts"
import type { KernelState } from "./state.ts"

/** A capability together with its object, whose type is known. */
export interface Typed<O extends KernelObject> {
  readonly capability: Capability
  readonly object: O
}

/**
 * The capability in a slot of the component's root CNode, which must name an object of that type.
 * @throws {KernelError} FailedLookup: no such slot, or it is empty
 * @throws {KernelError} InvalidCapability: it names an object of another type
 */
export function lookupTyped<T extends KernelObject["type"]>(
  component: Component,
  slot: number,
  type: T,
): Typed<Extract<KernelObject, { type: T }>> {
  const capability = component.cspace.lookup(slot)
  if (capability.object.type !== type) {
    throw new KernelError(
      "InvalidCapability",
      `slot ${slot} holds a capability to a ${describeObject(capability.object)}, a ${type} is needed`,
    )
  }
  return { capability, object: capability.object as Extract<KernelObject, { type: T }> }
}

/** @throws {KernelError} IllegalOperation: the capability lacks one of the rights */
export function ensureRights(capability: Capability, needed: Rights): void {
  if (isSubset(needed, capability.rights)) return
  throw new KernelError(
    "IllegalOperation",
    `slot ${capability.slot} has rights ${formatRights(capability.rights)}, this needs ${formatRights(needed)}`,
  )
}

/** @throws {KernelError} RevokeFirst: a revoke or delete has reached the capability and is not finished */
export function ensureUsable(capability: Capability): void {
  if (capability.claims === 0) return
  throw new KernelError(
    "RevokeFirst",
    `slot ${capability.slot} is being revoked: nothing can be made from it until that has finished`,
  )
}

/** True as long as a capability stands somewhere and no removal has reached it. */
export function isUsable(capability: Capability): boolean {
  return capability.cnode !== undefined && capability.claims === 0
}

/**
 * The CNode behind a slot of the caller's root CNode.
 * @param needed rights that the capability to the CNode must have
 */
export function lookupCNode(state: KernelState, component: Component, slot: number, needed: Rights): CNode {
  if (slot === 0 && state.profile.cnodeZeroIsOwn) return component.cspace
  const { capability, object } = lookupTyped(component, slot, "CNode")
  ensureRights(capability, needed)
  return object
}

/**
 * The memory that a component's own calls are charged to: what stands in ConventionSlot.untyped.
 * @throws {KernelError} FailedLookup, InvalidCapability: it is not there. IllegalOperation: without write
 */
export function ownUntyped(component: Component): Typed<Untyped> {
  const untyped = lookupTyped(component, ConventionSlot.untyped, "Untyped")
  ensureRights(untyped.capability, Right.write)
  ensureUsable(untyped.capability)
  return untyped
}

/**
 * The component behind a TCB capability, also one that has ended.
 * @throws {KernelError} IllegalOperation: the TCB is inactive
 */
export function lookupTcb(component: Component, slot: number, needed: Rights): Typed<Component> {
  const tcb = lookupTyped(component, slot, "TCB")
  ensureRights(tcb.capability, needed)
  if (tcb.object.state === "inactive") {
    throw new KernelError(
      "IllegalOperation",
      `slot ${slot} holds an inactive TCB: make a component in it first, with process_create and tcb ${slot}`,
    )
  }
  return tcb
}

/**
 * As lookupTcb, for a component that lives.
 * @throws {KernelError} FailedLookup: it has ended; IllegalOperation: it still boots
 */
export function lookupLivingTcb(component: Component, slot: number, needed: Rights): Typed<Component> {
  const tcb = lookupTcb(component, slot, needed)
  ensureReady(tcb.object)
  return tcb
}

/**
 * The living component with that pid, to which the caller must hold a TCB capability with write in its root CNode.
 * Cost: linear in the slots of the root CNode.
 */
export function lookupPid(component: Component, pid: number): Component {
  const held = component.cspace.slots.filter(candidate => {
    const object = candidate?.object
    return object?.type === "TCB" && object.state !== "inactive" && object.id === pid
  })
  const [first] = held
  if (first === undefined) {
    throw new KernelError("FailedLookup", `pid ${pid} names no component that the caller holds a TCB capability to`)
  }
  const target = first.object as Component
  ensureRights(held.find(candidate => candidate && isSubset(Right.write, candidate.rights)) ?? first, Right.write)
  ensureReady(target)
  return target
}

function ensureReady({ id, name, state }: Component): void {
  if (state === "ended") throw new KernelError("FailedLookup", `component ${id} "${name}" has ended`)
  if (state === "booting") {
    throw new KernelError(
      "IllegalOperation",
      `component ${id} "${name}" still boots: wait until process_create has returned`,
    )
  }
}

/**
 * Checks a length in bytes that must be whole pages.
 * @throws {KernelError} InvalidArgument: it is 0
 * @throws {KernelError} AlignmentError: it is not a multiple of the page size
 */
export function ensureWholePages(bytes: number): void {
  if (bytes === 0) throw new KernelError("InvalidArgument", `bytes is 0, at least one page of ${PAGE_BYTES} is needed`)
  if (bytes % PAGE_BYTES !== 0) {
    throw new KernelError("AlignmentError", `bytes is ${bytes}, not a multiple of the page size, ${PAGE_BYTES}`)
  }
}
