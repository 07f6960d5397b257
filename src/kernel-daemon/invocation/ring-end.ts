// ring-end.ts: who holds an end of the ring in a frame: taking it, with the bells that go with it, and giving it up.

import { endBellAddress } from "../abi/bell-map.ts"
import { KernelError } from "../abi/errors.ts"
import { Permission, Right } from "../abi/rights.ts"
import { type Args, AttachRole, type Result } from "../abi/syscalls.ts"
import type { Component } from "../objects/component.ts"
import type { Frame } from "../objects/frame.ts"
import { describeObject } from "../objects/kernel-object.ts"
import { describeMapping, type Mapping } from "../objects/mapping.ts"
import type { RingEndName } from "../objects/ring-ends.ts"
import type { AcquireEffect } from "./effects.ts"
import { ensureRights, lookupTyped } from "./lookup.ts"
import { ensureLanded, whileBellsInFlight } from "./mappings.ts"
import type { Caller, Outcome, Transaction } from "./outcome.ts"
import type { KernelState } from "./state.ts"

const NAMES: Readonly<Record<number, RingEndName>> = {
  [AttachRole.producer]: "producer",
  [AttachRole.consumer]: "consumer",
}

/** @throws {KernelError} InvalidArgument: not the role of a ring's end */
export function ringEndOf(role: number): RingEndName {
  const end = NAMES[role]
  if (end !== undefined) return end
  throw new KernelError(
    "InvalidArgument",
    `role is ${role}, an end is ${AttachRole.producer} (producer) or ${AttachRole.consumer} (consumer)`,
  )
}

/**
 * Makes the component an end of the ring in a frame, through `mapping`, and hangs the end's bells there.
 * @throws {KernelError} IllegalOperation: the end is held, or the mapping does not let a producer write
 */
export function takeEnd(
  frame: Frame,
  mapping: Mapping,
  end: RingEndName,
  result: Result<"object_attach">,
): Transaction<Result<"object_attach">> {
  frame.ends.take(end, mapping)
  return whileBellsInFlight(
    mapping,
    hangBells(frame, mapping, end),
    () => result,
    () => frame.ends.leave(end, mapping),
  )
}

/** @throws {KernelError} IllegalOperation: no right to be that end, or somebody is */
export function ensureEnd(component: Component, slot: number, mapping: Mapping, end: RingEndName): void {
  const { capability, object } = lookupTyped(component, slot, "Page")
  ensureRights(capability, end === "producer" ? Right.write : Right.read)
  if (end === "producer" && (mapping.permissions & Permission.write) === 0) {
    throw new KernelError("IllegalOperation", `${describeMapping(mapping)}, a producer needs it mapped rw: remap it`)
  }
  object.ends.ensureFree(end, describeObject(object))
}

/**
 * object_detach: gives up an end of the ring in a frame. Its bells are gone when the call returns, and the end is free.
 * @throws {KernelError} FailedLookup, InvalidCapability: no frame in the slot. InvalidArgument: not an end's role
 * @throws {KernelError} IllegalOperation: the caller does not hold that end, or it is being changed by another call
 */
export function objectDetach(
  _: KernelState,
  { component }: Caller,
  { slot, role }: Args<"object_detach">,
): Outcome<"object_detach"> {
  const end = ringEndOf(role)
  const { object } = lookupTyped(component, slot, "Page")
  const mapping = object.ends.heldBy(end, component.id)
  if (mapping === undefined) {
    throw new KernelError(
      "IllegalOperation",
      `component ${component.id} is not the ${end} of ${describeObject(object)}`,
    )
  }
  ensureLanded(mapping)
  object.ends.startLeaving(end)
  const take: AcquireEffect = {
    kind: "take-bells",
    component: component.id,
    address: endBellAddress(mapping.address, role),
  }
  const prove: AcquireEffect = {
    kind: "prove-unmapped",
    component: component.id,
    memory: object.memory,
    bellsOf: object.id,
  }
  const leave = () => {
    object.ends.leave(end, mapping)
    return {}
  }
  return whileBellsInFlight(mapping, [take, prove], leave, leave)
}

function hangBells({ id: memory }: Frame, { component, address }: Mapping, end: RingEndName): AcquireEffect[] {
  const produces = end === "producer"
  const at = endBellAddress(address, produces ? AttachRole.producer : AttachRole.consumer)
  const other = produces ? "consumer" : "producer"
  return [
    { kind: "hang-bell", component: component.id, address: at, memory, bell: end, whose: "own" },
    { kind: "hang-bell", component: component.id, address: at, memory, bell: other, whose: "peers" },
  ]
}
