// removal-garbage.test.ts: a large removal leaves the garbage collector nothing to do. One that ran in the midst of it would
// have to walk what is left of the tree, and everybody would wait for its end.

import { type HeapProfiler, Session } from "node:inspector"
import t from "tap"
import { ConventionSlot, MAX_CNODE_SLOTS } from "../../../src/kernel-daemon/abi/limits.ts"
import { FRAME_SLOT, World } from "../../../src/kernel-daemon/cli/bench/caps-suite-world.ts"
import { capRevoke } from "../../../src/kernel-daemon/invocation/capability.ts"
import { place } from "../../../src/kernel-daemon/invocation/holding.ts"
import { Removal } from "../../../src/kernel-daemon/invocation/removal.ts"
import type { CNode } from "../../../src/kernel-daemon/objects/cnode.ts"

const WARM_UP = 10
const FEW = 10_000
const MANY = 100_000
/** Bytes for each capability: what the pieces themselves take comes to 1, a list or a closure for each to 16 and more. */
const LIMIT = 8

const session = new Session()
session.connect()

for (const shape of ["wide", "deep"] as const) {
  t.test(`a revoke of ${MANY} capabilities, ${shape}, allocates next to nothing`, async t => {
    // So that optimised code is measured: the interpreter allocates more.
    for (let round = 0; round < WARM_UP; round++) run(planted(shape, FEW))
    const removal = planted(shape, MANY)
    const bytes = allocatedBy(() => run(removal))
    t.ok(bytes / MANY <= LIMIT, `${(bytes / MANY).toFixed(1)} bytes each`)
  })
}

/** A revoke that is about to begin, of `count` capabilities to a frame. */
function planted(shape: "wide" | "deep", count: number): Removal {
  const { state, caller, frame, cnodes } = new World(count)
  const { object, rights, badge } = frame
  let parent = frame
  for (let index = 0; index < count; index++) {
    const cnode = cnodes[Math.floor(index / MAX_CNODE_SLOTS)] as CNode
    const made = place(state, cnode, index % MAX_CNODE_SLOTS, { object, rights, badge, original: false, parent })
    if (shape === "deep") parent = made
  }
  const outcome = capRevoke(state, caller, { cnode: ConventionSlot.ownCNode, slot: FRAME_SLOT })
  if (!(outcome instanceof Removal)) throw new Error("the frame's slot is empty")
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
  work()
  let bytes = Number.NaN
  session.post("HeapProfiler.stopSampling", (error, { profile }) => {
    if (error === null) bytes = sizeOf(profile.head)
  })
  return bytes
}

function sizeOf({ selfSize, children }: HeapProfiler.SamplingHeapProfileNode): number {
  return children.reduce((sum, child) => sum + sizeOf(child), selfSize)
}
