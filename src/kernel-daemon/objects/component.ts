// component.ts: one component: its TCB, its CSpace and VSpace, and what is known of its life. One process each.

import { OBJECT_BYTES, ROOT_CNODE_SLOTS } from "../abi/limits.ts"
import { CNode } from "./cnode.ts"
import { type ComponentId, ObjectBase } from "./kernel-object.ts"
import { StatusWords } from "./status-words.ts"
import type { Untyped } from "./untyped.ts"
import { VSpace } from "./vspace.ts"

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

export class Component extends ObjectBase {
  readonly type = "TCB"
  readonly id: ComponentId
  readonly name: string
  readonly arguments: readonly number[]
  /** Whether it can keep memory only where the daemon can see it: see native/core/confine.cc. */
  readonly confined: boolean
  readonly cspace: CNode
  readonly vspace: VSpace
  readonly statusWords = new StatusWords()
  /** booting: its process is on the way; created: it waits for its start; running; ended: only the record is left. */
  state: "booting" | "created" | "running" | "ended" = "booting"
  ending: Ending | undefined = undefined
  /** Its death has been asked for, and will come. */
  isDoomed = false
  /** The ending in words, made while the mappings still stood. */
  endingText = ""
  /** The last report that no wait has taken. */
  report: Uint8Array | undefined = undefined
  waits: PendingWait[] = []

  constructor(
    origin: Untyped | undefined,
    id: ComponentId,
    name: string,
    args: readonly number[],
    { confined }: { readonly confined: boolean },
  ) {
    super(origin, OBJECT_BYTES.tcb)
    this.confined = confined
    this.id = id
    this.name = name
    this.arguments = args
    this.cspace = new CNode(origin, id, ROOT_CNODE_SLOTS)
    this.vspace = new VSpace(origin)
    // While it lives a component keeps itself, its CSpace and its VSpace, even if all capabilities to them are deleted.
    this.references += 1
    this.cspace.references += 1
    this.vspace.references += 1
  }

  /** What one component takes out of its untyped, bytes. */
  static readonly totalBytes = OBJECT_BYTES.tcb + ROOT_CNODE_SLOTS * OBJECT_BYTES.capSlot + OBJECT_BYTES.vspace
}
