// removal.ts: takes capabilities away, however many, in pieces between which other components are served.
//
// Each piece is collected first (what it is about to remove is claimed, so nothing new can be made from it, and the
// unmaps it needs are listed), then, when the broker has unmapped, removed. After every piece slots, tree and objects
// agree. What a revoke has not reached yet can still derive children; they are descendants too, so the same revoke
// reaches them.

import type { Capability } from "../objects/capability.ts"
import type { CNode } from "../objects/cnode.ts"
import { hoist, settle } from "../objects/derivation-tree.ts"
import { isShared, type SharedObject } from "../objects/kernel-object.ts"
import type { Mapping } from "../objects/mapping.ts"
import type { AcquireEffect } from "./effects.ts"
import { remove } from "./holding.ts"
import { landed, provesOf, unmapEffect } from "./mappings.ts"
import type { KernelState } from "./state.ts"

/** Steps through tree and slots in one piece: below a millisecond or two of work. */
export const STEPS_PER_PIECE = 2_000

export interface RemovalPlan {
  /** Everything derived from it goes; itself it stays. */
  readonly descendantsOf?: Capability
  /** These go, and nothing derived from them. */
  readonly capabilities?: readonly Capability[]
  /** What stands in these goes. */
  readonly contentsOf?: readonly CNode[]
  /** Called before each capability to shared memory is removed. */
  readonly removing?: (object: SharedObject) => void
  /** Called once, when the last piece is done. `proved`: nobody can have kept any of the memory that was mapped. */
  readonly finished: (proved: boolean) => void
}

export class Removal {
  readonly #state: KernelState
  readonly #root: Capability | undefined
  readonly #removing: (object: SharedObject) => void
  readonly #finished: (proved: boolean) => void
  #single: readonly Capability[]
  /** CNodes whose contents are to go, and the slot to go on at. */
  readonly #cnodes: { readonly cnode: CNode; slot: number }[]
  #batch: Capability[] = []
  #unmapping: Mapping[] = []
  #steps = 0
  #proved = true

  constructor(state: KernelState, plan: RemovalPlan) {
    this.#state = state
    this.#root = plan.descendantsOf
    this.#single = plan.capabilities ?? []
    this.#cnodes = (plan.contentsOf ?? []).map(cnode => ({ cnode, slot: 0 }))
    this.#removing = plan.removing ?? (() => {})
    this.#finished = plan.finished
    if (this.#root !== undefined) this.#root.claims += 1
  }

  /** Chooses the next piece. Returns what must be unmapped, and be seen to be, before it is removed. */
  collect(): AcquireEffect[] {
    this.#steps = 0
    for (const capability of this.#single) this.#claim(capability)
    this.#single = []
    this.#collectContents()
    this.#collectDescendants()
    if (this.#unmapping.length === 0) return []
    const living = this.#unmapping.filter(mapping => mapping.component.state !== "ended")
    return [...living.map(unmapEffect), ...provesOf(living)]
  }

  /**
   * Removes the piece. True when nothing is left to do.
   * @param proved what the prove-unmapped effects of `collect` came to
   */
  apply(proved = true): boolean {
    if (!proved) this.#proved = false
    const orphans: CNode[] = []
    for (const capability of this.#batch) {
      capability.claims -= 1
      if (capability.cnode === undefined) settle(capability)
      else {
        if (isShared(capability.object)) this.#removing(capability.object)
        remove(this.#state, capability, orphans)
      }
    }
    for (const mapping of this.#unmapping) landed(mapping)
    this.#batch = []
    this.#unmapping = []
    for (const cnode of orphans) this.#cnodes.push({ cnode, slot: 0 })
    if (this.#cnodes.length > 0 || this.#hasDescendants()) return false
    // What lingers may have been mapped through a descendant that went before this removal began.
    const lingers = this.#root?.lingers === true
    if (this.#root !== undefined) {
      this.#root.claims -= 1
      settle(this.#root)
    }
    this.#finished(this.#proved && !lingers)
    return true
  }

  #claim(capability: Capability): void {
    capability.claims += 1
    this.#batch.push(capability)
    if (capability.lingers) this.#proved = false
    // Most have none, and an empty list to walk for each of a million is work for the garbage collector.
    if (capability.mappings === undefined) return
    for (const mapping of capability.mappings) {
      if (!mapping.component.confined) this.#proved = false
      mapping.inFlight += 1
      mapping.leaving = true
      this.#unmapping.push(mapping)
    }
  }

  #collectContents(): void {
    while (this.#cnodes.length > 0 && this.#steps < STEPS_PER_PIECE) {
      const current = this.#cnodes[this.#cnodes.length - 1] as { readonly cnode: CNode; slot: number }
      const { cnode } = current
      if (cnode.occupied === 0 || current.slot >= cnode.slots.length) {
        this.#cnodes.pop()
        continue
      }
      const capability = cnode.slots[current.slot]
      if (capability !== undefined) this.#claim(capability)
      current.slot += 1
      this.#steps += 1
    }
  }

  /** Flattens the subtree from its left edge until a leaf turns up, takes it, and goes on beside it. */
  #collectDescendants(): void {
    let node = this.#root?.firstChild
    while (node !== undefined && this.#steps < STEPS_PER_PIECE) {
      this.#steps += 1
      if (node.firstChild !== undefined) {
        const child: Capability = node.firstChild
        hoist(child, node)
        node = child
        continue
      }
      const next: Capability | undefined = node.next
      if (node.cnode !== undefined) this.#claim(node)
      else settle(node)
      node = next
    }
  }

  /** A childless stump that another removal still claims is not ours to wait for. */
  #hasDescendants(): boolean {
    let node = this.#root?.firstChild
    while (node !== undefined && node.cnode === undefined && node.firstChild === undefined) node = node.next
    return node !== undefined
  }
}

/**
 * Carries out a removal's next piece without waiting for the unmaps, which are left to the broker. For what no call
 * waits for: a component's end.
 */
export function removeUnattended(state: KernelState, removal: Removal): void {
  for (const effect of removal.collect()) if (effect.kind === "unmap") state.emit(effect)
  if (!removal.apply()) state.emit({ kind: "continue", token: state.keepRemoval(removal) })
}
