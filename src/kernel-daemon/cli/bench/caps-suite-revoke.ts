// caps-suite-revoke.ts: revoke of large trees, wide and deep, scattered over memory and slots.

import { ConventionSlot, MAX_CNODE_SLOTS } from "../../abi/limits.ts"
import { ALL_RIGHTS } from "../../abi/rights.ts"
import { capRevoke } from "../../invocation/capability.ts"
import { Removal } from "../../invocation/removal.ts"
import { Capability, UNBADGED } from "../../objects/capability.ts"
import type { CNode } from "../../objects/cnode.ts"
import { linkChild } from "../../objects/derivation-tree.ts"
import { type CapsRow, rowOf } from "./caps-suite-row.ts"
import { stopwatch } from "./caps-suite-stopwatch.ts"
import { FRAME_SLOT, World } from "./caps-suite-world.ts"

const TRIALS = 3
const WARM_UP = 5
const SIZES = [10_000, 100_000, 1_000_000] as const
const TOTAL_LIMIT_MS = 1_500
const PIECE_LIMIT_MS = 10

export type Shape = "wide" | "deep"

/** Rows for one shape: ns per descendant at each size; for the largest also the total and the longest piece. */
export function measureRevoke(shape: Shape): CapsRow[] {
  const rows: CapsRow[] = []
  // Before any counts, so that optimised code is measured.
  for (let round = 0; round < WARM_UP; round++) revokeOnce(shape, SIZES[0])
  for (const size of SIZES) {
    const trials = Array.from({ length: TRIALS }, () => revokeOnce(shape, size))
    const totals = trials.map(({ totalMs }) => totalMs)
    const of = `revoke of ${size.toLocaleString("en")}, ${shape}`
    const note = shape === "wide" ? "all children of one, in random order" : "a chain in random order"
    rows.push(
      rowOf(
        { what: `${of}, each`, unit: "ns", note },
        totals.map(ms => (ms * 1e6) / size),
      ),
    )
    if (size !== SIZES.at(-1)) continue
    rows.push(rowOf({ what: of, unit: "ms", limit: TOTAL_LIMIT_MS, note }, totals))
    const pieces = trials.map(({ longestMs }) => longestMs)
    const between = "others are served between two pieces"
    rows.push(rowOf({ what: `${of}, longest piece`, unit: "ms", limit: PIECE_LIMIT_MS, note: between }, pieces))
  }
  return rows
}

function revokeOnce(shape: Shape, size: number): { totalMs: number; longestMs: number } {
  const world = new World(size)
  plant(world, shape, size)
  globalThis.gc?.()
  const outcome = capRevoke(world.state, world.caller, { cnode: ConventionSlot.ownCNode, slot: FRAME_SLOT })
  if (!(outcome instanceof Removal)) throw new Error("the frame's slot is empty")
  let totalMs = 0
  let longestMs = 0
  for (let done = false; !done; ) {
    const elapsedMs = stopwatch()
    outcome.collect()
    done = outcome.apply()
    const ms = elapsedMs()
    totalMs += ms
    longestMs = Math.max(longestMs, ms)
  }
  const left = world.cnodes.reduce((sum, { occupied }) => sum + occupied, 0)
  if (left !== 0) throw new Error(`${left} of ${size} descendants are left`)
  return { totalMs, longestMs }
}

/**
 * Puts `size` descendants under the frame. They are made first and linked afterwards in random order, into slots in
 * another random order: made one by one a tree would be walked in the order in which it lies in memory.
 */
function plant({ frame, cnodes }: World, shape: Shape, size: number): void {
  const { object } = frame
  if (object.type !== "Page") throw new Error(`the source is a ${object.type}, not a frame`)
  const made = Array.from({ length: size }, () => new Capability(object, ALL_RIGHTS, UNBADGED, false))
  const slots = shuffled(Uint32Array.from({ length: size }, (_, index) => index))
  let parent = frame
  for (const [index, which] of shuffled(slots.slice()).entries()) {
    const capability = made[which] as Capability
    const slot = slots[index] as number
    const cnode = cnodes[Math.floor(slot / MAX_CNODE_SLOTS)] as CNode
    linkChild(parent, capability)
    cnode.put(slot % MAX_CNODE_SLOTS, capability)
    object.references += 1
    object.peers.addWriter(cnode.owner)
    if (shape === "deep") parent = capability
  }
}

/** In place, every order as likely as any other. */
function shuffled(numbers: Uint32Array): Uint32Array {
  for (let last = numbers.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1))
    const kept = numbers[last] as number
    numbers[last] = numbers[other] as number
    numbers[other] = kept
  }
  return numbers
}
