// process.ts: syscalls that create, start and kill components.

import { KernelError } from "../abi/errors.ts"
import {
  ConventionSlot,
  MAX_COMPONENTS,
  MAX_PRIORITY,
  MAX_SPAWN_ARGUMENTS,
  MAX_SPAWN_CAPABILITIES,
  OBJECT_BYTES,
  ROOT_CNODE_SLOTS,
} from "../abi/limits.ts"
import { ALL_RIGHTS, Right, type Rights } from "../abi/rights.ts"
import { type Args, NO_SLOT, type Result } from "../abi/syscalls.ts"
import { type Capability, UNBADGED } from "../objects/capability.ts"
import { CNode } from "../objects/cnode.ts"
import { Component } from "../objects/component.ts"
import type { KernelObject } from "../objects/kernel-object.ts"
import { VSpace } from "../objects/vspace.ts"
import { childOf, ensureGrantable, ensureMayGrant } from "./capability.ts"
import { endComponent } from "./component-end.ts"
import { type NewCapability, place } from "./holding.ts"
import {
  ensureRights,
  ensureUsable,
  lookupLivingTcb,
  lookupTcb,
  lookupTyped,
  ownUntyped,
  type Typed,
} from "./lookup.ts"
import { type Caller, Transaction } from "./outcome.ts"
import { Removal, removeUnattended } from "./removal.ts"
import type { KernelState } from "./state.ts"

const COMPONENT_NAME = /^[a-z][a-z0-9-]{0,63}$/
const SHOWN_NAME_CHARACTERS = 64

/** One triple of process_create's `capabilities`, checked. */
interface Gift {
  readonly slot: number
  readonly source: Capability
  readonly rights: Rights
}

/**
 * process_create: a new component, suspended. It is charged to the caller's untyped and holds its own TCB, CNode and
 * VSpace in the convention slots, and for each triple [its slot, the caller's slot, rights] a derived child of the
 * caller's capability. A TCB capability with the rights of that to the untyped is put into the caller's lowest free slot
 * from FIRST_FREE_SLOT up. Where `tcb` or `vspace` names an object that retype has made, the component is made in that
 * one; its own capability is a child of the caller's there, and `tcb` of the result is the slot that was given.
 *
 * @throws {KernelError} FailedLookup, InvalidCapability: the caller lacks process control or an untyped, or a source is
 * none
 * @throws {KernelError} InvalidArgument: the name is not one, the capabilities are no triples, or `confined` is neither
 * 0 nor 1
 * @throws {KernelError} IllegalOperation: `confined` is 0, and the caller's process control lacks a right
 * @throws {KernelError} RangeError: too many arguments or capabilities, a priority or a slot out of range
 * @throws {KernelError} DeleteFirst: two capabilities for one slot
 * @throws {KernelError} IllegalOperation: a source lacks grant, rights exceed its own, or the untyped's lack write
 * @throws {KernelError} FailedLookup, InvalidCapability, RevokeFirst: `tcb` holds no TCB, `vspace` no VSpace, or it is
 * being revoked
 * @throws {KernelError} IllegalOperation: write to one of them is missing, a component has been made in it, or uses it
 * @throws {KernelError} NotEnoughMemory: no memory, no free slot, or MAX_COMPONENTS live
 * @throws {KernelError} FailedLookup: the broker knows no component of that name
 */
