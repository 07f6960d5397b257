// channel.ts: a ring in two frames, of which each end can write its own alone: made by a parent, used by two children.

import { PAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import { Permission, Right } from "../../kernel-daemon/abi/rights.ts"
import { ensureOptions, RingError } from "../../ring/errors.ts"
import { RING_CONSUMER_PART_BYTES } from "../../ring/layout.ts"
import { RecordRing, type RecordRingOptions } from "../../ring/record-ring.ts"
import { producerPartBytes } from "../../ring/ring-header.ts"
import type { RingParts } from "../../ring/ring-place.ts"
import { type RingOptions, SharedRing } from "../../ring/shared-ring.ts"
import { allOrNone, allocateFrame, ensureKept, takeBack } from "./all-or-none.ts"
import type { End } from "./attachment.ts"
import { type CapabilitySource, type Child, pidOf } from "./child.ts"
import type { Component } from "./component.ts"

type Gift = readonly [childSlot: number, source: CapabilitySource]
export const ENDS: readonly End[] = ["producer", "consumer"]

interface OwnFrame {
  readonly slot: number
  readonly bytes: number
  /** Its writer has it mapped, and no other can map it so. */
  sealed: boolean
}

const READ_WRITE = Permission.read | Permission.write

/**
 * The parent's side of a channel. A child finds the producer's frame in a slot of its choice and the consumer's in the
 * next one, and attaches with `Component.producer(slot)` or `.consumer(slot)`.
 */
export class Channel {
  /**
   * The parent's capabilities, with all rights. A revoke takes those of the ends away, and leaves what `mapInto` mapped, which
   * rests on these: to end a channel `revoke()` it.
   */
  readonly producerFrame: number
  readonly consumerFrame: number
  readonly #component: Component
  readonly #frames: readonly [producer: OwnFrame, consumer: OwnFrame]
  #isRevoked = false

  private constructor(component: Component, frames: readonly [OwnFrame, OwnFrame]) {
    this.#component = component
    this.#frames = frames
    this.producerFrame = frames[0].slot
    this.consumerFrame = frames[1].slot
  }

  /** For slots of one size; attached with `Component.producer` and `.consumer`. */
  static ofSlots(component: Component, given: RingOptions): Channel {
    ensureOptions(given, "capacity and slotBytes")
    // Of the two forms the one with the shorter round trip, see decision 0015.
    const options: RingOptions = { form: "slot", ...given }
    SharedRing.bytesNeeded(options)
    const make = (parts: RingParts): void => SharedRing.create(component.vspace, parts, options)
    return Channel.#create(component, producerPartBytes(options), make)
  }

  /** For records; attached with `Component.recordProducer` and `.recordConsumer`. */
  static ofRecords(component: Component, options: RecordRingOptions): Channel {
    const make = (parts: RingParts): void => RecordRing.create(component.vspace, parts, options)
    return Channel.#create(component, RecordRing.producerPartBytes(options), make)
  }

  /** Allocates the two frames and makes the ring in them; they do not stay mapped here. */
  static #create(component: Component, producerBytes: number, make: (parts: RingParts) => void): Channel {
    return allOrNone(component, () => Channel.#allocate(component, producerBytes, make))
  }

  static #allocate(component: Component, producerBytes: number, make: (parts: RingParts) => void): Channel {
    const sizes = [producerBytes, RING_CONSUMER_PART_BYTES].map(bytes => Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES)
    const frames = sizes.map(bytes => ({
      bytes,
      slot: allocateFrame(component, bytes),
      sealed: false,
    }))
    const parts = frames.map(({ slot, bytes }) => {
      const { address } = component.call("memory_map", { frame: slot, bytes, permissions: READ_WRITE })
      return { address, bytes }
    })
    const [producerPart, consumerPart] = parts as [RingParts["producerPart"], RingParts["consumerPart"]]
    make({ producerPart, consumerPart })
    for (const { address, bytes } of parts) component.call("memory_unmap", { address, bytes })
    return new Channel(component, frames as [OwnFrame, OwnFrame])
  }

  /**
   * For SpawnConfig.capabilities: read and write on the producer's frame, read on the consumer's. Also for another producer
   * when the last one has ended: it goes on where that one left off, and the consumer loses and repeats nothing.
   * @throws {KernelError} IllegalOperation: the last one lives and has its frame, which is sealed
   */
  producer(slot: number): Gift[] {
    return this.#gifts(slot, "producer")
  }

  /** As `producer`, for a consumer: read on the producer's frame, read and write on its own. */
  consumer(slot: number): Gift[] {
    return this.#gifts(slot, "consumer")
  }

  /**
   * Maps both frames into a child, each with what that end may do, before it starts. Its own frame is then sealed where
   * Linux would let others of its user write there.
   */
  mapInto(child: Child, end: End): void {
    ensureEnd(end, ENDS)
    ensureKept(!this.#isRevoked)
    const permissions = permissionsOf(end)
    for (const [index, { slot, bytes }] of this.#frames.entries()) {
      this.#component.call("memory_map_into", {
        frame: slot,
        bytes,
        permissions: permissions[index] as number,
        pid: pidOf(child),
      })
    }
    const own = this.#ownFrame(end)
    if (!this.#component.seals) return
    this.#component.call("memory_seal", { frame: own.slot })
    own.sealed = true
  }

  /**
   * Ends it: takes its memory from both ends, which are told "revoked", and frees it. What was sent and not received is lost.
   * Does nothing the second time.
   * @returns whether it is proved that neither has it mapped any more; where it was not confined, nobody can tell
   * Cost: two calls of the kernel for each frame, each of which waits for whoever has it mapped.
   */
  revoke(): boolean {
    const isFirst = !this.#isRevoked
    this.#isRevoked = true
    return !isFirst || takeBack(this.#component, [this.producerFrame, this.consumerFrame])
  }

  #ownFrame(end: End): OwnFrame {
    return end === "producer" ? this.#frames[0] : this.#frames[1]
  }

  #gifts(slot: number, end: End): Gift[] {
    ensureKept(!this.#isRevoked)
    // Read and write are the same bits among rights and permissions; neither end may pass its capabilities on.
    const rights = permissionsOf(end)
    const own = this.#ownFrame(end)
    // A seal is for good: a new writer gets new memory, with what the last one left in the old.
    if (own.sealed) this.#component.call("memory_renew", { frame: own.slot })
    own.sealed = false
    return this.#frames.map((frame, index) => [slot + index, { slot: frame.slot, rights: rights[index] as number }])
  }
}

/** @throws {RingError} InvalidArgument: it is none of those */
export function ensureEnd<E extends string>(end: E, ends: readonly E[]): void {
  if (ends.includes(end)) return
  throw new RingError("InvalidArgument", `end is "${String(end)}", which must be ${ends.join(" or ")}`)
}

function permissionsOf(end: End): readonly [producerFrame: number, consumerFrame: number] {
  return end === "producer" ? [Right.read | Right.write, Right.read] : [Right.read, Right.read | Right.write]
}
