// merge.ts: many producers, one consumer: a channel for each producer, made by a parent, used by its children.

import { ensureOptions, RingError } from "../../ring/errors.ts"
import { MergeConsumer } from "../../ring/shapes/merge-consumer.ts"
import type { MergeOptions } from "../../ring/shapes/merge-options.ts"
import { MAX_MERGED } from "../../ring/shapes/words.ts"
import type { RingOptions } from "../../ring/shared-ring.ts"
import { allOrNone } from "./all-or-none.ts"
import type { Attachment, Taken } from "./attachment.ts"
import type { Channel } from "./channel.ts"
import type { CapabilitySource, Child } from "./child.ts"
import type { Component } from "./component.ts"

/** Slots that one channel takes in a child: its producer's frame and its consumer's. */
const CHANNEL_SLOTS = 2

export interface MergeChannelOptions extends RingOptions {
  /** 1 to 42. */
  readonly producers: number
}

/**
 * The parent's side. A producer finds its channel in a slot of its choice and the next one, as one of an ordinary channel,
 * and attaches with `Component.producer(slot)`. The consumer finds all of them in `2 * producers` slots in a row, and attaches
 * with `Component.mergeConsumer(slot, producers)`.
 */
export class MergeChannel {
  /** One for each producer: `revoke()` it to end that one alone. */
  readonly channels: readonly Channel[]

  private constructor(channels: readonly Channel[]) {
    this.channels = channels
  }

  /** @throws {RingError} RangeError: not 1 to 42 producers. As createChannel besides */
  static create(component: Component, options: MergeChannelOptions): MergeChannel {
    ensureOptions(options, "producers, capacity and slotBytes")
    const { producers, ...ring } = options
    checkProducers(producers)
    const channels = () => Array.from({ length: producers }, () => component.createChannel(ring))
    return new MergeChannel(allOrNone(component, channels))
  }

  /** For SpawnConfig.capabilities of producer `index`. @throws {RingError} RangeError: there is no such producer */
  producer(index: number, slot: number): (readonly [number, CapabilitySource])[] {
    return this.#channel(index).producer(slot)
  }

  /** For SpawnConfig.capabilities of the consumer. */
  consumer(slot: number): (readonly [number, CapabilitySource])[] {
    return this.channels.flatMap((channel, index) => channel.consumer(slot + CHANNEL_SLOTS * index))
  }

  /** Maps producer `index`'s frames into it, before it starts. */
  mapIntoProducer(index: number, child: Child): void {
    this.#channel(index).mapInto(child, "producer")
  }

  /** Maps all frames into the consumer, before it starts. */
  mapIntoConsumer(child: Child): void {
    for (const channel of this.channels) channel.mapInto(child, "consumer")
  }

  /** As `Channel.revoke`, of all of them. */
  revoke(): boolean {
    return this.channels.map(channel => channel.revoke()).every(Boolean)
  }

  #channel(index: number): Channel {
    const channel = this.channels[index]
    if (channel === undefined) {
      throw new RingError(
        "RangeError",
        `Producer ${index} is not one of this merge's, 0 to ${this.channels.length - 1}`,
      )
    }
    return channel
  }
}

/** @throws {RingError} RangeError */
function checkProducers(producers: number): void {
  if (Number.isInteger(producers) && producers >= 1 && producers <= MAX_MERGED) return
  throw new RingError(
    "RangeError",
    `producers is ${String(producers)}, which must be 1 to ${MAX_MERGED}; merge more in two steps`,
  )
}

/** The consumer's end in a child. */
export function mergeConsumer(slot: number, producers: number, options: MergeOptions = {}): Attachment<MergeConsumer> {
  checkProducers(producers)
  ensureOptions(options, "budget and wait, both optional")
  const slots = Array.from({ length: producers }, (_, index) => slot + CHANNEL_SLOTS * index)
  return {
    wanted: slots.flatMap(each => [[each, "consumer"] as const, [each + 1, "frame"] as const]),
    make: (vspace, taken) => {
      const sources = slots.map((_, index) => {
        const [producerPart, consumerPart] = taken.slice(2 * index, 2 * index + 2) as [Taken, Taken]
        const { status, bell, onClose } = producerPart
        return { frames: { producerPart, consumerPart }, status, bell, onClose }
      })
      return new MergeConsumer(vspace, sources, options)
    },
  }
}
