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
import type { Lingering } from "../objects/lingering.ts"
import type { Mapping } from "../objects/mapping.ts"
import type { AcquireEffect } from "./effects.ts"
import { remove } from "./holding.ts"
import { type Lingered, landed, provesOf, unmapEffect } from "./mappings.ts"
import type { KernelState } from "./state.ts"

/** Steps through tree and slots in one piece: a millisecond of work, or less. */
export const STEPS_PER_PIECE = 1_000
/** Only a CNode leaves orphans. */
const NO_ORPHANS: CNode[] = []
/** What a mapping counts for: who had it is looked at, which costs the daemon 60 us and more; others are served meanwhile. */
export const STEPS_PER_MAPPING = 20

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
  /** The piece: the first #chosen of these. Kept from piece to piece, so that a million leave no garbage. */
  readonly #batch: (Capability | undefined)[] = []
  #chosen = 0
  #unmapping: Mapping[] = []
  /** Who is looked at beside those that unmap, and the capability that remembers him. */
  #lingered: (Lingered & { readonly capability: Capability })[] = []
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

  /**
   * Chooses the next piece, the same one again until it is applied. Returns what must be unmapped, and be seen to be, before
   * it is removed.
   */
  collect(): AcquireEffect[] {
    if (this.#chosen === 0) this.#choose()
    if (this.#unmapping.length === 0 && this.#lingered.length === 0) return []
    const living = this.#unmapping.filter(mapping => mapping.component.state !== "ended")
    return [...living.map(unmapEffect), ...provesOf(living, this.#lingered)]
  }

  #choose(): void {
    this.#steps = 0
    this.#lingered = []
    // That may have been mapped through a descendant that went before this removal began.
    if (this.#root?.lingering !== undefined) this.#lookFor(this.#root, this.#root.lingering)
    for (const capability of this.#single) this.#claim(capability)
    this.#single = []
    this.#collectContents()
    this.#collectDescendants()
  }

  /**
   * Removes the piece. True when nothing is left to do.
   * @param proved what the prove-unmapped effects of `collect` came to
   */
  apply(proved = true): boolean {
    if (!proved) this.#proved = false
    else for (const { capability, component } of this.#lingered) capability.lingering?.forget(component)
    const orphans: CNode[] = []
    for (let at = 0; at < this.#chosen; at++) {
      const capability = this.#batch[at] as Capability
      // It would live on with this removal otherwise.
      this.#batch[at] = undefined
      capability.claims -= 1
      if (capability.cnode === undefined) settle(capability)
      else {
        if (isShared(capability.object)) this.#removing(capability.object)
        remove(this.#state, capability, orphans, proved)
        if (capability.lingering?.isOver === false) this.#proved = false
      }
    }
    for (const mapping of this.#unmapping) landed(mapping)
    this.#chosen = 0
    this.#unmapping = []
    this.#lingered = []
    for (const cnode of orphans) this.#cnodes.push({ cnode, slot: 0 })
    if (this.#cnodes.length > 0 || this.#hasDescendants()) return false
    const isOver = this.#root?.lingering?.isOver ?? true
    if (this.#root !== undefined) {
      this.#root.claims -= 1
      settle(this.#root)
    }
    this.#finished(this.#proved && isOver)
    return true
  }

  #claim(capability: Capability): void {
    capability.claims += 1
    this.#batch[this.#chosen] = capability
    this.#chosen += 1
    if (capability.lingering !== undefined) this.#lookFor(capability, capability.lingering)
    // Most have none, and an empty list to walk for each of a million is work for the garbage collector.
    if (capability.mappings === undefined) return
    for (const mapping of capability.mappings) {
      mapping.inFlight += 1
      mapping.leaving = true
      this.#unmapping.push(mapping)
      this.#steps += STEPS_PER_MAPPING
    }
  }

  /** Has all looked at of whom a look can prove something. */
  #lookFor(capability: Capability, lingering: Lingering): void {
    const { object } = capability
    if (!isShared(object)) return
    for (const component of lingering.visible) this.#lingered.push({ capability, component, object })
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
 * Removes a capability through which nothing is or was mapped, and which holds no other capabilities: there is nothing to
 * unmap, nobody to look at, and one piece of work. False, with nothing changed, when it is another. Cost: O(1), no garbage.
 */
export function removeAtOnce(state: KernelState, capability: Capability): boolean {
  const { mappings, lingering, object } = capability
  if (mappings !== undefined || lingering !== undefined || object.type === "CNode") return false
  remove(state, capability, NO_ORPHANS, true)
  return true
}

/**
 * Carries out a removal that no call waits for, as a component's end does: at once as long as nobody has to unmap or to be
 * looked at, the rest as a removal of its own.
 */
export function removeUnattended(state: KernelState, removal: Removal): void {
  const worked = removal.collect().length === 0
  if (worked && removal.apply()) return
  state.emit({ kind: "continue", token: state.keepPiece(removal), worked })
}
