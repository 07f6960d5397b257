// removal-garbage.test.ts: a large removal leaves the garbage collector nothing to do. One that ran in the midst of it would
// have to walk what is left of the tree, and everybody would wait for its end.

import { type HeapProfiler, Session } from "node:inspector"
import t from "tap"
import {
  ConventionSlot,
  MAX_CNODE_SLOTS,
  MAX_RETYPE_COUNT,
  OBJECT_BYTES,
} from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import { FIRST_CNODE_SLOT, FRAME_SLOT, World } from "../../../src/kernel-daemon/cli/bench/caps-suite-world.ts"
import { capRevoke } from "../../../src/kernel-daemon/invocation/capability.ts"
import { place } from "../../../src/kernel-daemon/invocation/holding.ts"
import { Removal } from "../../../src/kernel-daemon/invocation/removal.ts"
import type { CNode } from "../../../src/kernel-daemon/objects/cnode.ts"

const WARM_UP = 10
const FEW = 10_000
const MANY = 100_000
/** Bytes for each capability: what the pieces themselves take comes to 1, a list or a closure for each to 16 and more. */
const LIMIT = 8
/** Below those of World. */
const UNTYPED_SLOT = 90

const session = new Session()
session.connect()
t.teardown(() => session.disconnect())

for (const shape of ["wide", "deep", "of an object each"] as const) {
  t.test(`a revoke of ${MANY} capabilities, ${shape}, allocates next to nothing`, async t => {
    // So that optimised code is measured: the interpreter allocates more.
    const plant = (count: number): Removal => (shape === "of an object each" ? retyped(count) : planted(shape, count))
    for (let round = 0; round < WARM_UP; round++) run(plant(FEW))
    const removal = plant(MANY)
    const bytes = allocatedBy(() => run(removal))
    t.ok(bytes / MANY <= LIMIT, `${(bytes / MANY).toFixed(1)} bytes each`)
  })
}

/** A revoke that is about to begin, of `count` capabilities to a frame. */
function planted(shape: "wide" | "deep", count: number): Removal {
  const world = new World(count)
  const { state, frame, cnodes } = world
  const { object, rights, badge } = frame
  let parent = frame
  for (let index = 0; index < count; index++) {
    const cnode = cnodes[Math.floor(index / MAX_CNODE_SLOTS)] as CNode
    const made = place(state, cnode, index % MAX_CNODE_SLOTS, { object, rights, badge, original: false, parent })
    if (shape === "deep") parent = made
  }
  return revokeOf(world, FRAME_SLOT)
}

/** The same of `count` endpoints that were made from one untyped: each goes with its only capability. */
function retyped(count: number): Removal {
  const world = new World(count)
  const { untyped, ownCNode: cnode } = ConventionSlot
  const sizeBits = Math.ceil(Math.log2(count * OBJECT_BYTES.endpoint))
  world.call("retype", { untyped, type: ObjectType.Untyped, sizeBits, cnode, slot: UNTYPED_SLOT, count: 1 })
  for (let made = 0; made < count; made += MAX_RETYPE_COUNT) {
    world.call("retype", {
      ...{ untyped: UNTYPED_SLOT, type: ObjectType.Endpoint, sizeBits: 0 },
      ...{ cnode: FIRST_CNODE_SLOT + Math.floor(made / MAX_CNODE_SLOTS), slot: made % MAX_CNODE_SLOTS },
      count: Math.min(MAX_RETYPE_COUNT, count - made),
    })
  }
  return revokeOf(world, UNTYPED_SLOT)
}

function revokeOf({ state, caller }: World, slot: number): Removal {
  const outcome = capRevoke(state, caller, { cnode: ConventionSlot.ownCNode, slot })
  if (!(outcome instanceof Removal)) throw new Error("there is nothing to revoke")
  return outcome
}

function run(removal: Removal): void {
  do removal.collect()
  while (!removal.apply())
}

/** Bytes that `work` allocates, those that were collected meanwhile among them: an estimate from one sample each 512. */
function allocatedBy(work: () => void): number {
  const collected = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true }
  session.post("HeapProfiler.startSampling", { samplingInterval: 512, ...collected })
  let bytes = Number.NaN
  try {
    work()
  } finally {
    session.post("HeapProfiler.stopSampling", (error, result) => {
      if (error === null) bytes = sizeOf(result.profile.head)
    })
  }
  return bytes
}

function sizeOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize)
}
