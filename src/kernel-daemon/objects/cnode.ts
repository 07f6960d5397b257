// cnode.ts: a table of capability slots. Pure and synchronous; nothing here may await.

import { KernelError } from "../abi/errors.ts"
import { FIRST_FREE_SLOT, OBJECT_BYTES } from "../abi/limits.ts"
import { FIRST_ADDRESS } from "../abi/profile.ts"
import type { Capability } from "./capability.ts"
import { type ComponentId, ObjectBase } from "./kernel-object.ts"
import type { Untyped } from "./untyped.ts"

export class CNode extends ObjectBase {
  readonly type = "CNode"
  /** Whose capabilities these count as: the component whose root CNode this is, or which made it. */
  readonly owner: ComponentId
  readonly slots: (Capability | undefined)[]
  /** How many slots hold a capability. */
  occupied = 0
  /** Handed out by `allocate`: empty for whoever inserts, but not handed out again. */
  readonly #allocated = new Set<number>()
  /** Held for an invocation that is under way: occupied for everybody else. */
  readonly #pending = new Set<number>()
  /** No slot from FIRST_FREE_SLOT up to here is free. */
  #lowestFree = FIRST_FREE_SLOT

  /** @param slots number of slots, 1 to MAX_CNODE_SLOTS */
  constructor(origin: Untyped | undefined, owner: ComponentId, slots: number) {
    super(origin, slots * OBJECT_BYTES.capSlot)
    this.owner = owner
    this.slots = new Array<Capability | undefined>(slots).fill(undefined)
  }

  /**
   * What stands in `slot`, `undefined` when it is empty. An address of profile kaal stands for the lowest slot with a
   * capability to that frame.
   * @throws {KernelError} FailedLookup: no such slot
   */
  find(slot: number): Capability | undefined {
    if (slot >= this.slots.length) {
      const named = slot < FIRST_ADDRESS ? undefined : this.#atAddress(slot)
      if (named !== undefined) return named
      throw new KernelError("FailedLookup", `slot is ${slot}, the CNode has slots 0 to ${this.slots.length - 1}`)
    }
    return this.slots[slot]
  }

  /**
   * What stands in `slot`.
   * @throws {KernelError} FailedLookup: no such slot, or it is empty
   */
  lookup(slot: number): Capability {
    const capability = this.find(slot)
    if (capability === undefined) throw new KernelError("FailedLookup", `slot ${slot} is empty`)
    return capability
  }

  /**
   * @throws {KernelError} FailedLookup: no such slot
   * @throws {KernelError} DeleteFirst: it holds a capability, or one is about to be put there
   */
  ensureEmpty(slot: number): void {
    if (this.find(slot) !== undefined) {
      throw new KernelError("DeleteFirst", `slot ${slot} is occupied: delete what is there, or choose another`)
    }
    if (this.#pending.has(slot)) {
      throw new KernelError("DeleteFirst", `slot ${slot} is about to be filled by another call: choose another`)
    }
  }

  /**
   * Hands out the lowest free slot from FIRST_FREE_SLOT up; empty for who inserts, never handed out twice.
   * @throws {KernelError} NotEnoughMemory: there is none
   */
  allocate(): number {
    const slot = this.lowestFree()
    this.#allocated.add(slot)
    return slot
  }

  /** Holds `slot`, which is empty, for an invocation under way: it counts as occupied until `put` or `release`. */
  hold(slot: number): void {
    this.#pending.add(slot)
  }

  /** Gives back an empty slot from `allocate`; one that is held for an invocation stays so. */
  forgetAllocation(slot: number): void {
    if (!this.#pending.has(slot)) this.release(slot)
  }

  /** Makes an empty slot free for allocation again. */
  release(slot: number): void {
    this.#allocated.delete(slot)
    this.#pending.delete(slot)
    if (slot >= FIRST_FREE_SLOT && slot < this.#lowestFree) this.#lowestFree = slot
  }

  /** Puts a capability into an empty slot. */
  put(slot: number, capability: Capability): void {
    this.#allocated.delete(slot)
    this.#pending.delete(slot)
    this.slots[slot] = capability
    this.occupied += 1
    capability.cnode = this
    capability.slot = slot
  }

  /** Empties the slot of a capability that stands here. */
  clear(capability: Capability): void {
    this.slots[capability.slot] = undefined
    this.occupied -= 1
    capability.cnode = undefined
    this.release(capability.slot)
  }

  /**
   * The lowest free slot from FIRST_FREE_SLOT up.
   * @throws {KernelError} NotEnoughMemory: there is none
   */
  lowestFree(): number {
    let slot = this.#lowestFree
    while (slot < this.slots.length && !this.#isFree(slot)) slot += 1
    if (slot >= this.slots.length) {
      throw new KernelError(
        "NotEnoughMemory",
        `no free slot from ${FIRST_FREE_SLOT} to ${this.slots.length - 1}: delete a capability first`,
      )
    }
    this.#lowestFree = slot
    return slot
  }

  #atAddress(address: number): Capability | undefined {
    return this.slots.find(capability => capability?.object.type === "Page" && capability.object.address === address)
  }

  #isFree(slot: number): boolean {
    return this.slots[slot] === undefined && !this.#allocated.has(slot) && !this.#pending.has(slot)
  }
}
