// capability-model.ts: what semantics.md, sections 1 and 2, says of capabilities, as tables small enough to be seen to be
// right. Nothing is kept up to date: who lives and what is free is worked out anew each time it matters.

import type { Profile } from "../../src/kernel-daemon/abi/profile.ts"

export type ModelType = "untyped" | "frame" | "notification" | "cnode" | "tcb" | "vspace"
/** A component's root CNode by its pid, or a CNode that was made. */
export type Holder = number | ModelObject

export interface ModelObject {
  readonly type: ModelType
  readonly bytes: number
  readonly origin: ModelObject | undefined
}

/** One capability. Where it stands is the key that it is kept under. */
export interface Node {
  readonly object: ModelObject
  readonly rights: number
  readonly badge: number
  readonly original: boolean
  parent: Node | undefined
}

/** A slot of a component's root CNode; `cnode` is a slot that holds a CNode, or OWN for the root CNode itself. */
export interface Place {
  readonly cnode: number
  readonly slot: number
}

export const OWN = 2
const READ = 1
const WRITE = 2
const GRANT = 4
const FIRST_FREE = 100

export class CapabilityModel {
  readonly profile: Profile
  readonly #cells = new Map<Holder, Map<number, Node>>()
  readonly #allocated = new Set<number>()
  readonly #objects = new Set<ModelObject>()
  readonly #root: number

  /** @param root the component that makes the calls, of which only `allocated` slots are handed out */
  constructor(profile: Profile, root: number) {
    this.profile = profile
    this.#root = root
  }

