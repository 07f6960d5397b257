// cnode-operations.ts: CNODEOP: what copy, delete, mint, move and revoke do to slots, and which error comes first.

import { ALL_RIGHTS, Right } from "../../runtime/index.ts"
import { both, type Case, EMPTY_SLOT, type Kit, NO_SLOT } from "../kit.ts"
import { chain, moved, orphans } from "./lineage.ts"

const READ_WRITE_RIGHTS = Right.read | Right.write

/** What a slot looks like, "o" or "-". */
const ONLY_IN_STRICT = { strict: "o", kaal: "-" }
const ONLY_IN_KAAL = { strict: "-", kaal: "o" }

/** A frame in one slot and another object in a second. */
function occupiedSlots(kit: Kit): { source: number; other: number } {
  return { source: kit.frame(), other: kit.notification() }
}

/** An occupied target is reported before an empty source, and neither slot changes. */
function ensureErrorOrder(
  kit: Kit,
  { source, other }: { source: number; other: number },
  outcome: (source: number, target: number) => string,
): void {
  const free = kit.slot()
  kit.equal("occupied to occupied", outcome(source, other), "DeleteFirst")
  kit.equal("onto itself", outcome(source, source), "DeleteFirst")
  kit.equal("empty to occupied", outcome(EMPTY_SLOT, other), "DeleteFirst")
  kit.equal("empty to empty", outcome(EMPTY_SLOT, free), "FailedLookup")
  kit.equal("empty onto itself", outcome(EMPTY_SLOT, EMPTY_SLOT), "FailedLookup")
  kit.equal("from a slot that is not there", outcome(NO_SLOT, free), "FailedLookup")
  kit.equal("to a slot that is not there", outcome(source, NO_SLOT), "FailedLookup")
  kit.equal("slots after the refusals", kit.picture([source, other, free, EMPTY_SLOT]), "oo--")
}

const copy: Case = {
  shows: "copy puts the same object with the same rights into an empty slot, and only there",
  run(kit) {
    const slots = occupiedSlots(kit)
    const copyTo = (source: number, target: number) =>
      kit.outcome("cap_copy", { sourceCNode: kit.own, source, targetCNode: kit.own, target })
    ensureErrorOrder(kit, slots, copyTo)

    const readable = kit.derive(slots.source, READ_WRITE_RIGHTS)
    const target = kit.slot()
    kit.equal("copy to an empty slot", copyTo(readable, target), "ok")
    kit.equal("rights of the copy", kit.rightsOf(target), READ_WRITE_RIGHTS)
    const [one, same] = [kit.map(readable), kit.map(target)]
    kit.store(one, 77)
    kit.equal("word written through the source, read through the copy", kit.load(same), 77)
    kit.delete(slots.source, slots.other, readable, target)
  },
}

const remove: Case = {
  shows: "delete empties an occupied slot, succeeds on an empty one, and is refused where there is no slot",
  run(kit) {
    const { source, other } = occupiedSlots(kit)
    const remove = (slot: number) => kit.outcome("cap_delete", { cnode: kit.own, slot })
    kit.equal("delete of an occupied slot", remove(source), "ok")
    kit.equal("slots after it", kit.picture([source, other]), "-o")
    kit.differs("emptySlotIsRefused", "delete of an empty slot", remove(source), { strict: "ok", kaal: "FailedLookup" })
    kit.equal("delete of a slot that is not there", remove(NO_SLOT), "FailedLookup")
    kit.equal("use of what was deleted", kit.outcome("memory_map", mapOf(source)), "FailedLookup")
    kit.equal("slot that was not named", kit.holds(other), true)
    kit.delete(other)
  },
}

