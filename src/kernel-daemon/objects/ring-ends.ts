// ring-ends.ts: which mapping of a frame is the producer of the ring in it, and which the consumer. One each, at most.

import { KernelError } from "../abi/errors.ts"
import type { Mapping } from "./mapping.ts"

export type RingEndName = "producer" | "consumer"

interface Holder {
  readonly mapping: Mapping
  /** It is giving the end up; nobody else gets it before its bells are gone. */
  leaving: boolean
}

export class RingEnds {
  readonly #holders = new Map<RingEndName, Holder>()

  /** @throws {KernelError} IllegalOperation: somebody holds the end */
  ensureFree(end: RingEndName, frame: string): void {
    const holder = this.#holders.get(end)
    if (holder === undefined) return
    const { id, name } = holder.mapping.component
    throw new KernelError(
      "IllegalOperation",
      `component ${id} "${name}" is the ${end} of ${frame}, only one can be: let it close its end first`,
    )
  }

  take(end: RingEndName, mapping: Mapping): void {
    this.#holders.set(end, { mapping, leaving: false })
  }

  /** The mapping through which a component holds the end. */
  heldBy(end: RingEndName, component: number): Mapping | undefined {
    const holder = this.#holders.get(end)
    return holder?.mapping.component.id === component && !holder.leaving ? holder.mapping : undefined
  }

  startLeaving(end: RingEndName): void {
    const holder = this.#holders.get(end)
    if (holder !== undefined) holder.leaving = true
  }

  /** The end is free if it was held through `mapping`. */
  leave(end: RingEndName, mapping: Mapping): void {
    if (this.#holders.get(end)?.mapping === mapping) this.#holders.delete(end)
  }

  /** The ends held through a mapping, those that are being given up included. */
  through(mapping: Mapping): RingEndName[] {
    return [...this.#holders].filter(([, holder]) => holder.mapping === mapping).map(([end]) => end)
  }

  /** How many of them are not being given up. */
  stayingThrough(mapping: Mapping): number {
    return [...this.#holders.values()].filter(holder => holder.mapping === mapping && !holder.leaving).length
  }
}
