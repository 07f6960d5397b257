// policy-channel.ts: a channel whose producer does what was chosen when the channel was made, when its ring is full.

import type { RingParts } from "../../ring/ring-place.ts"
import {
  createPolicyRing,
  PolicyConsumer,
  PolicyProducer,
  type PolicyRingOptions,
  policyRingBytes,
} from "../../ring/shapes/policy-ring.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { type Attachment, type End, ringEnd } from "./attachment.ts"
import { ENDS, ensureEnd } from "./channel.ts"
import type { Child } from "./child.ts"
import type { Component } from "./component.ts"
import { type Gift, OwnFrames, type Use } from "./own-frames.ts"

const USES = {
  producer: [
    [0, "write"],
    [1, "read"],
  ],
  consumer: [
    [0, "read"],
    [1, "write"],
  ],
} as const satisfies Record<End, readonly Use[]>

/** The parent's side, as `Channel`. The ends are `Component.policyProducer(slot)` and `.policyConsumer(slot)`. */
export class PolicyChannel {
  readonly producerFrame: number
  readonly consumerFrame: number
  readonly #own: OwnFrames

  private constructor(own: OwnFrames) {
    this.#own = own
    this.producerFrame = own.slots[0] as number
    this.consumerFrame = own.slots[1] as number
  }

  static create(component: Component, options: PolicyRingOptions): PolicyChannel {
    const own = OwnFrames.make(component, policyRingBytes(options), ([producerPart, consumerPart]) => {
      createPolicyRing(component.vspace, { producerPart, consumerPart } as RingParts, options)
    })
    return new PolicyChannel(own)
  }

  /** For SpawnConfig.capabilities: two slots, each readable, the first writable. */
  producer(slot: number): Gift[] {
    return this.#own.gifts(slot, USES.producer)
  }

  /** For SpawnConfig.capabilities: two slots, each readable, the second writable. */
  consumer(slot: number): Gift[] {
    return this.#own.gifts(slot, USES.consumer)
  }

  /** Maps both frames into a child, each with what that end may do, before it starts. */
  mapInto(child: Child, end: End): void {
    ensureEnd(end, ENDS)
    this.#own.mapInto(child, USES[end])
  }

  /** As `Channel.revoke`. */
  revoke(): boolean {
    return this.#own.revoke()
  }
}

export function policyProducer(slot: number, wait?: WaitStrategy): Attachment<PolicyProducer> {
  return ringEnd(slot, "producer", wait, (vspace, parts, options) => new PolicyProducer(vspace, parts, options))
}

export function policyConsumer(slot: number, wait?: WaitStrategy): Attachment<PolicyConsumer> {
  return ringEnd(slot, "consumer", wait, (vspace, parts, options) => new PolicyConsumer(vspace, parts, options))
}