export function processCreate(
  state: KernelState,
  caller: Caller,
  args: Args<"process_create">,
): Transaction<Result<"process_create">> {
  const { component: parent } = caller
  const control = lookupTyped(parent, ConventionSlot.processControl, "ProcessControl")
  ensureMayConfine(control.capability, args.confined)
  const untyped = ownUntyped(parent)
  ensureSpawnable(state, args)
  const given = { tcb: inactiveTcb(parent, args.tcb), vspace: unusedVSpace(parent, args.vspace) }
  const slot = given.tcb === undefined ? parent.cspace.lowestFree() : args.tcb
  const { componentName: name, arguments: words } = args
  const id = state.newComponentId()
  const confined = state.confines && args.confined === 1
  const cspace = new CNode(untyped.object, id, ROOT_CNODE_SLOTS)
  const gifts = readGifts(parent, cspace, args.capabilities)
  untyped.object.charge(
    cspace.chargedBytes +
      (given.tcb === undefined ? OBJECT_BYTES.tcb : 0) +
      (given.vspace === undefined ? OBJECT_BYTES.vspace : 0),
  )
  const vspace = given.vspace?.object ?? new VSpace(untyped.object)
  const child = given.tcb?.object ?? new Component(untyped.object)
  child.make({ id, name, arguments: words, confined, cspace, vspace })

  // All of it stands from the decision on, so that a revoke which comes while the process boots takes from it as from
  // any.
  state.components.set(id, child)
  const made = { ...original(child, untyped.capability), rights: untyped.capability.rights }
  const tcb = given.tcb?.capability ?? place(state, parent.cspace, slot, made)
  giveOwnObjects(state, child, { tcb, vspace: given.vspace?.capability, untyped: untyped.capability })
  for (const gift of gifts) place(state, cspace, gift.slot, childOf(gift.source, gift.rights))

  const asBefore = () => {
    if (given.vspace !== undefined) vspace.inUse = false
    if (given.tcb === undefined) return
    state.components.delete(id)
    child.unmake()
  }
  return new Transaction(
    [{ kind: "spawn", component: id, name, priority: args.priority, confined }],
    () => {
      if (parent.state === "ended")
        state.emit({ kind: "kill", component: id, reason: "its creator ended before it booted" })
      if (parent.state === "ended" || child.state !== "booting" || tcb.cnode === undefined) {
        throw new KernelError("Revoked", `component ${id} "${name}" was taken away while it booted`)
      }
      child.state = "created"
      return { pid: id, tcb: tcb.slot, confined: Number(confined) }
    },
    () => {
      if (child.state !== "ended")
        endComponent(state, child, { kind: "killed", signal: "SIGKILL", reason: "it did not boot" }, asBefore)
      if (given.tcb === undefined && tcb.cnode !== undefined) {
        removeUnattended(state, new Removal(state, { capabilities: [tcb], finished: () => {} }))
      }
    },
  )
}

/** Who is not confined is bound by no capability: only who holds all authority over processes lets one loose. */
function ensureMayConfine(control: Capability, confined: number): void {
  if (confined > 1) throw new KernelError("InvalidArgument", `confined is ${confined}, allowed are 1 and 0`)
  if (confined === 0) ensureRights(control, ALL_RIGHTS)
}

/** The TCB in `slot`, in which a component is to be made; `undefined` for NO_SLOT. */
function inactiveTcb(parent: Component, slot: number): Typed<Component> | undefined {
  if (slot === NO_SLOT) return undefined
  const tcb = lookupTyped(parent, slot, "TCB")
  ensureRights(tcb.capability, Right.write)
  ensureUsable(tcb.capability)
  const { object } = tcb
  if (object.state !== "inactive") {
    throw new KernelError(
      "IllegalOperation",
      `slot ${slot} holds the TCB of component ${object.id} "${object.name}": make another with retype`,
    )
  }
  return tcb
}

/** The VSpace in `slot` that a component is to have; `undefined` for NO_SLOT. */
function unusedVSpace(parent: Component, slot: number): Typed<VSpace> | undefined {
  if (slot === NO_SLOT) return undefined
  const vspace = lookupTyped(parent, slot, "VSpace")
  ensureRights(vspace.capability, Right.write)
  ensureUsable(vspace.capability)
  if (vspace.object.inUse) {
    throw new KernelError("IllegalOperation", `slot ${slot} holds the VSpace of a component: make another with retype`)
  }
  return vspace
}

/** Puts a component's own TCB, CNode and VSpace into its convention slots: children of these capabilities. */
export function giveOwnObjects(
  state: KernelState,
  component: Component,
  from: {
    readonly tcb?: Capability | undefined
    readonly vspace?: Capability | undefined
    readonly untyped?: Capability | undefined
  },
): void {
  const { cspace, vspace } = component
  const give = (slot: number, object: KernelObject, source: Capability | undefined) =>
    place(state, cspace, slot, source === undefined ? original(object, from.untyped) : childOf(source, source.rights))
  give(ConventionSlot.ownTcb, component, from.tcb)
  give(ConventionSlot.ownCNode, cspace, undefined)
  give(ConventionSlot.ownVSpace, vspace, from.vspace)
}

/** The first capability to an object, with all rights. */
export function original(object: KernelObject, parent: Capability | undefined): NewCapability {
  return { object, rights: ALL_RIGHTS, badge: UNBADGED, original: true, parent }
}

