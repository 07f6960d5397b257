// peers.ts: which components share an object, so that the last one left can be told that it is alone.
//
// A peer is a component that has the object mapped or holds a capability to it with write. Its creator holds
// capabilities in order to hand them out, and maps the object in order to prepare it, so it is a peer only while it has it
// attached.

import { Permission } from "../abi/rights.ts"
import type { ComponentId } from "./kernel-object.ts"
import { type Mapping, NO_STATUS_WORD } from "./mapping.ts"

interface Stake {
  writeCapabilities: number
  /** Mappings whose status somebody has asked for. */
  attached: number
  readonly mappings: Set<Mapping>
}

// Not written where they are used: each call would make a closure, and a revoke of a million a million of them.
const oneMoreWriter = (stake: Stake): void => {
  stake.writeCapabilities += 1
}
const oneWriterLess = (stake: Stake): void => {
  stake.writeCapabilities -= 1
}

export class Peers {
  readonly #creator: ComponentId
  readonly #stakes = new Map<ComponentId, Stake>()
  #count = 0
  /** A peer has died and at most one was left: true until there are two again. */
  abandoned = false

  constructor(creator: ComponentId) {
    this.#creator = creator
  }

  get count(): number {
    return this.#count
  }

  has(component: ComponentId): boolean {
    const stake = this.#stakes.get(component)
    if (stake === undefined) return false
    if (component === this.#creator) return stake.attached > 0
    return stake.mappings.size > 0 || stake.writeCapabilities > 0
  }

  /** Mappings of this object in one component's VSpace, the oldest first. */
  mappingsIn(component: ComponentId): Iterable<Mapping> {
    return this.#stakes.get(component)?.mappings ?? []
  }

  /** All mappings of this object. */
  *mappings(): Iterable<Mapping> {
    for (const stake of this.#stakes.values()) yield* stake.mappings
  }

  /** Who may write the object, or has it mapped so. Cost: linear in its mappings. */
  writers(): ComponentId[] {
    const writes = ({ parts }: Mapping): boolean => parts.some(({ permissions }) => permissions & Permission.write)
    return [...this.#stakes]
      .filter(([, { writeCapabilities, mappings }]) => writeCapabilities > 0 || [...mappings].some(writes))
      .map(([component]) => component)
  }

  addWriter(component: ComponentId): void {
    this.#change(component, oneMoreWriter)
  }

  removeWriter(component: ComponentId): void {
    this.#change(component, oneWriterLess)
  }

  addMapping(mapping: Mapping): void {
    this.#change(mapping.component.id, stake => stake.mappings.add(mapping))
  }

  /** The mapping has got its status word. */
  addAttached(mapping: Mapping): void {
    this.#change(mapping.component.id, stake => {
      stake.attached += 1
    })
  }

  /** Before it gives up its status word, if it has one. */
  removeMapping(mapping: Mapping): void {
    this.#change(mapping.component.id, stake => {
      stake.mappings.delete(mapping)
      if (mapping.statusWord !== NO_STATUS_WORD) stake.attached -= 1
    })
  }

  #change(component: ComponentId, apply: (stake: Stake) => void): void {
    const before = this.has(component)
    const stake = this.#stakes.get(component) ?? { writeCapabilities: 0, attached: 0, mappings: new Set<Mapping>() }
    apply(stake)
    if (stake.writeCapabilities === 0 && stake.mappings.size === 0) this.#stakes.delete(component)
    else this.#stakes.set(component, stake)
    this.#count += Number(this.has(component)) - Number(before)
  }
}
