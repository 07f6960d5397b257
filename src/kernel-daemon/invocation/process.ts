// process.ts: syscalls that create, start and kill components.

import { KernelError } from "../abi/errors.ts"
import {
  ConventionSlot,
  MAX_COMPONENTS,
  MAX_PRIORITY,
  MAX_SPAWN_ARGUMENTS,
  MAX_SPAWN_CAPABILITIES,
} from "../abi/limits.ts"
import { ALL_RIGHTS, Right, type Rights } from "../abi/rights.ts"
import type { Args, Result } from "../abi/syscalls.ts"
import { type Capability, UNBADGED } from "../objects/capability.ts"
import { Component } from "../objects/component.ts"
import type { KernelObject } from "../objects/kernel-object.ts"
import { childOf, ensureGrantable, ensureMayGrant } from "./capability.ts"
import { endComponent } from "./component-end.ts"
import { type NewCapability, place } from "./holding.ts"
import { ensureRights, lookupLivingTcb, lookupTyped, ownUntyped } from "./lookup.ts"
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
 * caller's capability. A TCB capability with all rights is put into the caller's lowest free slot from FIRST_FREE_SLOT
 * up.
 *
 * @throws {KernelError} FailedLookup, InvalidCapability: the caller lacks process control or an untyped, or a source is
 * none
 * @throws {KernelError} InvalidArgument: the name is not one, the capabilities are no triples, or `confined` is neither
 * 0 nor 1
 * @throws {KernelError} IllegalOperation: `confined` is 0, and the caller's process control lacks a right
 * @throws {KernelError} RangeError: too many arguments or capabilities, a priority or a slot out of range
 * @throws {KernelError} DeleteFirst: two capabilities for one slot
 * @throws {KernelError} IllegalOperation: a source lacks grant, rights exceed its own, or the untyped's lack write
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
  const slot = parent.cspace.lowestFree()
  const child = new Component(untyped.object, state.newComponentId(), args.componentName, args.arguments, {
    confined: state.confines && args.confined === 1,
  })
  const gifts = readGifts(parent, child, args.capabilities)
  untyped.object.charge(Component.totalBytes)

  // All of it stands from the decision on, so that a revoke which comes while the process boots takes from it as from
  // any.
  state.components.set(child.id, child)
  const tcb = place(state, parent.cspace, slot, {
    ...original(child, untyped.capability),
    rights: untyped.capability.rights,
  })
  giveOwnObjects(state, child, tcb, untyped.capability)
  for (const gift of gifts) place(state, child.cspace, gift.slot, childOf(gift.source, gift.rights))

  const { id, name, confined } = child
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
        endComponent(state, child, { kind: "killed", signal: "SIGKILL", reason: "it did not boot" })
      if (tcb.cnode !== undefined) {
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

/** Puts a component's own TCB, CNode and VSpace into its convention slots. */
export function giveOwnObjects(
  state: KernelState,
  component: Component,
  tcb: Capability | undefined,
  untyped: Capability | undefined,
): void {
  const { cspace, vspace } = component
  const own = tcb === undefined ? original(component, untyped) : childOf(tcb, tcb.rights)
  place(state, cspace, ConventionSlot.ownTcb, own)
  place(state, cspace, ConventionSlot.ownCNode, original(cspace, untyped))
  place(state, cspace, ConventionSlot.ownVSpace, original(vspace, untyped))
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
 */
export function processKill(
  state: KernelState,
  { component }: Caller,
  { tcb }: Args<"process_kill">,
): Result<"process_kill"> {
  const { capability, object: target } = lookupTyped(component, tcb, "TCB")
  ensureRights(capability, Right.write)
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
 * @throws {KernelError} FailedLookup, InvalidCapability, IllegalOperation: no such capability stands in the slot
 */
export function processDescribe(
  _state: KernelState,
  { component }: Caller,
  { tcb }: Args<"process_describe">,
): Result<"process_describe"> {
  const { capability, object } = lookupTyped(component, tcb, "TCB")
  ensureRights(capability, Right.read)
  const { id, name, state, confined } = object
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

function readGifts(parent: Component, child: Component, triples: readonly number[]): Gift[] {
  const gifts: Gift[] = []
  const taken = new Set<number>()
  for (let at = 0; at < triples.length; at += 3) {
    const [slot, sourceSlot, rights] = triples.slice(at, at + 3) as [number, number, number]
    ensureGrantable(child.cspace, slot)
    if (taken.has(slot)) throw new KernelError("DeleteFirst", `capabilities name the child's slot ${slot} twice`)
    taken.add(slot)
    const source = parent.cspace.lookup(sourceSlot)
    ensureMayGrant(source, rights)
    gifts.push({ slot, source, rights })
  }
  return gifts
}
