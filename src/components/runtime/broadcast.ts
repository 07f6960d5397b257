// broadcast.ts: one producer, many consumers, made by a parent, used by its children.

import { ensureOptions, RingError } from "../../ring/errors.ts"
import type { Part } from "../../ring/ring-place.ts"
import { BroadcastConsumer } from "../../ring/shapes/broadcast-consumer.ts"
import {
  type BroadcastOptions,
  broadcastPartBytes,
  checkConsumerCount,
  checkConsumers,
  createBroadcast,
} from "../../ring/shapes/broadcast-place.ts"
import { BroadcastProducer } from "../../ring/shapes/broadcast-producer.ts"
import { CONSUMER_PART_BYTES, LINK_BYTES } from "../../ring/shapes/words.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { type Attachment, optionsOf, type Taken } from "./attachment.ts"
import type { Child } from "./child.ts"
import type { Component } from "./component.ts"
import { type Gift, OwnFrames, type Use } from "./own-frames.ts"

/** Frames, in this order: the producer's; then for each consumer its link and its own part. */
const FRAMES_A_CONSUMER = 2

/**
 * The parent's side. The producer finds `1 + 2 * consumers` frames in a row of slots, and attaches with
 * `Component.broadcastProducer(slot, consumers)`; a consumer three, and attaches with `Component.broadcastConsumer(slot)`.
 */
export class BroadcastChannel {
  /** The parent's capabilities: the producer's, then for each consumer its link's and its own. */
  readonly frames: readonly number[]
  readonly #own: OwnFrames
  readonly #consumers: number

  private constructor(own: OwnFrames, consumers: number) {
    this.#own = own
    this.#consumers = consumers
    this.frames = own.slots
  }

  /** @throws {KernelError} NotEnoughMemory. {RingError} InvalidArgument: slots, consumers or policies that cannot be */
  static create(component: Component, options: BroadcastOptions): BroadcastChannel {
    ensureOptions(options, "consumers, capacity and slotBytes")
    const consumers = checkConsumers(options.consumers)
    const sizes = [broadcastPartBytes(options), ...consumers.flatMap(() => [LINK_BYTES, CONSUMER_PART_BYTES])]
    const own = OwnFrames.make(component, sizes, parts => {
      const part = (at: number): Part => parts[at] as Part
      const links = consumers.map((_, at) => {
        const link = 1 + FRAMES_A_CONSUMER * at
        return { link: part(link), consumerPart: part(link + 1) }
      })
      createBroadcast(component.vspace, part(0), links, options)
    })
    return new BroadcastChannel(own, consumers.length)
  }

  /** For SpawnConfig.capabilities of the producer. */
  producer(slot: number): Gift[] {
    return this.#own.gifts(slot, this.#producerUses())
  }

  /** For SpawnConfig.capabilities of consumer `index`. @throws {RingError} RangeError: there is no such consumer */
  consumer(index: number, slot: number): Gift[] {
    return this.#own.gifts(slot, this.#consumerUses(index))
  }

  /** Maps the producer's frames into it, before it starts. */
  mapIntoProducer(child: Child): void {
    this.#own.mapInto(child, this.#producerUses())
  }

  /** Maps consumer `index`'s frames into it, before it starts. */
  mapIntoConsumer(index: number, child: Child): void {
    this.#own.mapInto(child, this.#consumerUses(index))
  }

  /**
   * As `Channel.revoke`; for consumer `index` alone where that is given: then the producer cannot be replaced any more.
   * @throws {RingError} RangeError: there is no such consumer
   */
  revoke(index?: number): boolean {
    if (index === undefined) return this.#own.revoke()
    const [, ...own] = this.#consumerUses(index)
    return this.#own.revoke(own.map(([frame]) => frame))
  }

  #producerUses(): Use[] {
    const parts = Array.from({ length: FRAMES_A_CONSUMER * this.#consumers }, (_, at): Use => {
      return [1 + at, at % FRAMES_A_CONSUMER === 0 ? "write" : "read"]
    })
    return [[0, "write"], ...parts]
  }

  #consumerUses(index: number): Use[] {
    if (!Number.isInteger(index) || index < 0 || index >= this.#consumers) {
      throw new RingError("RangeError", `Consumer ${index} is not one of this broadcast's, 0 to ${this.#consumers - 1}`)
    }
    const link = 1 + FRAMES_A_CONSUMER * index
    return [
      [0, "read"],
      [link, "read"],
      [link + 1, "write"],
    ]
  }
}

/**
 * The producer's end in a child: of the whole, and of each link. A consumer's death is told by the status of its link, which only
 * these two share.
 */
export function broadcastProducer(slot: number, consumers: number, wait?: WaitStrategy): Attachment<BroadcastProducer> {
  checkConsumerCount(consumers)
  const links = Array.from({ length: consumers }, (_, at) => slot + 1 + FRAMES_A_CONSUMER * at)
  return {
    wanted: [[slot, "producer"], ...links.flatMap(link => [[link, "producer"] as const, [link + 1, "frame"] as const])],
    make: (vspace, taken) => {
      const [whole, ...rest] = taken as readonly [Taken, ...Taken[]]
      const targets = links.map((_, at) => {
        const [link, consumerPart] = rest.slice(2 * at, 2 * at + 2) as [Taken, Taken]
        return { link, consumerPart, status: link.status, bell: link.bell }
      })
      const onClose = (): void => {
        for (const each of taken) each.onClose()
      }
      return new BroadcastProducer(vspace, whole, targets, { ...optionsOf(whole, wait), onClose })
    },
  }
}

/** A consumer's end in a child, that of its link. The producer's death is told by the status of the link as well. */
export function broadcastConsumer(slot: number, wait?: WaitStrategy): Attachment<BroadcastConsumer> {
  return {
    wanted: [
      [slot + 1, "consumer"],
      [slot, "frame"],
      [slot + 2, "frame"],
    ],
    make: (vspace, taken) => {
      const [link, producerPart, consumerPart] = taken as readonly [Taken, Taken, Taken]
      return new BroadcastConsumer(vspace, producerPart, { link, consumerPart }, optionsOf(link, wait))
    },
  }
}
