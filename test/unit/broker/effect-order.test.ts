// effect-order.test.ts: unmaps are begun together, and so are looks; everything else waits for what is before it.

import t from "tap"
import { nextOf } from "../../../src/kernel-daemon/broker/effect-order.ts"
import type { AcquireEffect } from "../../../src/kernel-daemon/invocation/effects.ts"

t.test("nextOf() takes a run of unmaps or of looks, and one of anything else", async t => {
  const unmap: AcquireEffect = { kind: "unmap", component: 1, address: 0, bytes: 4096 }
  const look: AcquireEffect = { kind: "prove-unmapped", component: 1, memory: 1, bellsOf: 1 }
  const seal: AcquireEffect = { kind: "seal-memory", memory: 1 }
  const effects = [seal, seal, unmap, unmap, unmap, look, look, seal]
  const sizes: number[] = []
  for (let first = 0; first < effects.length; first += sizes.at(-1) ?? 1) sizes.push(nextOf(effects, first).length)
  t.same(sizes, [1, 1, 3, 2, 1])
  t.same(nextOf(effects, effects.length), [])
})
