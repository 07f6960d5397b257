// notification.ts: who signals and who waits on one notification, and the memories between them, each with one writer.

import { KernelError } from "../abi/errors.ts"
import { NOTIFICATION_LANES, PAGE_BYTES } from "../abi/limits.ts"
import { ackAddress, laneAddress } from "../abi/notification-map.ts"
import { Permission } from "../abi/rights.ts"
import { NO_LANE } from "../abi/syscalls.ts"
import { type ComponentId, type MemoryId, ObjectBase } from "./kernel-object.ts"
import type { Mapping, Part } from "./mapping.ts"
import { Peers } from "./peers.ts"
import type { Untyped } from "./untyped.ts"

const READ_WRITE = Permission.read | Permission.write
const NO_BITS = 0n
/** Its two memories. */
export const LANE_BYTES = 2 * PAGE_BYTES

/** What passes from one holder of a signalling capability to the waiter, and back. It stays when its holder goes. */
export interface Lane {
  readonly index: number
  /** Written by the holder, read by the waiter. */
  readonly lane: MemoryId
  /** Written by the waiter, read by the holder. */
  readonly ack: MemoryId
  /** Bits that the holder may set; of a lane without holder, those that may still be pending. */
  badge: bigint
  /** Its memories exist, and every waiter has them mapped, or is about to. */
  standing: boolean
  holder: Mapping | undefined
  /** Counts up, so that of several free lanes the one that has waited longest is given away. */
  freed: number
}

/** A bell by the memory that it belongs to, where it hangs. Each signaller has one of its own, and can keep no other's from ringing. */
export interface PlacedBell {
  readonly memory: MemoryId
  readonly address: number
}

export class Notification extends ObjectBase {
  readonly type = "Notification"
  declare readonly origin: Untyped
  /** The page that only the daemon writes. */
  readonly memory: MemoryId
  readonly bytes = PAGE_BYTES
  readonly peers: Peers
  readonly #lanes = new Array<Lane | undefined>(NOTIFICATION_LANES).fill(undefined)
  /** Mappings through which the one waiting component waits. */
  readonly #waiters = new Set<Mapping>()
  #freed = 0

  constructor(origin: Untyped, memory: MemoryId, creator: ComponentId) {
    super(origin, PAGE_BYTES)
    this.memory = memory
    this.peers = new Peers(creator)
  }

  get waiters(): Iterable<Mapping> {
    return this.#waiters
  }

  isWaiter(mapping: Mapping): boolean {
    return this.#waiters.has(mapping)
  }

