// component.ts: one TCB, and the component that is made in it: its CSpace, its VSpace, its life. One process each.

import { OBJECT_BYTES } from "../abi/limits.ts"
import type { CNode } from "./cnode.ts"
import { type ComponentId, ObjectBase } from "./kernel-object.ts"
import { StatusWords } from "./status-words.ts"
import type { Untyped } from "./untyped.ts"
import type { VSpace } from "./vspace.ts"

/** How a component ended: an exit code, or the signal's name. `fault` says more where a page fault is known. */
export type Ending =
  | { readonly kind: "exited"; readonly code: number }
  | {
      readonly kind: "killed"
      readonly signal: string
      /** The access that died, where it is known. Address -1: outside the VSpace. */
      readonly fault?: { readonly address: number; readonly access: "read" | "write" }
      /** Why the daemon killed it. */
      readonly reason?: string
    }

/** A process_wait that has not been answered. */
export interface PendingWait {
  readonly component: ComponentId
  readonly callId: number
}

/** What an inactive TCB lacks. */
export interface Making {
  readonly id: ComponentId
  readonly name: string
  readonly arguments: readonly number[]
  /** Whether it can keep memory only where the daemon can see it: see native/core/confine.cc. */
  readonly confined: boolean
  readonly cspace: CNode
  /** Not in use. */
  readonly vspace: VSpace
}

export class Component extends ObjectBase {
  readonly type = "TCB"
  #made: Making | undefined
  readonly statusWords = new StatusWords()
  /**
   * inactive: a TCB in which no component has been made; booting: its process is on the way; created: it waits for its
   * start; running; ended: only the record is left.
   */
  state: "inactive" | "booting" | "created" | "running" | "ended" = "inactive"
  ending: Ending | undefined = undefined
  /** Its death has been asked for, and will come. */
  isDoomed = false
  /** The ending in words, made while the mappings still stood. */
  endingText = ""
  /** The last report that no wait has taken. */
  report: Uint8Array | undefined = undefined
  waits: PendingWait[] = []

  constructor(origin: Untyped | undefined) {
    super(origin, OBJECT_BYTES.tcb)
  }

  get id(): ComponentId {
    return this.#making().id
  }

  get name(): string {
    return this.#making().name
  }

  get arguments(): readonly number[] {
    return this.#making().arguments
  }

  get confined(): boolean {
    return this.#making().confined
  }

  get cspace(): CNode {
    return this.#making().cspace
  }

  get vspace(): VSpace {
    return this.#making().vspace
  }

  /** Makes a component in the TCB, which is inactive. */
  make(made: Making): void {
    this.#made = made
    this.state = "booting"
    made.vspace.inUse = true
    // While it lives a component keeps itself, its CSpace and its VSpace, even if all capabilities to them are deleted.
    this.references += 1
    made.cspace.references += 1
    made.vspace.references += 1
  }

  /** Makes the TCB inactive again after its component's end, for one that had no process: nothing tells of it any more. */
  unmake(): void {
    this.#made = undefined
    this.state = "inactive"
    this.ending = undefined
    this.endingText = ""
    this.isDoomed = false
  }

  #making(): Making {
    if (this.#made === undefined)
      throw new Error("An inactive TCB was taken for a component: look it up with lookupTcb")
    return this.#made
  }
}
