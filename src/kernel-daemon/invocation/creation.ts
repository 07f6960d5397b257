// creation.ts: syscalls that make objects out of untyped memory.

import { KernelError } from "../abi/errors.ts"
import { MAX_RETYPE_COUNT, OBJECT_BYTES, PAGE_BYTES, RETYPE_BITS } from "../abi/limits.ts"
import { ObjectType } from "../abi/object-types.ts"
import { Right } from "../abi/rights.ts"
import type { Args, Result } from "../abi/syscalls.ts"
import { UNBADGED } from "../objects/capability.ts"
import { CNode } from "../objects/cnode.ts"
import { Component } from "../objects/component.ts"
import { Endpoint } from "../objects/endpoint.ts"
import { Frame } from "../objects/frame.ts"
import { isShared, type KernelObject } from "../objects/kernel-object.ts"
import { Notification } from "../objects/notification.ts"
import { Untyped } from "../objects/untyped.ts"
import { VSpace } from "../objects/vspace.ts"
import type { AcquireEffect } from "./effects.ts"
import { place, refund } from "./holding.ts"
import { ensureRights, ensureUsable, isUsable, lookupCNode, lookupTyped, ownUntyped, type Typed } from "./lookup.ts"
import { type Caller, Transaction } from "./outcome.ts"
import type { KernelState } from "./state.ts"

type Make = (origin: Untyped) => KernelObject

/**
 * memory_allocate: a frame of `bytes`, rounded up to pages, out of the caller's untyped; a capability to it, with the
 * rights of that to the untyped, is put into the lowest free slot from FIRST_FREE_SLOT up. So in a fresh root task one frame and one
 * cap_allocate take slots 100 and 101, and the two notifications after them 102 and 103, the plan's numbers. In profile
 * kaal the result is an address, by which the caller can name the frame as by that slot.
 *
 * @throws {KernelError} InvalidArgument: `bytes` is 0
 * @throws {KernelError} IllegalOperation: the capability to the untyped lacks write
 * @throws {KernelError} NotEnoughMemory: the untyped has less, the CNode has no free slot, or Linux has no memory
 */
export function memoryAllocate(
  state: KernelState,
  caller: Caller,
  { bytes }: Args<"memory_allocate">,
): Transaction<{ slot: number }> {
  if (bytes === 0) throw new KernelError("InvalidArgument", "bytes is 0: a frame has at least one")
  const frameBytes = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
  state.ensureAddresses(frameBytes)
  return createInOwnSlot(state, caller, frameBytes, origin => {
    const address = state.newAddress(frameBytes)
    return new Frame(origin, state.newMemoryId(), frameBytes, caller.component.id, address)
  })
}

/**
 * notification_create: a notification, one page out of the caller's untyped. Slot and errors as for memory_allocate.
 */
export function notificationCreate(state: KernelState, caller: Caller): Transaction<{ slot: number }> {
  return createInOwnSlot(state, caller, PAGE_BYTES, origin => {
    return new Notification(origin, state.newMemoryId(), caller.component.id)
  })
}

/** endpoint_create: an endpoint out of the caller's untyped. Slot and errors as for memory_allocate. */
export function endpointCreate(state: KernelState, caller: Caller): Transaction<{ slot: number }> {
  return createInOwnSlot(state, caller, OBJECT_BYTES.endpoint, origin => new Endpoint(origin))
}

/**
 * retype: `count` objects of one type into `count` consecutive empty slots; their capabilities are descendants of the
 * untyped's, with the same rights. Types: Untyped (2^sizeBits bytes), Page (2^sizeBits bytes), CNode (2^sizeBits slots), Endpoint,
 * Notification, TCB (inactive) and VSpace (empty): process_create makes a component in those two. Errors in seL4's order.
 *
 * @throws {KernelError} IllegalOperation: the capability to the untyped lacks write
 * @throws {KernelError} InvalidArgument: another type
 * @throws {KernelError} RangeError: `sizeBits` is out of the type's range, or the slots of the CNode's
 * @throws {KernelError} DeleteFirst: a slot is occupied
 * @throws {KernelError} NotEnoughMemory: the untyped, or Linux, has less
 */