  /** All its memories that exist. */
  get memories(): MemoryId[] {
    return [this.memory, ...this.#standing().flatMap(({ lane, ack }) => [lane, ack])]
  }

  /**
   * Sees to it that there is a lane for those bits; a new one is charged to the untyped that the notification came from,
   * for as long as the notification is there, since a lane keeps its memories.
   * @throws {KernelError} NotEnoughMemory: all lanes are taken, or that untyped has no room for another
   */
  ensureLane(badge: bigint): void {
    const free = this.#standing().filter(isFree)
    const canBeNew = this.#lanes.includes(undefined)
    if (free.length === 0 && !canBeNew) {
      throw new KernelError(
        "NotEnoughMemory",
        `notification ${this.memory} has ${NOTIFICATION_LANES} signallers, as many as lanes: delete a capability of theirs`,
      )
    }
    if (!canBeNew || free.some(lane => lane.badge === badge)) return
    this.origin.charge(LANE_BYTES)
    this.chargedBytes += LANE_BYTES
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

  /**
   * Gives `mapping` a lane for those bits: a free one of the same badge, whose pending bits it may carry on; else a new one, which is not
   * standing yet; else the one that has been free for longest, from which pending bits must be gone. `ensureLane` was
   * called.
   * @returns the lane, and whether its badge changed
   */
  addSignaller(mapping: Mapping, badge: bigint, newMemory: () => MemoryId): { lane: Lane; rebadged: boolean } {
    const free = this.#standing().filter(isFree)
    const index = this.#lanes.indexOf(undefined)
    let lane = free.find(candidate => candidate.badge === badge)
    if (lane === undefined && index >= 0) {
      lane = { index, lane: newMemory(), ack: newMemory(), badge, standing: false, holder: undefined, freed: 0 }
      this.#lanes[index] = lane
    }
    lane ??= free.reduce((longest, candidate) => (candidate.freed < longest.freed ? candidate : longest))
    const rebadged = lane.badge !== badge
    lane.badge = badge
    lane.holder = mapping
    mapping.lane = lane.index
    return { lane, rebadged }
  }

  /** The memories of a new lane exist. Its holder may have gone meanwhile. */
  stand(lane: Lane): void {
    lane.standing = true
    if (lane.holder?.alive === false) this.#free(lane)
  }

  /**
   * A lane could not be given away: the memories of a new one do not exist, an old one may still have bits pending.
   * @returns bytes that `ensureLane` took and that are no longer needed
   */
  refuse(lane: Lane, rebadged: boolean): number {
    // So whoever gets it next waits until they are gone.
    if (rebadged) lane.badge = NO_BITS
    if (lane.standing) return 0
    this.#lanes[lane.index] = undefined
    this.chargedBytes -= LANE_BYTES
    return LANE_BYTES
  }

  /** Lets the component of `mapping` wait. `ensureWaiter` was called. */
  addWaiter(mapping: Mapping): void {
    this.#waiters.add(mapping)
  }

  /** What a mapping shows where. */
  partsOf(mapping: Mapping): Part[] {
    const { address, lane: index } = mapping
    const lane = this.#lanes[index]
    if (lane !== undefined) return lanePair(lane, address, READ_WRITE, Permission.read)
    const page = { memory: this.memory, address, bytes: PAGE_BYTES, permissions: Permission.read }
    return [page, ...this.#standing().flatMap(each => waiterParts(each, mapping))]
  }

  /** The bells that hang in a mapping: of one who waits one for the daemon and one for each lane, of a signaller its lane's. */
  bellsOf(mapping: Mapping): PlacedBell[] {
    const { address, lane: index } = mapping
    const lane = this.#lanes[index]
    if (lane !== undefined) return [{ memory: lane.lane, address }]
    if (!this.isWaiter(mapping)) return []
    return [{ memory: this.memory, address }, ...this.#standing().map(each => waiterBell(each, mapping))]
  }

  /** Takes the roles of a mapping that goes. */
  forget(mapping: Mapping): void {
    const lane = this.#lanes[mapping.lane]
    // One that is being made cannot be given to another before it stands.
    if (lane?.holder === mapping && lane.standing) this.#free(lane)
    mapping.lane = NO_LANE
    this.#waiters.delete(mapping)
  }

  #free(lane: Lane): void {
    lane.holder = undefined
    this.#freed += 1
    lane.freed = this.#freed
  }

  #standing(): Lane[] {
    return this.#lanes.filter(lane => lane?.standing === true) as Lane[]
  }
}

/** The bell with which a lane's signaller wakes a waiter. */
export function waiterBell(lane: Lane, { address }: Mapping): PlacedBell {
  return { memory: lane.lane, address: laneAddress(address, lane.index) }
}

/** A lane as a waiter sees it. */
export function waiterParts(lane: Lane, { address }: Mapping): Part[] {
  return lanePair(lane, laneAddress(address, lane.index), Permission.read, READ_WRITE)
}

function lanePair({ lane, ack }: Lane, address: number, onLane: number, onAck: number): Part[] {
  return [
    { memory: lane, address, bytes: PAGE_BYTES, permissions: onLane },
    { memory: ack, address: ackAddress(address), bytes: PAGE_BYTES, permissions: onAck },
  ]
}

function isFree(lane: Lane): boolean {
  return lane.standing && lane.holder === undefined
}