const mint: Case = {
  shows: "mint makes a badged child with a subset of the rights, in an empty slot only, and badges once",
  run(kit) {
    const slots = { source: kit.notification(), other: kit.frame() }
    const mintTo = (source: number, target: number, rights = ALL_RIGHTS, badge = 5n) =>
      kit.outcome("cap_mint", { cnode: kit.own, source, target, rights, badge })
    ensureErrorOrder(kit, slots, mintTo)

    const target = kit.slot()
    const nothing = mintTo(slots.source, target, ALL_RIGHTS, 0n)
    kit.differs("signalOfNothingIsLost", "mint with badge 0", nothing, { strict: "InvalidArgument", kaal: "ok" })
    kit.equal("whether that filled the slot", kit.holds(target), nothing === "ok")
    kit.clear(target)
    kit.equal("mint to an empty slot", mintTo(slots.source, target, READ_WRITE_RIGHTS), "ok")
    kit.equal("rights of the child", kit.rightsOf(target), READ_WRITE_RIGHTS)
    kit.equal("mint of more rights than the source has", mintTo(target, kit.slot()), "IllegalOperation")
    const second = kit.slot()
    const again = mintTo(target, second, READ_WRITE_RIGHTS, 6n)
    kit.differs("mintRebadges", "mint of a badged one", again, { strict: "IllegalOperation", kaal: "ok" })
    kit.clear(second)
    const { badge } = kit.call("object_attach", { slot: target, role: 1 })
    kit.equal("badge of the child", badge, 5n)
    kit.delete(target, slots.source, slots.other)
  },
}

const move: Case = {
  shows: "move takes a capability, its rights and its mapping to an empty slot, and leaves the old slot empty",
  run(kit) {
    const slots = occupiedSlots(kit)
    const moveTo = (source: number, target: number) =>
      kit.outcome("cap_move", { sourceCNode: kit.own, source, targetCNode: kit.own, target })
    ensureErrorOrder(kit, slots, moveTo)

    const child = kit.derive(slots.source, READ_WRITE_RIGHTS)
    const address = kit.map(child)
    kit.store(address, 78)
    const target = kit.slot()
    kit.equal("move to an empty slot", moveTo(child, target), "ok")
    kit.equal("slots after it", kit.picture([child, target]), "-o")
    kit.equal("rights after it", kit.rightsOf(target), READ_WRITE_RIGHTS)
    kit.equal("word in the mapping made before", kit.load(address), 78)
    kit.equal("move from the slot that was moved from", moveTo(child, kit.slot()), "FailedLookup")
    kit.delete(target)
    kit.equal("word in the mapping after delete", kit.load(address), "PageFault")
    kit.delete(slots.source, slots.other)
  },
}

const revoke: Case = {
  shows: "revoke empties every slot derived from one and keeps that one; of an empty slot it succeeds",
  run(kit) {
    const { source, other } = occupiedSlots(kit)
    const children = [kit.copy(source), kit.derive(source, Right.read), kit.mint(source, 9n)]
    const grandchild = kit.derive(children[1] as number, Right.read)
    const cousin = kit.derive(other)
    const all = [source, ...children, grandchild, other, cousin]
    kit.equal("slots before", kit.picture(all), "ooooooo")
    const revoke = (slot: number) => kit.outcome("cap_revoke", { cnode: kit.own, slot })
    kit.equal("revoke of a leaf", revoke(grandchild), "ok")
    kit.differs("revokeRemovesItself", "a leaf after its revoke", kit.picture([grandchild]), ONLY_IN_STRICT)
    kit.equal("the others after it", kit.picture(all.filter(slot => slot !== grandchild)), "oooooo")
    kit.equal("revoke", revoke(source), "ok")
    const [copied, ...derived] = children
    kit.differs("revokeRemovesItself", "the source after its revoke", kit.picture([source]), ONLY_IN_STRICT)
    kit.differs(
      "copyIsAlwaysSibling",
      "a copy of the original after that",
      kit.picture([copied as number]),
      ONLY_IN_KAAL,
    )
    kit.equal("what was derived after it", kit.picture([...derived, grandchild]), "---")
    kit.equal("what was not", kit.picture([other, cousin]), "oo")
    kit.differs("emptySlotIsRefused", "revoke of an empty slot", revoke(EMPTY_SLOT), {
      strict: "ok",
      kaal: "FailedLookup",
    })
    kit.refused("revoke of a slot that is not there", "FailedLookup", "cap_revoke", { cnode: kit.own, slot: NO_SLOT })
    if (kit.holds(source)) kit.equal("rights of what was revoked from", kit.rightsOf(source), ALL_RIGHTS)
    kit.clear(source, copied as number, other, cousin)
  },
}

function mapOf(frame: number) {
  return { frame, bytes: 4096, permissions: 1 }
}

export const CNODE_OPERATIONS = {
  CNODEOP0001: copy,
  CNODEOP0002: both(remove, orphans),
  CNODEOP0003: mint,
  CNODEOP0004: both(move, moved),
  CNODEOP0007: both(revoke, chain),
}