export function retype(state: KernelState, caller: Caller, args: Args<"retype">): Transaction<Result<"retype">> {
  const { type, sizeBits, slot, count } = args
  const untyped = lookupTyped(caller.component, args.untyped, "Untyped")
  ensureRights(untyped.capability, Right.write)
  ensureUsable(untyped.capability)
  const { make, eachBytes } = makerOf(state, caller, type, sizeBits)
  const cnode = lookupCNode(state, caller.component, args.cnode, Right.write)
  const length = cnode.slots.length
  if (slot >= length) throw new KernelError("RangeError", `slot is ${slot}, the CNode has slots 0 to ${length - 1}`)
  const most = Math.min(MAX_RETYPE_COUNT, length - slot)
  if (count < 1 || count > most) {
    throw new KernelError("RangeError", `count is ${count}, from slot ${slot} allowed are 1 to ${most}`)
  }
  const slots = Array.from({ length: count }, (_, index) => slot + index)
  for (const each of slots) cnode.ensureEmpty(each)
  untyped.object.charge(eachBytes * count)
  const objects = slots.map(() => make(untyped.object))
  return create(state, caller, untyped, cnode, slots, objects, () => ({}))
}

function makerOf(
  state: KernelState,
  caller: Caller,
  type: number,
  sizeBits: number,
): { make: Make; eachBytes: number } {
  const owner = caller.component.id
  switch (type) {
    case ObjectType.Untyped: {
      const eachBytes = powerOfTwo("an untyped", sizeBits, RETYPE_BITS.untyped)
      return { eachBytes, make: origin => new Untyped(origin, eachBytes) }
    }
    case ObjectType.Page: {
      const eachBytes = powerOfTwo("a frame", sizeBits, RETYPE_BITS.frame)
      return { eachBytes, make: origin => new Frame(origin, state.newMemoryId(), eachBytes, owner) }
    }
    case ObjectType.CNode: {
      const slots = powerOfTwo("a CNode", sizeBits, RETYPE_BITS.cnode)
      return { eachBytes: slots * OBJECT_BYTES.capSlot, make: origin => new CNode(origin, owner, slots) }
    }
    case ObjectType.Endpoint:
      return { eachBytes: OBJECT_BYTES.endpoint, make: origin => new Endpoint(origin) }
    case ObjectType.Notification:
      return { eachBytes: PAGE_BYTES, make: origin => new Notification(origin, state.newMemoryId(), owner) }
    case ObjectType.TCB:
      return { eachBytes: OBJECT_BYTES.tcb, make: origin => new Component(origin) }
    case ObjectType.VSpace:
      return { eachBytes: OBJECT_BYTES.vspace, make: origin => new VSpace(origin) }
    default:
      throw new KernelError(
        "InvalidArgument",
        `type is ${type}, retype makes Untyped (1), Endpoint (2), Notification (3), TCB (4), CNode (5), VSpace (6) and ` +
          "Page (8)",
      )
  }
}

function powerOfTwo(what: string, bits: number, [low, high]: readonly [number, number]): number {
  if (bits < low || bits > high)
    throw new KernelError("RangeError", `sizeBits is ${bits}, ${what} takes ${low} to ${high}`)
  return 2 ** bits
}

function createInOwnSlot(state: KernelState, caller: Caller, bytes: number, make: Make): Transaction<{ slot: number }> {
  const untyped = ownUntyped(caller.component)
  const { cspace } = caller.component
  const slot = cspace.lowestFree()
  untyped.object.charge(bytes)
  const object = make(untyped.object)
  const name = object.type === "Page" ? (object.address ?? slot) : slot
  return create(state, caller, untyped, cspace, [slot], [object], () => ({ slot: name }))
}

/** Puts objects whose memory has been charged into slots that are empty, as soon as Linux has given the memory. */
function create<R>(
  state: KernelState,
  caller: Caller,
  untyped: Typed<Untyped>,
  cnode: CNode,
  slots: readonly number[],
  objects: readonly KernelObject[],
  result: () => R,
): Transaction<R> {
  const shared = objects.filter(isShared)
  for (const slot of slots) cnode.hold(slot)
  const giveBack = () => {
    for (const slot of slots) cnode.release(slot)
    for (const object of objects) refund(untyped.object, object.chargedBytes)
  }
  const commit = () => {
    if (!isUsable(untyped.capability) || cnode.references === 0 || caller.component.state === "ended") {
      giveBack()
      for (const { memory } of shared) state.emit({ kind: "destroy-memory", memory })
      throw new KernelError("Revoked", "the untyped or the CNode was revoked during the call")
    }
    objects.forEach((object, index) => {
      place(state, cnode, slots[index] as number, {
        object,
        // As with a copy: a capability to less makes nothing that can do more.
        rights: untyped.capability.rights,
        badge: UNBADGED,
        original: true,
        parent: untyped.capability,
      })
    })
    return result()
  }
  return new Transaction(shared.map(createMemory), commit, giveBack)
}

function createMemory(object: Frame | Notification): AcquireEffect {
  const label = `${object.type === "Page" ? "frame" : "notification"}-${object.memory}`
  const kernelWrites = object.type === "Notification"
  return { kind: "create-memory", memory: object.memory, bytes: object.bytes, label, kernelWrites, forReaders: false }
}
