// capability.ts: syscalls on capabilities: allocate a slot, derive, mint, copy, move, delete, revoke, and give to
// others.

import { KernelError } from "../abi/errors.ts"
import { FIRST_GRANT_SLOT } from "../abi/limits.ts"
import { ALL_RIGHTS, formatRights, isSubset, Right, type Rights } from "../abi/rights.ts"
import { type Args, Proof, type Result } from "../abi/syscalls.ts"
import { type Capability, UNBADGED } from "../objects/capability.ts"
import type { CNode } from "../objects/cnode.ts"
import { move, type NewCapability, place } from "./holding.ts"
import { ensureRights, ensureUsable, lookupCNode, lookupLivingTcb } from "./lookup.ts"
import type { Caller } from "./outcome.ts"
import { Removal, removeAtOnce } from "./removal.ts"
import type { KernelState } from "./state.ts"

/**
 * cap_allocate: the lowest free slot of the caller's root CNode from FIRST_FREE_SLOT up. It is empty for whoever puts
 * something there, and is not handed out again until that has been deleted.
 * @throws {KernelError} NotEnoughMemory: none is free
 */
export function capAllocate(_state: KernelState, { component }: Caller): Result<"cap_allocate"> {
  return { slot: component.cspace.allocate() }
}

/**
 * cap_derive: a child of `source` with a subset of its rights, and its badge.
 *
 * @throws {KernelError} InvalidCapability, IllegalOperation: `cnode` holds no CNode capability with read and write
 * @throws {KernelError} DeleteFirst: `target` is occupied
 * @throws {KernelError} FailedLookup: there is no such slot, or `source` is empty
 * @throws {KernelError} RevokeFirst: a revoke has reached `source` and is not finished
 * @throws {KernelError} IllegalOperation: `rights` exceed the source's
 */
export function capDerive(state: KernelState, { component }: Caller, args: Args<"cap_derive">): Result<"cap_derive"> {
  const cnode = lookupCNode(state, component, args.cnode, Right.read | Right.write)
  const source = sourceFor(cnode, args.source, cnode, args.target)
  ensureSubset(args.rights, source)
  place(state, cnode, args.target, childOf(source, args.rights))
  return {}
}

/**
 * cap_mint: as cap_derive, and the child carries `badge`. A badge is set once along a derivation. The child counts as
 * the original of its badge: copies of it are its children, so it can revoke them (seL4's SMC0007).
 * Errors as for cap_derive, and:
 * @throws {KernelError} InvalidArgument: `badge` is 0
 * @throws {KernelError} IllegalOperation: `source` is badged already
 */
export function capMint(state: KernelState, { component }: Caller, args: Args<"cap_mint">): Result<"cap_mint"> {
  const cnode = lookupCNode(state, component, args.cnode, Right.read | Right.write)
  const source = sourceFor(cnode, args.source, cnode, args.target)
  ensureSubset(args.rights, source)
  const { signalOfNothingIsLost, mintRebadges } = state.profile
  if (args.badge === UNBADGED && !signalOfNothingIsLost) {
    throw new KernelError("InvalidArgument", "badge is 0, which no signal could be told by: choose 1 to 2^64 - 1")
  }
  if (source.badge !== UNBADGED && !mintRebadges) {
    throw new KernelError(
      "IllegalOperation",
      `slot ${args.source} has badge ${source.badge} already: mint from an unbadged one`,
    )
  }
  place(state, cnode, args.target, { ...childOf(source, args.rights), badge: args.badge, original: true })
  return {}
}

/**
 * cap_copy: the same object, rights and badge in another slot. The copy of an original, or of one that was minted, is
 * its child, so revoking that one removes it; the copy of a derived capability is its sibling, so neither can revoke the
 * other.
 * Errors as for cap_derive; the source's CNode needs read, the target's write.
 */
export function capCopy(state: KernelState, { component }: Caller, args: Args<"cap_copy">): Result<"cap_copy"> {
  const sourceCNode = lookupCNode(state, component, args.sourceCNode, Right.read)
  const targetCNode = lookupCNode(state, component, args.targetCNode, Right.write)
  const source = sourceFor(sourceCNode, args.source, targetCNode, args.target)
  const parent = source.original && !state.profile.copyIsAlwaysSibling ? source : source.parent
  place(state, targetCNode, args.target, { ...childOf(source, source.rights), parent })
  return {}
}

/** cap_move: the capability itself goes to another slot; what was derived from it, and its mappings, stay with it. */
export function capMove(state: KernelState, { component }: Caller, args: Args<"cap_move">): Result<"cap_move"> {
  const sourceCNode = lookupCNode(state, component, args.sourceCNode, Right.write)
  const targetCNode = lookupCNode(state, component, args.targetCNode, Right.write)
  if (sourceCNode !== targetCNode && state.profile.moveStaysInCNode) {
    throw new KernelError(
      "IllegalOperation",
      "the two CNodes are not the same, in which profile kaal moves: copy and delete",
    )
  }
  targetCNode.ensureEmpty(args.target)
  move(state, sourceCNode.lookup(args.source), targetCNode, args.target)
  return {}
}

/**
 * cap_delete: empties a slot, with the mappings made through its capability. What was derived from it stays, below its
 * parent. Deleting an empty slot succeeds, and gives back a slot from cap_allocate. `proof` as for cap_revoke.
 * @throws {KernelError} FailedLookup: no such slot
 */
