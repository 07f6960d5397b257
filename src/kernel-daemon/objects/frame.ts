// frame.ts: memory that components can map.

import { KernelError } from "../abi/errors.ts"
import { Permission, type Permissions } from "../abi/rights.ts"
import { type ComponentId, type MemoryId, ObjectBase } from "./kernel-object.ts"
import { Peers } from "./peers.ts"
import { RingEnds } from "./ring-ends.ts"
import type { Untyped } from "./untyped.ts"

export class Frame extends ObjectBase {
  readonly type = "Page"
  /** What messages call it: its first memory. */
  readonly id: MemoryId
  memory: MemoryId
  /** What it had before it was renewed, as long as a component that has not let go of that yet may still show it. */
  readonly formerMemories = new Set<MemoryId>()
  /** A multiple of the page size. */
  readonly bytes: number
  readonly peers: Peers
  /** sealed: Linux lets nobody map it for writing any more; changing: a call is about to seal or renew it. */
  state: "open" | "sealed" | "changing" = "open"
  /** Of the ring that may be in it. */
  readonly ends = new RingEnds()
  /** What names it wherever a slot does, for those who hold a capability to it; only in profile kaal. */
  readonly address: number | undefined

  constructor(origin: Untyped, memory: MemoryId, bytes: number, creator: ComponentId, address?: number) {
    super(origin, bytes)
    this.id = memory
    this.memory = memory
    this.bytes = bytes
    this.peers = new Peers(creator)
    this.address = address
  }

  /** All its memories that somebody may show. */
  get memories(): MemoryId[] {
    return [this.memory, ...this.formerMemories]
  }

  /** @throws {KernelError} IllegalOperation: a call is about to seal or renew it */
  ensureSettled(): void {
    if (this.state === "changing") {
      throw new KernelError(
        "IllegalOperation",
        `frame ${this.id} is being sealed or renewed by another call: try again after it`,
      )
    }
  }

  /**
   * Checks what a mapping, or who is given a capability, may do with its memory: rights and permissions have the same bits.
   * @throws {KernelError} IllegalOperation: write, and it is sealed
   */
  ensureAllows(permissions: Permissions): void {
    if ((permissions & Permission.write) === 0 || this.state === "open") return
    throw new KernelError(
      "IllegalOperation",
      `frame ${this.id} is sealed: nobody but the writer that has it mapped can ever write to this memory; ` +
        "memory_renew gives the frame another, when that writer has gone",
    )
  }
}