  get nodes(): Node[] {
    return [...this.#cells.values()].flatMap(cells => [...cells.values()])
  }

  at(holder: Holder, slot: number): Node | undefined {
    return this.#cells.get(holder)?.get(slot)
  }

  /** The first capability to a new object; it has no more rights than that to the memory. */
  begin(holder: Holder, slot: number, type: ModelType, bytes: number, parent?: Node): Node {
    const object = { type, bytes, origin: parent?.object }
    this.#objects.add(object)
    const node = { object, rights: parent?.rights ?? 7, badge: 0, original: true, parent }
    this.#put(holder, slot, node)
    return node
  }

  /** Bytes of an untyped that nothing takes. */
  free(untyped: ModelObject): number {
    let taken = 0
    for (const object of this.#objects) if (object.origin === untyped) taken += object.bytes
    return untyped.bytes - taken
  }

  /** The slot that is handed out next; its number is the answer. */
  allocate(): number {
    const slot = this.#lowestFree()
    this.#allocated.add(slot)
    return slot
  }

  /** A frame in the next free slot. */
  memoryAllocate(untypedSlot: number, bytes: number): string {
    const untyped = this.at(this.#root, untypedSlot)
    if (untyped === undefined) return "FailedLookup"
    this.begin(this.#root, this.#lowestFree(), "frame", bytes, untyped)
    return "ok"
  }

  retype(untypedSlot: number, type: ModelType, bytes: number, place: Place, count: number): string {
    const untyped = this.at(this.#root, untypedSlot)
    if (untyped === undefined) return "FailedLookup"
    if (untyped.object.type !== "untyped") return "InvalidCapability"
    if ((untyped.rights & WRITE) === 0) return "IllegalOperation"
    const holder = this.#holder(place.cnode, WRITE)
    if (typeof holder === "string") return holder
    const slots = Array.from({ length: count }, (_, index) => place.slot + index)
    if (slots.some(slot => this.at(holder, slot) !== undefined)) return "DeleteFirst"
    if (bytes * count > this.free(untyped.object)) return "NotEnoughMemory"
    for (const slot of slots) this.begin(holder, slot, type, bytes, untyped)
    return "ok"
  }

  derive(cnode: number, source: number, target: number, rights: number): string {
    const holder = this.#holder(cnode, READ | WRITE)
    if (typeof holder === "string") return holder
    return this.#from(holder, source, holder, target, node => {
      if ((rights & ~node.rights) !== 0) return "IllegalOperation"
      return { ...node, rights, original: false, parent: node }
    })
  }

  mint(cnode: number, source: number, target: number, rights: number, badge: number): string {
    const holder = this.#holder(cnode, READ | WRITE)
    if (typeof holder === "string") return holder
    return this.#from(holder, source, holder, target, node => {
      if ((rights & ~node.rights) !== 0) return "IllegalOperation"
      if (badge === 0 && !this.profile.signalOfNothingIsLost) return "InvalidArgument"
      if (node.badge !== 0 && !this.profile.mintRebadges) return "IllegalOperation"
      return { ...node, rights, badge, original: true, parent: node }
    })
  }

  copy(source: Place, target: Place): string {
    const from = this.#holder(source.cnode, READ)
    if (typeof from === "string") return from
    const to = this.#holder(target.cnode, WRITE)
    if (typeof to === "string") return to
    return this.#from(from, source.slot, to, target.slot, node => {
      const isParent = node.original && !this.profile.copyIsAlwaysSibling
      return { ...node, original: false, parent: isParent ? node : node.parent }
    })
  }

  move(source: Place, target: Place): string {
    const from = this.#holder(source.cnode, WRITE)
    if (typeof from === "string") return from
    const to = this.#holder(target.cnode, WRITE)
    if (typeof to === "string") return to
    if (from !== to && this.profile.moveStaysInCNode) return "IllegalOperation"
    return this.#from(from, source.slot, to, target.slot, node => {
      this.#take(from, source.slot)
      return node
    })
  }

  /** Puts a child into another component's root CNode. */
  grant(source: number, component: number, target: number, rights: number): string {
    return this.#from(this.#root, source, component, target, node => {
      if ((node.rights & GRANT) === 0 || (rights & ~node.rights) !== 0) return "IllegalOperation"
      return { ...node, rights, original: false, parent: node }
    })
  }

  insertInto(source: number, component: number, target: number): string {
    const node = this.at(this.#root, source)
    return node === undefined ? "FailedLookup" : this.grant(source, component, target, node.rights)
  }

  delete(place: Place, caller = this.#root): string {
    const holder = this.#holder(place.cnode, WRITE, caller)
    if (typeof holder === "string") return holder
    if (this.at(holder, place.slot) === undefined && this.profile.emptySlotIsRefused) return "FailedLookup"
    this.#take(holder, place.slot, true)
    this.#settle()
    return "ok"
  }

  revoke(place: Place, caller = this.#root): string {
    const holder = this.#holder(place.cnode, WRITE, caller)
    if (typeof holder === "string") return holder
    const revoked = this.at(holder, place.slot)
    if (revoked === undefined) return this.profile.emptySlotIsRefused ? "FailedLookup" : "ok"
    const descends = (node: Node | undefined): boolean =>
      node !== undefined && (node.parent === revoked || descends(node.parent))
    const gone = new Set(this.nodes.filter(descends))
    if (this.profile.revokeRemovesItself) gone.add(revoked)
    this.#removeAll(node => gone.has(node))
    this.#settle()
    return "ok"
  }

  #lowestFree(): number {
    let slot = FIRST_FREE
    while (this.at(this.#root, slot) !== undefined || this.#allocated.has(slot)) slot += 1
    return slot
  }

  #holder(cnode: number, needed: number, caller = this.#root): Holder | string {
    if (cnode === OWN) return caller
    const node = this.at(caller, cnode)
    if (node === undefined) return "FailedLookup"
    if (node.object.type !== "cnode") return "InvalidCapability"
    return (needed & ~node.rights) === 0 ? node.object : "IllegalOperation"
  }

  /** An occupied target is reported before an empty source. */
  #from(from: Holder, source: number, to: Holder, target: number, make: (source: Node) => Node | string): string {
    if (this.at(to, target) !== undefined) return "DeleteFirst"
    const node = this.at(from, source)
    if (node === undefined) return "FailedLookup"
    const made = make(node)
    if (typeof made === "string") return made
    this.#put(to, target, made)
    return "ok"
  }

  #put(holder: Holder, slot: number, node: Node): void {
    if (!this.#cells.has(holder)) this.#cells.set(holder, new Map())
    this.#cells.get(holder)?.set(slot, node)
    if (holder === this.#root) this.#allocated.delete(slot)
  }

  /** Empties a slot. Where the capability is gone for good, what was derived from it hangs below its parent. */
  #take(holder: Holder, slot: number, isGone = false): void {
    const gone = this.at(holder, slot)
    this.#cells.get(holder)?.delete(slot)
    if (holder === this.#root) this.#allocated.delete(slot)
    if (gone === undefined || !isGone) return
    for (const node of this.nodes) if (node.parent === gone) node.parent = gone.parent
  }

  #removeAll(isGone: (node: Node, holder: Holder) => boolean): void {
    for (const [holder, cells] of this.#cells) {
      for (const [slot, node] of [...cells]) if (isGone(node, holder)) this.#take(holder, slot, true)
    }
  }

  /** An object lives while a capability names it, an untyped also while something that was made from it does. */
  #settle(): void {
    const named = new Set(this.nodes.map(({ object }) => object))
    const dead = [...this.#objects].filter(
      object => !named.has(object) && ![...this.#objects].some(({ origin }) => origin === object),
    )
    if (dead.length === 0) return
    for (const object of dead) this.#objects.delete(object)
    this.#removeAll((_, holder) => typeof holder !== "number" && dead.includes(holder))
    this.#settle()
  }
}
