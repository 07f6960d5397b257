// caps-suite-memory.ts: what a capability costs the daemon in bytes: process memory before and after a million.

import { ALL_RIGHTS } from "../../abi/rights.ts"
import { childOf } from "../../invocation/capability.ts"
import { place } from "../../invocation/holding.ts"
import { type CapsRow, rowOf } from "./caps-suite-row.ts"
import { World } from "./caps-suite-world.ts"

const LIMIT = 200
const COUNT = 1_000_000

/** To be called first in a fresh process with --expose-gc. The slots count: they are made after the first look. */
export function measureMemory(): CapsRow[] {
  const { gc } = globalThis
  if (gc === undefined) throw new Error("gc is undefined: start Node with --expose-gc")
  gc()
  const before = process.memoryUsage()
  const world = new World(COUNT)
  let made = 0
  for (const cnode of world.cnodes) {
    for (let slot = 0; slot < cnode.slots.length && made < COUNT; slot++, made++) {
      place(world.state, cnode, slot, childOf(world.frame, ALL_RIGHTS))
    }
  }
  gc()
  const after = process.memoryUsage()
  const heap = (after.heapUsed - before.heapUsed) / COUNT
  const note = `resident memory, slots included; of it ${heap.toFixed(0)} in the heap; a badge adds 24`
  const figure = { what: "memory of a capability", unit: "bytes", limit: LIMIT, note }
  // Used after the measurement, so that it is still there during it.
  if (world.cnodes[0]?.occupied === 0) throw new Error("no capability was made")
  return [rowOf(figure, [(after.rss - before.rss) / COUNT])]
}
