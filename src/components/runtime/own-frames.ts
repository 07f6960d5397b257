// own-frames.ts: frames that a parent allocates for its children, each of which may do different things to each of them.

import { PAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import { Permission, Right } from "../../kernel-daemon/abi/rights.ts"
import type { Part } from "../../ring/ring-place.ts"
import { allOrNone, allocateFrame, ensureKept, takeBack } from "./all-or-none.ts"
import { type CapabilitySource, type Child, pidOf } from "./child.ts"
import type { Component } from "./component.ts"

/** For SpawnConfig.capabilities. */
export type Gift = readonly [childSlot: number, source: CapabilitySource]

/** A frame by its position, and whether the child may write it. */
export type Use = readonly [frame: number, access: "read" | "write"]

const READ_WRITE = Permission.read | Permission.write

export class OwnFrames {
  /** The parent's capabilities, with all rights. */
  readonly slots: readonly number[]
  readonly #component: Component
  readonly #bytes: readonly number[]
  /** Positions of those that were taken back. */
  readonly #gone = new Set<number>()

  private constructor(component: Component, sizes: readonly number[]) {
    this.#component = component
    this.#bytes = sizes.map(size => Math.ceil(size / PAGE_BYTES) * PAGE_BYTES)
    this.slots = this.#bytes.map(bytes => allocateFrame(component, bytes))
  }

  /**
   * Allocates them, and maps all of them here while `write` runs.
   * @param sizes bytes needed of each, rounded up to pages
   * @throws {KernelError} NotEnoughMemory; nothing is then left
   */
  static make(component: Component, sizes: readonly number[], write: (parts: readonly Part[]) => void): OwnFrames {
    return allOrNone(component, () => {
      const own = new OwnFrames(component, sizes)
      own.#prepare(write)
      return own
    })
  }

  #prepare(write: (parts: readonly Part[]) => void): void {
    const parts = this.slots.map((frame, at) => {
      const bytes = this.#bytes[at] as number
      const { address } = this.#component.call("memory_map", { frame, bytes, permissions: READ_WRITE })
      return { address, bytes }
    })
    try {
      write(parts)
    } finally {
      for (const part of parts) this.#component.call("memory_unmap", part)
    }
  }

  /** The capabilities for a child that uses frames so, in slots from `slot` on, in this order. None may be passed on. */
  gifts(slot: number, uses: readonly Use[]): Gift[] {
    this.#ensureKept(uses)
    return uses.map(([frame, access], at) => [
      slot + at,
      { slot: this.slots[frame] as number, rights: access === "write" ? Right.read | Right.write : Right.read },
    ])
  }

  /** Maps them into a child that uses them so, before it starts. */
  mapInto(child: Child, uses: readonly Use[]): void {
    this.#ensureKept(uses)
    for (const [frame, access] of uses) {
      this.#component.call("memory_map_into", {
        frame: this.slots[frame] as number,
        bytes: this.#bytes[frame] as number,
        permissions: access === "write" ? READ_WRITE : Permission.read,
        pid: pidOf(child),
      })
    }
  }

  /** As `Channel.revoke`, of the frames at those positions; by default of all. */
  revoke(frames: Iterable<number> = this.slots.keys()): boolean {
    const kept = [...frames].filter(frame => !this.#gone.has(frame))
    for (const frame of kept) this.#gone.add(frame)
    return takeBack(
      this.#component,
      kept.map(frame => this.slots[frame] as number),
    )
  }

  #ensureKept(uses: readonly Use[]): void {
    ensureKept(uses.every(([frame]) => !this.#gone.has(frame)))
  }
}
