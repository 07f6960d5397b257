// trees.ts: a great many capabilities to be revoked, in CNodes of their own.

import { ALL_RIGHTS, type Component, ConventionSlot, ObjectType } from "../runtime/index.ts"

const CNODE_BITS = 16
const CNODE_SLOTS = 2 ** CNODE_BITS
/** The most that one retype makes. */
const BATCH = 256
/** Slots of the own CNode: what the tree is made from, and CNodes from FIRST_CNODE_SLOT up. */
const SOURCE_SLOT = 60
const FIRST_CNODE_SLOT = 61

/** Makes `size` endpoints out of one untyped: their capabilities are its descendants. Returns the untyped's slot. */
export function plantWide(self: Component, size: number): number {
  self.call("retype", {
    untyped: ConventionSlot.untyped,
    type: ObjectType.Untyped,
    sizeBits: Math.ceil(Math.log2(size)) + 6,
    cnode: self.ownCNode,
    slot: SOURCE_SLOT,
    count: 1,
  })
  makeCNodes(self, size)
  for (let made = 0; made < size; made += BATCH) {
    self.call("retype", {
      untyped: SOURCE_SLOT,
      type: ObjectType.Endpoint,
      sizeBits: 0,
      cnode: FIRST_CNODE_SLOT + Math.floor(made / CNODE_SLOTS),
      slot: made % CNODE_SLOTS,
      count: Math.min(BATCH, size - made),
    })
  }
  return SOURCE_SLOT
}

/**
 * Derives `size` capabilities to a frame, each from the one before. Returns the frame's slot. A derived capability stands in
 * the CNode of its source, so the last of each CNode moves to the next one.
 */
export function plantDeep(self: Component, size: number): number {
  const { slot: frame } = self.call("memory_allocate", { bytes: 1 })
  makeCNodes(self, size)
  let cnode = FIRST_CNODE_SLOT
  let source = 0
  self.call("cap_derive", { cnode: self.ownCNode, source: frame, target: SOURCE_SLOT, rights: ALL_RIGHTS })
  const moveTo = (next: number, from: number, slot: number): void => {
    self.call("cap_move", { sourceCNode: from, source: slot, targetCNode: next, target: 0 })
    cnode = next
    source = 0
  }
  moveTo(cnode, self.ownCNode, SOURCE_SLOT)
  for (let made = 1; made < size; made++) {
    if (source === CNODE_SLOTS - 1) moveTo(cnode + 1, cnode, source)
    self.call("cap_derive", { cnode, source, target: source + 1, rights: ALL_RIGHTS })
    source += 1
  }
  return frame
}

function makeCNodes(self: Component, size: number): void {
  self.call("retype", {
    untyped: ConventionSlot.untyped,
    type: ObjectType.CNode,
    sizeBits: CNODE_BITS,
    cnode: self.ownCNode,
    slot: FIRST_CNODE_SLOT,
    // One slot of each is left empty by a capability of a chain that has moved on.
    count: Math.ceil(size / (CNODE_SLOTS - 1)),
  })
}
