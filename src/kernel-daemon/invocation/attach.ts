// attach.ts: object_attach: tells where an object stands in the caller's VSpace and what the caller is to it.

import { KernelError } from "../abi/errors.ts"
import { Permission, Right } from "../abi/rights.ts"
import { type Args, AttachRole, NO_LANE, type Result } from "../abi/syscalls.ts"
import type { Capability } from "../objects/capability.ts"
import type { Component } from "../objects/component.ts"
import { describeObject } from "../objects/kernel-object.ts"
import type { Mapping } from "../objects/mapping.ts"
import type { Notification } from "../objects/notification.ts"
import { ensureRights, ensureUsable, lookupTyped, type Typed } from "./lookup.ts"
import { ensureLanded, enter, mapPages } from "./mappings.ts"
import type { Caller, Outcome, Transaction } from "./outcome.ts"
import { ensureStatusWord, statusAddress } from "./peer-status.ts"
import type { KernelState } from "./state.ts"

type Attached = Result<"object_attach">

/**
 * object_attach. Role `frame`: the mapping of that frame in the caller's VSpace, preferably one made through the
 * capability in `slot`, else the oldest. Roles `signaller` and `waiter`: the notification's page is mapped, once for
 * each capability it is attached through; a signaller gets a lane of its own. Attaching again answers the same.
 *
 * @throws {KernelError} FailedLookup: the slot is empty, or the frame is not mapped
 * @throws {KernelError} InvalidCapability: the slot holds an object of another type than the role takes
 * @throws {KernelError} InvalidArgument: no such role
 * @throws {KernelError} IllegalOperation: the right is missing (signaller: write, waiter: read), or another component
 * waits
 * @throws {KernelError} NotEnoughMemory: the notification's lanes, the status words or the VSpace are used up
 */
export function objectAttach(
  state: KernelState,
  { component }: Caller,
  { slot, role }: Args<"object_attach">,
): Outcome<"object_attach"> {
  switch (role) {
    case AttachRole.frame:
      return attachFrame(state, component, slot)
    case AttachRole.signaller:
    case AttachRole.waiter:
      return attachNotification(state, component, slot, role)
    default:
      throw new KernelError("InvalidArgument", `role is ${role}, allowed are 0 (frame), 1 (signaller) and 2 (waiter)`)
  }
}

function attachFrame(state: KernelState, component: Component, slot: number): Attached {
  const { capability, object } = lookupTyped(component, slot, "Page")
  const [oldest] = object.peers.mappingsIn(component.id)
  const mapping = mappingThrough(capability, component) ?? oldest
  if (mapping === undefined) {
    throw new KernelError(
      "FailedLookup",
      `${describeObject(object)} in slot ${slot} is not mapped: call memory_map first`,
    )
  }
  ensureLanded(mapping)
  ensureStatusWord(component, mapping)
  return attached(state, mapping, AttachRole.frame)
}

function attachNotification(
  state: KernelState,
  component: Component,
  slot: number,
  role: number,
): Attached | Transaction<Attached> {
  const { capability, object } = lookupTyped(component, slot, "Notification")
  ensureRights(capability, role === AttachRole.signaller ? Right.write : Right.read)
  ensureUsable(capability)
  const present = mappingThrough(capability, component)
  if (present !== undefined) ensureLanded(present)
  ensureStatusWord(component, present)
  if (role === AttachRole.waiter) object.ensureWaiter(component.id)
  else object.ensureLane(present)
  const mapping = present ?? enterPage(state, component, { capability, object })

  if (role === AttachRole.signaller) object.addSignaller(mapping)
  else object.addWaiter(mapping)
  const result = attached(state, mapping, role)
  return present === undefined ? mapPages(mapping, () => result) : result
}

function enterPage(state: KernelState, component: Component, notification: Typed<Notification>): Mapping {
  const { bytes } = notification.object
  const address = component.vspace.chooseAddress(bytes)
  return enter(state, component, notification, { address, bytes, permissions: Permission.read | Permission.write })
}

function mappingThrough(capability: Capability, component: Component): Mapping | undefined {
  for (const mapping of capability.mappings ?? []) if (mapping.component === component) return mapping
  return undefined
}

function attached(state: KernelState, mapping: Mapping, role: number): Attached {
  const { address, bytes, permissions, capability } = mapping
  const lane = role === AttachRole.signaller ? mapping.lane : NO_LANE
  return { address, bytes, permissions, lane, status: statusAddress(state, mapping), badge: capability.badge }
}
