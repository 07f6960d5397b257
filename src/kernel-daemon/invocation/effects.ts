// effects.ts: what an invocation asks of the world. The kernel decides and records; broker/ carries out, in one place.

import type { KernelError } from "../abi/errors.ts"
import type { Permissions } from "../abi/rights.ts"
import type { ComponentId, MemoryId } from "../objects/kernel-object.ts"
import type { RingEndName } from "../objects/ring-ends.ts"
import type { HandleStatus } from "../objects/status-words.ts"

export type { Ending } from "../objects/component.ts"
export type { ComponentId, MemoryId } from "../objects/kernel-object.ts"
export type { HandleStatus } from "../objects/status-words.ts"

/**
 * A bell is of a memory, and named after whom it wakes. Of a frame: after its id, since its memory may change; the ends of the ring in it.
 * Of a notification: who waits on it. One of its page, which only the daemon rings, and one of each lane.
 */
export type BellName = RingEndName | "waiter"

/**
 * Hands a bell over: an eventfd that wakes the component out of its event loop (`own`), or with which it wakes its
 * peer. It goes when the pages at `address` are unmapped, or by `take-bells`.
 */
export interface HangBellEffect {
  readonly kind: "hang-bell"
  readonly component: ComponentId
  readonly address: number
  readonly memory: MemoryId
  readonly bell: BellName
  readonly whose: "own" | "peers"
}

/** Is never refused: a component that does not comply by the deadline is killed, which unmaps as well. */
export interface UnmapEffect {
  readonly kind: "unmap"
  readonly component: ComponentId
  readonly address: number
  readonly bytes: number
}

/** Over the same address as before, it changes memory or permissions in place: no access in between fails. */
export interface MapEffect {
  readonly kind: "map"
  readonly component: ComponentId
  readonly memory: MemoryId
  readonly address: number
  readonly bytes: number
  readonly permissions: Permissions
}

/** What the operating system may refuse. Carried out in order, before the change is committed. */
export type AcquireEffect =
  | {
      readonly kind: "create-memory"
      readonly memory: MemoryId
      readonly bytes: number
      readonly label: string
      /** The page of a notification, which the broker writes (`publish-lane`) and no component can. */
      readonly kernelWrites: boolean
      /** A commit maps it into others for reading, and they must not pay for a daemon that is out of descriptors by then. */
      readonly forReaders: boolean
    }
  | MapEffect
  /** Several at once, so that no unmap which is decided later reaches the component in between. All or none. */
  | { readonly kind: "map-all"; readonly maps: readonly MapEffect[] }
  /**
   * Takes its badge from a lane that changes hands, in the notification's page: nothing that the next holder writes
   * counts before `publish-lane`. Refused while bits of the last holder are pending.
   */
  | {
      readonly kind: "clear-lane"
      readonly page: MemoryId
      readonly index: number
      readonly lane: MemoryId
      readonly ack: MemoryId
    }
  /** F_SEAL_FUTURE_WRITE: Linux lets nobody map it for writing any more. */
  | { readonly kind: "seal-memory"; readonly memory: MemoryId }
  /** Both have `bytes`; nobody writes to either meanwhile. */
  | { readonly kind: "copy-memory"; readonly from: MemoryId; readonly to: MemoryId; readonly bytes: number }
  | UnmapEffect
  | HangBellEffect
  /** Is never refused, as unmap. */
  | { readonly kind: "take-bells"; readonly component: ComponentId; readonly address: number }
  /**
   * Looks at the component's page tables and descriptors until they show no more of this memory, and of its bells, than the
   * kernel has given it (`kernel.memoryGrant`, `kernel.bellsHeld`). Is never refused: a component that still has more by the deadline is killed, and
   * so is one that cannot be looked at, where its end takes all its children along. Otherwise that one is not proved.
   */
  | {
      readonly kind: "prove-unmapped"
      readonly component: ComponentId
      readonly memory: MemoryId
      /** Whose bells are looked for as well: the memory itself, of a frame its id. */
      readonly bellsOf: MemoryId
    }
  | {
      readonly kind: "spawn"
      readonly component: ComponentId
      readonly name: string
      readonly priority: number
      readonly confined: boolean
    }

/** What cannot be refused. Carried out after the commit, in order. */
export type CommitEffect =
  | { readonly kind: "destroy-memory"; readonly memory: MemoryId }
  /**
   * Maps a lane into those who wait and hangs its bell there, then writes its badge and that it is in use into the notification's page, and wakes
   * who sleeps there. Who cannot map it is killed. Nothing is written where the page is gone by then.
   */
  | {
      readonly kind: "publish-lane"
      readonly page: MemoryId
      readonly index: number
      readonly badge: bigint
      readonly maps: readonly MapEffect[]
      readonly bells: readonly HangBellEffect[]
    }
  /**
   * Maps another memory over one of the same contents, where that is mapped. What follows waits until nobody shows `from`
   * any more; who does not comply is killed.
   */
  | { readonly kind: "move-mappings"; readonly from: MemoryId; readonly maps: readonly MapEffect[] }
  | { readonly kind: "start"; readonly component: ComponentId; readonly arguments: readonly number[] }
  | { readonly kind: "kill"; readonly component: ComponentId; readonly reason: string }
  | { readonly kind: "print"; readonly component: ComponentId; readonly text: string }
  /** A report of the root task, which has no parent among the components: goes to whoever started the daemon. */
  | { readonly kind: "report"; readonly component: ComponentId; readonly report: Uint8Array }
  /** Writes the component's status word `index` (of MAX_STATUS_WORDS) and wakes who sleeps on it. */
  | {
      readonly kind: "set-status"
      readonly component: ComponentId
      readonly index: number
      readonly status: HandleStatus
    }
  /** The memory has gone, and its bells are wanted by nobody. */
  | { readonly kind: "destroy-bells"; readonly memory: MemoryId }
  /** Wakes the component that sleeps there in its event loop, if one does. */
  | { readonly kind: "ring-bell"; readonly memory: MemoryId; readonly bell: BellName }
  | { readonly kind: "reply"; readonly component: ComponentId; readonly callId: number; readonly message: Uint8Array }
  /**
   * Asks to be called again, `kernel.continue(token)`, after other components were served: a large revoke in pieces. `worked`:
   * a whole piece has just been done, so that others have waited for it.
   */
  | { readonly kind: "continue"; readonly token: number; readonly worked: boolean }
  | { readonly kind: "shutdown"; readonly ok: boolean }

/**
 * A decided invocation. `acquire` is empty for most. The broker carries it out and calls exactly one of the two, at
 * once and once: `commit` when all succeeded, `refuse` when one failed (the broker has then undone those before it).
 * Between the decision and that call the kernel holds what it reserved: slots, address ranges, memory. Other
 * invocations may be decided and committed meanwhile, provided that effects on the same range of a component reach it
 * in the order in which they were decided or committed. Undoing a map counts as an effect at the time of `refuse`.
 */
export interface Invocation {
  readonly acquire: readonly AcquireEffect[]
  /**
   * Cannot fail. Returns what is to be done now, the reply included unless the call blocks.
   * @param proved false when one of the prove-unmapped effects could not look; by default true
   */
  commit(proved?: boolean): readonly CommitEffect[]
  /** Gives back what was reserved. Returns the refusal as a reply. */
  refuse(error: KernelError): readonly CommitEffect[]
}
