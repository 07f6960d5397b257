// frame.ts: memory that components can map.

import { type ComponentId, type MemoryId, ObjectBase } from "./kernel-object.ts"
import { Peers } from "./peers.ts"
import type { Untyped } from "./untyped.ts"

export class Frame extends ObjectBase {
  readonly type = "Page"
  readonly memory: MemoryId
  /** A multiple of the page size. */
  readonly bytes: number
  readonly peers: Peers

  constructor(origin: Untyped, memory: MemoryId, bytes: number, creator: ComponentId) {
    super(origin, bytes)
    this.memory = memory
    this.bytes = bytes
    this.peers = new Peers(creator)
  }
}
