// attach.ts: object_attach: tells where an object stands in the caller's VSpace and what the caller is to it.

import { KernelError } from "../abi/errors.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import { SIGNALLER_BYTES, WAITER_BYTES } from "../abi/notification-map.ts"
import { Permission, Right } from "../abi/rights.ts"
import { type Args, AttachRole, type Result } from "../abi/syscalls.ts"
import { type Capability, UNBADGED } from "../objects/capability.ts"
import type { Component } from "../objects/component.ts"
import type { Frame } from "../objects/frame.ts"
import { describeObject } from "../objects/kernel-object.ts"
import type { Mapping } from "../objects/mapping.ts"
import { type Lane, type Notification, waiterBell, waiterParts } from "../objects/notification.ts"
import type { RingEndName } from "../objects/ring-ends.ts"
import type { AcquireEffect } from "./effects.ts"
import { refund } from "./holding.ts"
import { ensureRights, ensureUsable, lookupTyped, type Typed } from "./lookup.ts"
import { detach, ensureLanded, enter, hangBells, mapPart, whileInFlight } from "./mappings.ts"
import { type Caller, type Outcome, Transaction } from "./outcome.ts"
import { ensureStatusWord, statusAddress } from "./peer-status.ts"
import { ensureEnd, ringEndOf, takeEnd } from "./ring-end.ts"
import type { KernelState } from "./state.ts"

const ALL_BITS = 2n ** 64n - 1n
const READ_WRITE = Permission.read | Permission.write

type Attached = Result<"object_attach">

/**
 * object_attach. Role `frame`: the mapping of that frame in the caller's VSpace, preferably one made through the
 * capability in `slot`, else the oldest. Roles `producer` and `consumer`: the same, and the caller becomes that end of the
 * ring in it, which nobody else can be at the same time; its bells hang as abi/bell-map.ts says. Roles `signaller` and `waiter`: the notification's pages are mapped as
 * abi/notification-map.ts says, once for each capability and role; a signaller gets a lane of its own. Attaching again
 * answers the same.
 *
 * @throws {KernelError} FailedLookup: the slot is empty, or the frame is not mapped
 * @throws {KernelError} InvalidCapability: the slot holds an object of another type than the role takes
 * @throws {KernelError} InvalidArgument: no such role
 * @throws {KernelError} IllegalOperation: the right is missing (signaller, producer: write; waiter, consumer: read), or
 * another component waits, or somebody is that end of the ring, the caller itself included
 * @throws {KernelError} NotEnoughMemory: the notification's lanes, the status words or the VSpace are used up, or the
 * untyped that the notification came from has no room for two more pages
 */
export function objectAttach(
  state: KernelState,
  { component }: Caller,
  { slot, role }: Args<"object_attach">,
): Outcome<"object_attach"> {
  switch (role) {
    case AttachRole.frame:
      return attached(state, frameMapping(component, slot))
    case AttachRole.producer:
    case AttachRole.consumer:
      return attachEnd(state, component, slot, ringEndOf(role))
    case AttachRole.signaller:
    case AttachRole.waiter:
      return attachNotification(state, component, slot, role)
    default:
      throw new KernelError(
        "InvalidArgument",
        `role is ${role}, allowed are 0 (frame), 1 (signaller), 2 (waiter), 3 (producer) and 4 (consumer)`,
      )
  }
}

/** As `frame`, and makes the component an end of the ring in it, until it gives that up, ends, or loses the mapping. */
function attachEnd(state: KernelState, component: Component, slot: number, end: RingEndName): Transaction<Attached> {
  const mapping = frameMapping(component, slot)
  ensureEnd(component, slot, mapping, end)
  return takeEnd(mapping.object as Frame, mapping, end, attached(state, mapping))
}

function frameMapping(component: Component, slot: number): Mapping {
  const { capability, object } = lookupTyped(component, slot, "Page")
  const [oldest] = object.peers.mappingsIn(component.id)
  const mapping = mappingsThrough(capability, component)[0] ?? oldest
  if (mapping === undefined) {
    throw new KernelError(
      "FailedLookup",
      `${describeObject(object)} in slot ${slot} is not mapped: call memory_map first`,
    )
  }
  ensureLanded(mapping)
  ensureStatusWord(component, mapping)
  return mapping
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
  const signals = role === AttachRole.signaller
  const present = mappingsThrough(capability, component).find(mapping => object.isWaiter(mapping) !== signals)
  if (present !== undefined) {
    // It has its status word since its first attach.
    ensureLanded(present)
    return attached(state, present)
  }
  ensureStatusWord(component, undefined)
  return signals
    ? attachSignaller(state, component, { capability, object })
    : attachWaiter(state, component, { capability, object })
}

