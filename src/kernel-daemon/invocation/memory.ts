// memory.ts: syscalls that map frames: into oneself, into another, at a chosen address; and that take mappings out
// again.

import { KernelError } from "../abi/errors.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import { formatPermissions, formatRights, Permission, type Permissions, Right, type Rights } from "../abi/rights.ts"
import type { Args, Result } from "../abi/syscalls.ts"
import type { Capability } from "../objects/capability.ts"
import type { Component } from "../objects/component.ts"
import type { Frame } from "../objects/frame.ts"
import { describeObject } from "../objects/kernel-object.ts"
import { describeMapping, type Mapping } from "../objects/mapping.ts"
import { proofOf } from "./capability.ts"
import { ensureUsable, ensureWholePages, lookupLivingTcb, lookupPid, lookupTyped, type Typed } from "./lookup.ts"
import { detach, ensureLanded, enter, mapEffect, mapPages, provesOf, unmapEffect, whileInFlight } from "./mappings.ts"
import type { Caller, Transaction } from "./outcome.ts"
import type { KernelState } from "./state.ts"

/**
 * memory_map: the first `bytes` of a frame in the caller's VSpace, at an address of the kernel's choice.
 *
 * @throws {KernelError} FailedLookup, InvalidCapability: the slot holds no frame capability
 * @throws {KernelError} InvalidArgument: `bytes` is 0; permissions without read, with execute, or with unknown bits
 * @throws {KernelError} AlignmentError: `bytes` is not whole pages
 * @throws {KernelError} RangeError: `bytes` is more than the frame has
 * @throws {KernelError} IllegalOperation: the permissions exceed the capability's rights; or they name write, and the
 * frame is sealed; or another call seals or renews it
 * @throws {KernelError} RevokeFirst: the capability is being revoked
 * @throws {KernelError} NotEnoughMemory: the VSpace has no gap of that size
 */
export function memoryMap(
  state: KernelState,
  { component }: Caller,
  args: Args<"memory_map">,
): Transaction<Result<"memory_map">> {
  const asked = asRead(state, component, args)
  return mapFrame(state, component, mappableFrame(component, asked), asked)
}

/**
 * memory_map_into: as memory_map, in the VSpace of the component `pid`. The caller must hold a TCB capability to it,
 * with write, in its root CNode. The mapping belongs to the caller's frame capability: it goes when that one is
 * revoked. Errors as for memory_map, and:
 * @throws {KernelError} FailedLookup: no TCB capability names that pid, or the component has ended
 */
export function memoryMapInto(
  state: KernelState,
  { component }: Caller,
  args: Args<"memory_map_into">,
): Transaction<Result<"memory_map_into">> {
  const asked = asRead(state, component, args)
  const frame = mappableFrame(component, asked)
  return mapFrame(state, lookupPid(component, args.pid), frame, asked)
}

/**
 * memory_share: shows the frame of one of the caller's own mappings to another component, at an address that the caller
 * chooses. The caller must hold the capability that its own mapping rests on.
 * Errors as for memory_map, and:
 * @throws {KernelError} DeleteFirst: the target's range meets a mapping or a guard page
 */
export function memoryShare(
  state: KernelState,
  { component }: Caller,
  args: Args<"memory_share">,
): Transaction<Result<"memory_share">> {
  const { address, targetAddress, permissions } = args
  const bytes = wholePages(state, args.bytes)
  const target = lookupLivingTcb(component, args.tcb, Right.write).object
  const mapping = component.vspace.find(address)
  if (mapping === undefined || mapping.address !== address || mapping.object.type !== "Page") {
    throw new KernelError("FailedLookup", `address ${hex(address)} is not where a frame of the caller is mapped`)
  }
  ensureLanded(mapping)
  const { capability, object } = mapping
  if (capability.cnode?.owner !== component.id) {
    throw new KernelError(
      "IllegalOperation",
      `${describeObject(object)} at ${hex(address)} was mapped by another component, which alone can share it`,
    )
  }
  ensureMappable({ capability, object }, bytes, permissions)
  target.vspace.ensureFree(targetAddress, bytes)
  const shared = enter(state, target, { capability, object }, { address: targetAddress, bytes, permissions })
  return mapPages(shared, () => ({}))
}

/**
 * memory_unmap: takes one of the caller's mappings out, whoever made it. The range must be exactly a mapping's.
 * @throws {KernelError} FailedLookup: it is not
 * @throws {KernelError} IllegalOperation: another call that maps or unmaps it is under way
 */
