// capability.ts: one capability: an object, what may be done with it, its slot, and its place in the derivation tree.

import type { Rights } from "../abi/rights.ts"
import type { CNode } from "./cnode.ts"
import type { KernelObject } from "./kernel-object.ts"
import type { Lingering } from "./lingering.ts"
import type { Mapping } from "./mapping.ts"

/** The badge of a capability that has none yet. No capability can be minted with it. */
export const UNBADGED = 0n

/** About 120 bytes and a slot: a million of them must fit. Links are written by derivation-tree.ts only. */
export class Capability {
  readonly object: KernelObject
  readonly rights: Rights
  readonly badge: bigint
  /** Made together with its object, or with its badge. A copy of an original is its child, of a derived one its sibling. */
  readonly original: boolean

  /** Where it stands; without a CNode it is gone, and in the tree only as the place where its children hang. */
  cnode: CNode | undefined = undefined
  slot = 0

  parent: Capability | undefined = undefined
  firstChild: Capability | undefined = undefined
  previous: Capability | undefined = undefined
  next: Capability | undefined = undefined

  /** Mappings made through this capability: they go with it. */
  mappings: Set<Mapping> | undefined = undefined
  /** Who may still show what was mapped through this capability, or one derived from it that is gone. */
  lingering: Lingering | undefined = undefined
  /** Removals under way that have reached this capability: while there are any, nothing new is made from it. */
  claims = 0

  constructor(object: KernelObject, rights: Rights, badge: bigint, original: boolean) {
    this.object = object
    this.rights = rights
    this.badge = badge
    this.original = original
  }
}