function attachWaiter(
  state: KernelState,
  component: Component,
  notification: Typed<Notification>,
): Transaction<Attached> {
  const { object } = notification
  object.ensureWaiter(component.id)
  const address = component.vspace.chooseAddress(WAITER_BYTES)
  const range = { address, bytes: WAITER_BYTES, permissions: Permission.read }
  const mapping = enter(state, component, notification, range)
  object.addWaiter(mapping)
  return mapParts(state, object, mapping, [], "own")
}

/** Whoever waits gets to see a lane only when it is mapped there, so a lane that is new is published by the commit. */
function attachSignaller(
  state: KernelState,
  component: Component,
  notification: Typed<Notification>,
): Transaction<Attached> {
  const { object } = notification
  const { badge } = notification.capability
  const bits = badge === UNBADGED || state.profile.signalNamesAnyBits ? ALL_BITS : badge
  const address = component.vspace.chooseAddress(SIGNALLER_BYTES)
  object.ensureLane(bits)
  const range = { address, bytes: SIGNALLER_BYTES, permissions: READ_WRITE }
  const mapping = enter(state, component, notification, range)
  const { lane, rebadged } = object.addSignaller(mapping, bits, () => state.newMemoryId())
  const isNew = !lane.standing
  const attaching = mapParts(
    state,
    object,
    mapping,
    [...(isNew ? makeLane(object, lane) : []), ...(rebadged ? [clearLane(object, lane)] : [])],
    "peers",
  )
  const commit = (proved: boolean) => {
    object.stand(lane)
    if (object.references === 0) destroyNew(state, isNew ? lane : undefined)
    else if (isNew || mapping.alive) publish(state, object, lane, isNew)
    return attaching.commit(proved)
  }
  const refuse = () => {
    attaching.refuse()
    if (isNew) state.emit({ kind: "destroy-bells", memory: lane.lane })
    const unused = object.refuse(lane, rebadged)
    // A notification that went meanwhile has given back all that it had taken.
    if (object.references > 0) refund(object.origin, unused)
  }
  return new Transaction(attaching.acquire, commit, refuse)
}

/** The notification went while its lane was being made. */
function destroyNew(state: KernelState, lane: Lane | undefined): void {
  if (lane === undefined) return
  for (const memory of [lane.lane, lane.ack]) state.emit({ kind: "destroy-memory", memory })
  state.emit({ kind: "destroy-bells", memory: lane.lane })
}

function makeLane({ memory }: Notification, { index, lane, ack }: Lane): AcquireEffect[] {
  const label = `notification-${memory}-${index}`
  const page = { kind: "create-memory", bytes: PAGE_BYTES, kernelWrites: false, forReaders: true } as const
  return [
    { ...page, memory: lane, label: `${label}-lane` },
    { ...page, memory: ack, label: `${label}-ack` },
  ]
}

function clearLane({ memory: page }: Notification, { index, lane, ack }: Lane): AcquireEffect {
  return { kind: "clear-lane", page, index, lane, ack }
}

function publish(state: KernelState, object: Notification, lane: Lane, isNew: boolean): void {
  // Whoever has it standing has it mapped; and nothing is mapped any more where the pages are on their way out.
  const waiters = isNew ? [...object.waiters].filter(waiter => !waiter.leaving) : []
  const maps = waiters.flatMap(waiter => waiterParts(lane, waiter).map(part => mapPart(waiter, part)))
  const bells = waiters.flatMap(waiter => hangBells(waiter, [waiterBell(lane, waiter)], "own"))
  state.emit({ kind: "publish-lane", page: object.memory, index: lane.index, badge: lane.badge, maps, bells })
}

/** Has the pages of a notification's entered mapping mapped, after `first`, and its bells hung. */
function mapParts(
  state: KernelState,
  object: Notification,
  mapping: Mapping,
  first: readonly AcquireEffect[],
  whose: "own" | "peers",
): Transaction<Attached> {
  const result = attached(state, mapping)
  const maps = mapping.parts.map(part => mapPart(mapping, part))
  return whileInFlight(
    mapping,
    [...first, { kind: "map-all", maps }, ...hangBells(mapping, object.bellsOf(mapping), whose)],
    () => result,
    () => detach(mapping),
  )
}

function mappingsThrough(capability: Capability, component: Component): Mapping[] {
  return [...(capability.mappings ?? [])].filter(mapping => mapping.component === component)
}

function attached(state: KernelState, mapping: Mapping): Attached {
  const { address, bytes, permissions, lane, capability } = mapping
  return { address, bytes, permissions, lane, status: statusAddress(state, mapping), badge: capability.badge }
}
