// payload-channel.ts: a channel for payloads of up to 64 MiB: a frame pool and two rings, made by a parent, used by two
// children, of which each writes its own frames alone.

import { PAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import { Permission, Right } from "../../kernel-daemon/abi/rights.ts"
import { RING_WRITE_INDEX } from "../../ring/layout.ts"
import { PayloadReceiver } from "../../ring/payload/payload-receiver.ts"
import { PayloadSender } from "../../ring/payload/payload-sender.ts"
import {
  checkPoolGeometry,
  createPool,
  DESCRIPTOR_BYTES,
  descriptorSlots,
  loansBytes,
  type PoolGeometry,
  poolBytes,
  RETURN_BYTES,
  returnSlots,
} from "../../ring/payload/pool-layout.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { allOrNone, allocateFrame, takeBack } from "./all-or-none.ts"
import { type Attachment, ringEnd, type Taken } from "./attachment.ts"
import { type Channel, ensureEnd } from "./channel.ts"
import { type CapabilitySource, type Child, pidOf } from "./child.ts"
import type { Component } from "./component.ts"

type Gift = readonly [childSlot: number, source: CapabilitySource]
type End = "sender" | "receiver"

/** Where a child finds what it is given, from the slot of its choice on. A channel takes two. */
const Offset = { descriptors: 0, returns: 2, pool: 4, loans: 5 } as const

interface OwnFrame {
  readonly slot: number
  readonly bytes: number
  /** Whose it is to write. */
  readonly writer: End
  readonly offset: number
}

/** The parent's side. A child attaches with `Component.payloadSender(slot)` or `.payloadReceiver(slot)`. */
export class PayloadChannel {
  readonly #component: Component
  readonly #descriptors: Channel
  readonly #returns: Channel
  readonly #frames: readonly OwnFrame[]
  #isRevoked = false

  private constructor(component: Component, descriptors: Channel, returns: Channel, frames: readonly OwnFrame[]) {
    this.#component = component
    this.#descriptors = descriptors
    this.#returns = returns
    this.#frames = frames
  }

  static create(component: Component, geometry: PoolGeometry): PayloadChannel {
    checkPoolGeometry(geometry)
    return allOrNone(component, () => PayloadChannel.#allocate(component, geometry))
  }

  static #allocate(component: Component, geometry: PoolGeometry): PayloadChannel {
    const frame = (bytes: number, writer: End, offset: number): OwnFrame => {
      const wholePages = Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
      return { slot: allocateFrame(component, wholePages), bytes: wholePages, writer, offset }
    }
    const pool = frame(poolBytes(geometry), "sender", Offset.pool)
    const loans = frame(loansBytes(geometry), "receiver", Offset.loans)
    const { address } = component.call("memory_map", {
      frame: pool.slot,
      bytes: PAGE_BYTES,
      permissions: Permission.read | Permission.write,
    })
    createPool(component.vspace, address, geometry)
    component.call("memory_unmap", { address, bytes: PAGE_BYTES })
    return new PayloadChannel(
      component,
      component.createChannel({ capacity: descriptorSlots(geometry), slotBytes: DESCRIPTOR_BYTES, form: "index" }),
      component.createChannel({ capacity: returnSlots(geometry), slotBytes: RETURN_BYTES, form: "index" }),
      [pool, loans],
    )
  }

  /** For SpawnConfig.capabilities: what the sender needs, in six slots from `slot` on. */
  sender(slot: number): Gift[] {
    const rings = [...this.#descriptors.producer(slot), ...this.#returns.consumer(slot + Offset.returns)]
    return [...rings, ...this.#gifts(slot, "sender")]
  }

  /** For SpawnConfig.capabilities: what the receiver needs, in six slots from `slot` on. */
  receiver(slot: number): Gift[] {
    const rings = [...this.#descriptors.consumer(slot), ...this.#returns.producer(slot + Offset.returns)]
    return [...rings, ...this.#gifts(slot, "receiver")]
  }

  /** Maps it all into a child, each frame with what that end may do, before it starts. */
  mapInto(child: Child, end: End): void {
    ensureEnd(end, ["sender", "receiver"])
    this.#descriptors.mapInto(child, end === "sender" ? "producer" : "consumer")
    this.#returns.mapInto(child, end === "sender" ? "consumer" : "producer")
    for (const { slot, bytes, writer } of this.#frames) {
      const permissions = writer === end ? Permission.read | Permission.write : Permission.read
      this.#component.call("memory_map_into", { frame: slot, bytes, permissions, pid: pidOf(child) })
    }
  }

  /** As `Channel.revoke`: what is on loan goes as well. */
  revoke(): boolean {
    const isFirst = !this.#isRevoked
    this.#isRevoked = true
    // The rings first: their status tells both ends why their accesses to the rest fault.
    const proofs = [this.#descriptors.revoke(), this.#returns.revoke()]
    const slots = this.#frames.map(({ slot }) => slot)
    return (!isFirst || takeBack(this.#component, slots)) && proofs.every(Boolean)
  }

  #gifts(slot: number, end: End): Gift[] {
    return this.#frames.map(frame => [
      slot + frame.offset,
      { slot: frame.slot, rights: frame.writer === end ? Right.read | Right.write : Right.read },
    ])
  }
}

/** The sender's end in a child. */
export function payloadSender(slot: number, wait?: WaitStrategy): Attachment<PayloadSender> {
  const descriptors = ringEnd(slot + Offset.descriptors, "producer", wait, SharedRing.producer)
  const returns = ringEnd(slot + Offset.returns, "consumer", wait, SharedRing.consumer)
  return {
    wanted: [...descriptors.wanted, ...returns.wanted, [slot + Offset.pool, "frame"]],
    make: (vspace, taken) => {
      const pool = taken[4] as Taken
      const writeIndexWord = (taken[0] as Taken).address + RING_WRITE_INDEX
      const out = descriptors.make(vspace, taken.slice(0, 2))
      return orClose(out, () => {
        const back = returns.make(vspace, taken.slice(2, 4))
        const place = { descriptors: out, writeIndexWord, returns: back, pool }
        return orClose(back, () => new PayloadSender(vspace, place))
      })
    },
  }
}

/** The receiver's end in a child. */
export function payloadReceiver(slot: number, wait?: WaitStrategy): Attachment<PayloadReceiver> {
  const descriptors = ringEnd(slot + Offset.descriptors, "consumer", wait, SharedRing.consumer)
  const returns = ringEnd(slot + Offset.returns, "producer", wait, SharedRing.producer)
  return {
    wanted: [...descriptors.wanted, ...returns.wanted, [slot + Offset.pool, "frame"], [slot + Offset.loans, "frame"]],
    make: (vspace, taken) => {
      const [pool, loans] = taken.slice(4) as [Taken, Taken]
      const into = descriptors.make(vspace, taken.slice(0, 2))
      return orClose(into, () => {
        const back = returns.make(vspace, taken.slice(2, 4))
        return orClose(back, () => new PayloadReceiver(vspace, { descriptors: into, returns: back, pool, loans }))
      })
    },
  }
}

/** What was attached for an end that cannot be made is given up, or nobody could attach there again. */
function orClose<T>(attached: Disposable, make: () => T): T {
  try {
    return make()
  } catch (error) {
    attached[Symbol.dispose]()
    throw error
  }
}
