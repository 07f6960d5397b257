// wiring.ts: what the root of bench-shapes makes for each shape, and what each child is given of it.

import { Shape, ShapesArg, ShapesRole } from "../../protocols/bench-shapes.ts"
import type { Child, Component, SpawnConfig } from "../runtime/index.ts"

export const FIRST_SLOT = 100
/**
 * Slots of every ring; and calls of one client that are under way at once. Where three processes share two processors, a
 * ring must hold what comes while its other end waits for one: with 1,024 slots two producers reach 6.4 million a second,
 * with 4,096 8.9, with 16,384, which leave the cache, 8.2.
 */
const CAPACITY = 4_096
export const CALLS_AT_ONCE = 16

export interface End {
  readonly role: number
  readonly capabilities: NonNullable<SpawnConfig["capabilities"]>
  readonly mapInto: (child: Child) => void
}

export function endsOf(self: Component, shape: number): End[] {
  const slotBytes = self.argument(ShapesArg.bytes)
  const geometry = { capacity: CAPACITY, slotBytes }
  switch (shape) {
    case Shape.merge: {
      const merge = self.createMerge({ producers: 2, ...geometry })
      const sender = (index: number): End => ({
        role: ShapesRole.sender,
        capabilities: merge.producer(index, FIRST_SLOT),
        mapInto: child => merge.mapIntoProducer(index, child),
      })
      const receiver = {
        capabilities: merge.consumer(FIRST_SLOT),
        mapInto: (child: Child) => merge.mapIntoConsumer(child),
      }
      return [sender(0), sender(1), { role: ShapesRole.receiver, ...receiver }]
    }
    case Shape.service: {
      const bytes = { requestBytes: slotBytes, replyBytes: slotBytes }
      const service = self.createService({ clients: 1, inFlight: CALLS_AT_ONCE, ...bytes })
      return [
        {
          role: ShapesRole.receiver,
          capabilities: service.client(0, FIRST_SLOT),
          mapInto: child => service.mapIntoClient(0, child),
        },
        {
          role: ShapesRole.sender,
          capabilities: service.server(FIRST_SLOT),
          mapInto: child => service.mapIntoServer(child),
        },
      ]
    }
    default: {
      const consumers = shape === Shape.broadcast ? (["block", "block"] as const) : (["drop-oldest"] as const)
      const broadcast = self.createBroadcast({ consumers, ...geometry })
      const receivers = consumers.map((_, index) => ({
        role: ShapesRole.receiver,
        capabilities: broadcast.consumer(index, FIRST_SLOT),
        mapInto: (child: Child) => broadcast.mapIntoConsumer(index, child),
      }))
      const sender = {
        capabilities: broadcast.producer(FIRST_SLOT),
        mapInto: (child: Child) => broadcast.mapIntoProducer(child),
      }
      return [...receivers, { role: ShapesRole.sender, ...sender }]
    }
  }
}