/**
 * process_start: makes a created component run, with the arguments it was created with.
 * @throws {KernelError} FailedLookup, InvalidCapability, IllegalOperation: no TCB capability with write, or it has
 * ended
 * @throws {KernelError} IllegalOperation: it has started before, or still boots
 */
export function processStart(
  state: KernelState,
  { component }: Caller,
  { tcb }: Args<"process_start">,
): Result<"process_start"> {
  const { object: target } = lookupLivingTcb(component, tcb, Right.write)
  if (target.state !== "created") {
    throw new KernelError(
      "IllegalOperation",
      `component ${target.id} "${target.name}" is ${target.state}: only a created one starts, and once`,
    )
  }
  target.state = "running"
  state.emit({ kind: "start", component: target.id, arguments: target.arguments })
  return {}
}

/**
 * process_kill: ends a component; process_wait tells when it has gone. One that has ended already is left as it is.
 * @throws {KernelError} FailedLookup, InvalidCapability, IllegalOperation: no TCB capability with write stands in the
 * slot
 * @throws {KernelError} IllegalOperation: the TCB is inactive
 */
export function processKill(
  state: KernelState,
  { component }: Caller,
  { tcb }: Args<"process_kill">,
): Result<"process_kill"> {
  const { object: target } = lookupTcb(component, tcb, Right.write)
  if (target.state !== "ended") {
    target.isDoomed = true
    state.emit({
      kind: "kill",
      component: target.id,
      reason: `component ${component.id} "${component.name}" asked for it`,
    })
  }
  return {}
}

/**
 * process_describe: what a TCB capability is to, which has read.
 * @throws {KernelError} FailedLookup, InvalidCapability, IllegalOperation: no such capability stands in the slot, or the TCB is
 * inactive
 */
export function processDescribe(
  _state: KernelState,
  { component }: Caller,
  { tcb }: Args<"process_describe">,
): Result<"process_describe"> {
  const { id, name, state, confined } = lookupTcb(component, tcb, Right.read).object
  const text = `component ${id} "${name}", ${state}, ${confined ? "confined" : "NOT confined"}`
  return { confined: Number(confined), text }
}

function ensureSpawnable(state: KernelState, args: Args<"process_create">): void {
  const { componentName, arguments: words, capabilities, priority } = args
  if (!COMPONENT_NAME.test(componentName)) {
    throw new KernelError(
      "InvalidArgument",
      `componentName is ${JSON.stringify(componentName.slice(0, SHOWN_NAME_CHARACTERS))}, ` +
        "it must be a letter and up to 63 letters, digits and hyphens, in lower case",
    )
  }
  ensureAtMost("arguments", words.length, MAX_SPAWN_ARGUMENTS)
  if (capabilities.length % 3 !== 0) {
    throw new KernelError(
      "InvalidArgument",
      `capabilities has ${capabilities.length} numbers, it must hold triples: child's slot, own slot, rights`,
    )
  }
  ensureAtMost("capabilities", capabilities.length / 3, MAX_SPAWN_CAPABILITIES)
  if (priority > MAX_PRIORITY)
    throw new KernelError("RangeError", `priority is ${priority}, allowed are 0 to ${MAX_PRIORITY}`)
  if (state.livingCount() >= MAX_COMPONENTS) {
    throw new KernelError("NotEnoughMemory", `${MAX_COMPONENTS} components live, there cannot be more: end one first`)
  }
}

function ensureAtMost(what: string, count: number, limit: number): void {
  if (count > limit) throw new KernelError("RangeError", `${what} are ${count}, at most ${limit} can be passed`)
}

function readGifts(parent: Component, cspace: CNode, triples: readonly number[]): Gift[] {
  const gifts: Gift[] = []
  const taken = new Set<number>()
  for (let at = 0; at < triples.length; at += 3) {
    const [slot, sourceSlot, rights] = triples.slice(at, at + 3) as [number, number, number]
    ensureGrantable(cspace, slot)
    if (taken.has(slot)) throw new KernelError("DeleteFirst", `capabilities name the child's slot ${slot} twice`)
    taken.add(slot)
    const source = parent.cspace.lookup(sourceSlot)
    ensureMayGrant(source, rights)
    gifts.push({ slot, source, rights })
  }
  return gifts
}