export function capDelete(
  state: KernelState,
  caller: Caller,
  args: Args<"cap_delete">,
): Removal | Result<"cap_delete"> {
  const cnode = lookupCNode(state, caller.component, args.cnode, Right.write)
  const capability = cnode.find(args.slot)
  if (capability === undefined) {
    ensureMayBeEmpty(state, args.slot)
    cnode.forgetAllocation(args.slot)
    return { proof: Proof.proved }
  }
  if (removeAtOnce(state, capability)) return { proof: Proof.proved }
  return new Removal(state, { capabilities: [capability], finished: answering(state, caller, "cap_delete") })
}

/**
 * cap_revoke: empties every slot whose capability was derived from the one in `slot`, in whichever CSpace, and keeps
 * that one. Revoking an untyped so destroys all that was made from it. Revoking an empty slot succeeds. `proof` says
 * whether the mappings that went with them are proved to be gone: see Proof.
 * @throws {KernelError} FailedLookup: no such slot
 *
 * Cost: linear in the descendants, in pieces between which others are served (removal.ts).
 */
export function capRevoke(
  state: KernelState,
  caller: Caller,
  args: Args<"cap_revoke">,
): Removal | Result<"cap_revoke"> {
  const capability = lookupCNode(state, caller.component, args.cnode, Right.write).find(args.slot)
  if (capability === undefined) {
    ensureMayBeEmpty(state, args.slot)
    return { proof: Proof.proved }
  }
  const capabilities = state.profile.revokeRemovesItself ? [capability] : []
  const finished = answering(state, caller, "cap_revoke")
  return new Removal(state, { descendantsOf: capability, capabilities, finished })
}

/** KaaL knows nothing to delete or revoke in an empty slot. */
function ensureMayBeEmpty(state: KernelState, slot: number): void {
  if (state.profile.emptySlotIsRefused) throw new KernelError("FailedLookup", `slot ${slot} is empty`)
}

function answering(state: KernelState, { component, callId }: Caller, name: "cap_delete" | "cap_revoke") {
  return (proved: boolean) => state.answer(name, component.id, callId, { proof: proofOf(proved) })
}

export function proofOf(proved: boolean): number {
  return proved ? Proof.proved : Proof.unproven
}

/** cap_insert_into: cap_grant with all the rights that the caller's capability has. */
export function capInsertInto(
  state: KernelState,
  caller: Caller,
  { tcb, slot, source }: Args<"cap_insert_into">,
): Result<"cap_insert_into"> {
  const { rights } = caller.component.cspace.lookup(source)
  return capGrant(state, caller, { source, tcb, slot, rights })
}

/**
 * cap_grant: puts a child of the caller's own capability into another component's root CNode. The caller can revoke it.
 *
 * @throws {KernelError} InvalidCapability, FailedLookup: `tcb` names no component, or one that has ended
 * @throws {KernelError} IllegalOperation: the TCB capability lacks write, the source grant, or `rights` exceed the
 * source's
 * @throws {KernelError} RangeError: `slot` is not FIRST_GRANT_SLOT to the last of the root CNode
 * @throws {KernelError} DeleteFirst, FailedLookup, RevokeFirst: as for cap_derive
 */
export function capGrant(state: KernelState, { component }: Caller, args: Args<"cap_grant">): Result<"cap_grant"> {
  const target = lookupLivingTcb(component, args.tcb, Right.write).object
  ensureGrantable(target.cspace, args.slot)
  const source = component.cspace.lookup(args.source)
  ensureMayGrant(source, args.rights)
  place(state, target.cspace, args.slot, childOf(source, args.rights))
  return {}
}

/** @throws {KernelError} RangeError: the slot is reserved or does not exist; DeleteFirst: it is occupied */
export function ensureGrantable(cspace: CNode, slot: number): void {
  const last = cspace.slots.length - 1
  if (slot < FIRST_GRANT_SLOT || slot > last) {
    throw new KernelError("RangeError", `slot is ${slot}, others may fill ${FIRST_GRANT_SLOT} to ${last}`)
  }
  cspace.ensureEmpty(slot)
}

/** @throws {KernelError} RevokeFirst, IllegalOperation: the source cannot be passed on with those rights, or is sealed */
export function ensureMayGrant(source: Capability, rights: Rights): void {
  ensureUsable(source)
  ensureRights(source, Right.grant)
  ensureSubset(rights, source)
  if (source.object.type === "Page") source.object.ensureAllows(rights)
}

/** What a derived child of `source` is like. */
export function childOf(source: Capability, rights: Rights): NewCapability {
  return { object: source.object, rights, badge: source.badge, original: false, parent: source }
}

/** seL4's order: an occupied target is reported before an empty source. */
function sourceFor(sourceCNode: CNode, source: number, targetCNode: CNode, target: number): Capability {
  targetCNode.ensureEmpty(target)
  const capability = sourceCNode.lookup(source)
  ensureUsable(capability)
  return capability
}

function ensureSubset(rights: Rights, source: Capability): void {
  if (rights <= ALL_RIGHTS && isSubset(rights, source.rights)) return
  throw new KernelError(
    "IllegalOperation",
    `rights ${formatRights(rights)} exceed those of slot ${source.slot}, ${formatRights(source.rights)}: ask for fewer`,
  )
}