export function memoryUnmap(
  state: KernelState,
  { component }: Caller,
  { address, bytes }: Args<"memory_unmap">,
): Transaction<Result<"memory_unmap">> {
  const mapping = ownMapping(component, address, wholePages(state, bytes))
  const commit = (proved: boolean) => {
    // Where nobody has looked, the removal of the capability will.
    detach(mapping, proved && proves.length > 0)
    return { proof: proofOf(proved && (component.confined || proves.length === 0)) }
  }
  // The lane of a notification or the end of a ring may go to another holder, whom this one must not be able to disturb.
  const { object } = mapping
  const mayPassOn = object.type === "Notification" || object.ends.through(mapping).length > 0
  const proves = mayPassOn ? provesOf([mapping]) : []
  mapping.leaving = true
  // An unmap is never refused; where the caller has ended meanwhile, the mapping has too.
  return whileInFlight(mapping, [unmapEffect(mapping), ...proves], commit, () => detach(mapping))
}

/**
 * memory_remap: changes the permissions of one of the caller's mappings, within the rights of the capability that it
 * rests on. Where another component holds that capability, permissions can only be taken away.
 * Errors as for memory_map and memory_unmap.
 */
export function memoryRemap(
  state: KernelState,
  { component }: Caller,
  { address, bytes, permissions }: Args<"memory_remap">,
): Transaction<Result<"memory_remap">> {
  const mapping = ownMapping(component, address, wholePages(state, bytes))
  const { capability, object } = mapping
  ensurePermissions(permissions)
  if (object.type !== "Page") {
    throw new KernelError(
      "IllegalOperation",
      `${describeObject(object)} at ${hex(address)} keeps the permissions of its parts: only frames are remapped`,
    )
  }
  ensureUsable(capability)
  const own = capability.cnode?.owner === component.id
  ensureWithin(permissions, own ? capability.rights : mapping.permissions, describeMapping(mapping))
  object.ensureSettled()
  object.ensureAllows(permissions)
  const commit = () => {
    mapping.permissions = permissions
    return {}
  }
  return whileInFlight(mapping, [mapEffect(mapping, permissions)], commit, () => {})
}

function wholePages(state: KernelState, bytes: number): number {
  return state.profile.bytesRoundUp ? Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES : bytes
}

/** What a call asks for, as the profile reads it. @throws {KernelError} FailedLookup: the slot is empty, or none */
function asRead<A extends Args<"memory_map">>(state: KernelState, component: Component, args: A): A {
  const bytes = wholePages(state, args.bytes)
  if (!state.profile.mapIgnoresPermissions) return { ...args, bytes }
  const writable = component.cspace.lookup(args.frame).rights & Right.write
  return { ...args, bytes, permissions: Permission.read | writable }
}

function mappableFrame(
  component: Component,
  { frame: slot, bytes, permissions }: { frame: number; bytes: number; permissions: Permissions },
): Typed<Frame> {
  const frame = lookupTyped(component, slot, "Page")
  ensureMappable(frame, bytes, permissions)
  return frame
}

function ensureMappable({ capability, object }: Typed<Frame>, bytes: number, permissions: Permissions): void {
  ensureWholePages(bytes)
  if (bytes > object.bytes) {
    throw new KernelError("RangeError", `bytes is ${bytes}, ${describeObject(object)} has ${object.bytes}`)
  }
  ensurePermissions(permissions)
  ensureWithin(permissions, capability.rights, `slot ${capability.slot}`)
  ensureUsable(capability)
  object.ensureSettled()
  object.ensureAllows(permissions)
}

function mapFrame(
  state: KernelState,
  target: Component,
  frame: { capability: Capability; object: Frame },
  { bytes, permissions }: { bytes: number; permissions: Permissions },
): Transaction<{ address: number }> {
  const address = target.vspace.chooseAddress(bytes)
  return mapPages(enter(state, target, frame, { address, bytes, permissions }), () => ({ address }))
}

function ownMapping(component: Component, address: number, bytes: number): Mapping {
  const mapping = component.vspace.find(address)
  if (mapping === undefined || mapping.address !== address || mapping.bytes !== bytes) {
    const there = mapping === undefined ? "nothing is mapped" : `${hex(mapping.address)} and ${mapping.bytes} bytes are`
    throw new KernelError("FailedLookup", `${hex(address)} and ${bytes} bytes are not one mapping: there ${there}`)
  }
  ensureLanded(mapping)
  return mapping
}

function ensurePermissions(permissions: Permissions): void {
  if (permissions === Permission.read || permissions === (Permission.read | Permission.write)) return
  throw new KernelError(
    "InvalidArgument",
    `permissions are ${permissions}, allowed are 1 (read) and 3 (read and write): shared frames are never executable`,
  )
}

/** Read and write have the same bits among rights and permissions. */
function ensureWithin(permissions: Permissions, allowed: Rights, holder: string): void {
  const excess = permissions & ~allowed
  if (excess === 0) return
  throw new KernelError(
    "IllegalOperation",
    `permissions ${formatPermissions(permissions)} exceed what ${holder} allows, ` +
      `${formatRights(allowed)}, by ${formatPermissions(excess)}`,
  )
}

function hex(address: number): string {
  return `0x${address.toString(16)}`
}
