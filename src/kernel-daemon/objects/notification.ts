// notification.ts: one page of lanes, one for each holder of a signalling capability, and the one component that waits.

import { KernelError } from "../abi/errors.ts"
import { NOTIFICATION_LANES, PAGE_BYTES } from "../abi/limits.ts"
import { NO_LANE } from "../abi/syscalls.ts"
import { type ComponentId, type MemoryId, ObjectBase } from "./kernel-object.ts"
import type { Mapping } from "./mapping.ts"
import { Peers } from "./peers.ts"
import type { Untyped } from "./untyped.ts"

export class Notification extends ObjectBase {
  readonly type = "Notification"
  readonly memory: MemoryId
  readonly bytes = PAGE_BYTES
  readonly peers: Peers
  readonly #lanes = new Array<Mapping | undefined>(NOTIFICATION_LANES).fill(undefined)
  /** Mappings through which the one waiting component waits. */
  readonly #waiters = new Set<Mapping>()

  constructor(origin: Untyped, memory: MemoryId, creator: ComponentId) {
    super(origin, PAGE_BYTES)
    this.memory = memory
    this.peers = new Peers(creator)
  }

  /** @throws {KernelError} NotEnoughMemory: the mapping, if there is one yet, has no lane and all are taken */
  ensureLane(mapping: Mapping | undefined): void {
    if (this.#lanes.includes(undefined) || (mapping !== undefined && mapping.lane !== NO_LANE)) return
    throw new KernelError(
      "NotEnoughMemory",
      `notification ${this.memory} has ${NOTIFICATION_LANES} signallers, as many as lanes: delete a capability of theirs`,
    )
  }

  /** @throws {KernelError} IllegalOperation: another component waits on it */
  ensureWaiter(component: ComponentId): void {
    for (const { component: other } of this.#waiters) {
      if (other.id === component) return
      throw new KernelError(
        "IllegalOperation",
        `component ${other.id} "${other.name}" waits on notification ${this.memory}, only one can: let it unmap first`,
      )
    }
  }

  /** Gives `mapping` the lowest free lane, unless it has one. `ensureLane` was called. */
  addSignaller(mapping: Mapping): void {
    if (mapping.lane !== NO_LANE) return
    mapping.lane = this.#lanes.indexOf(undefined)
    this.#lanes[mapping.lane] = mapping
  }

  /** Lets the component of `mapping` wait. `ensureWaiter` was called. */
  addWaiter(mapping: Mapping): void {
    this.#waiters.add(mapping)
  }

  /** Takes the roles of a mapping that goes. */
  forget(mapping: Mapping): void {
    if (mapping.lane !== NO_LANE) this.#lanes[mapping.lane] = undefined
    mapping.lane = NO_LANE
    this.#waiters.delete(mapping)
  }
}
