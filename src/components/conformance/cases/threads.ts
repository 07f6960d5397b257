// threads.ts: THREADS: a component is not made from a null capability, and a null CSpace is nobody's.

import { HelperTask } from "../../../protocols/conformance.ts"
import { ConventionSlot, Right } from "../../runtime/index.ts"
import { type Case, EMPTY_SLOT, NEW_OBJECTS, NO_SLOT } from "../kit.ts"
import { Peer } from "../peer.ts"

const nullCapability: Case = {
  shows: "a component is not created with a capability from an empty slot; each gets a CSpace of its own",
  run(kit) {
    const frame = kit.frame()
    const create = (...capabilities: readonly number[]) =>
      kit.outcome("process_create", {
        componentName: "conformance-helper",
        arguments: [HelperTask.obey],
        capabilities,
        priority: 0,
        confined: 1,
        ...NEW_OBJECTS,
      })
    kit.equal("a capability from an empty slot", create(40, EMPTY_SLOT, Right.read), "FailedLookup")
    kit.equal("one after a good one", create(40, frame, Right.read, 41, EMPTY_SLOT, Right.read), "FailedLookup")
    kit.equal("two for one slot", create(40, frame, Right.read, 40, frame, Right.read), "DeleteFirst")
    kit.equal("its own CNode's slot", create(ConventionSlot.ownCNode, frame, Right.read), "RangeError")
    kit.equal("a slot that it does not have", create(NO_SLOT, frame, Right.read), "RangeError")
    kit.equal("half a triple", create(40, frame), "InvalidArgument")
    kit.equal("more rights than there are", create(40, frame, 8), "IllegalOperation")
    kit.equal("slot where a TCB would have been put", kit.call("cap_allocate", {}).slot, 100)
    kit.giveBack(100)

    const peer = new Peer(kit, [[40, { slot: frame, rights: Right.read }]])
    kit.equal("slot of the TCB", peer.child.tcb, 100)
    for (const [slot, wanted] of [
      [ConventionSlot.ownTcb, "ok"],
      [ConventionSlot.ownVSpace, "ok"],
      [40, "ok"],
      [ConventionSlot.untyped, "FailedLookup"],
      [ConventionSlot.processControl, "FailedLookup"],
      [41, "FailedLookup"],
    ] as const) {
      const derive = { cnode: ConventionSlot.ownCNode, source: slot, target: 50 + slot, rights: 0 }
      kit.equal(`what stands in slot ${slot} of its CSpace`, peer.outcome("cap_derive", derive), wanted)
    }
    peer.end()
    kit.delete(frame)
  },
}

const nullCSpace: Case = {
  shows: "no call takes an empty slot, or something that is no CNode, for a CSpace, and none changes another's",
  run(kit) {
    const frame = kit.frame()
    const target = kit.slot()
    const rights = Right.read
    const readOnly = kit.derive(kit.own, Right.read)
    const writeOnly = kit.derive(kit.own, Right.write)
    for (const [what, cnode, code] of [
      ["an empty slot", EMPTY_SLOT, "FailedLookup"],
      ["no slot", NO_SLOT, "FailedLookup"],
      ["a frame", frame, "InvalidCapability"],
      ["a TCB", ConventionSlot.ownTcb, "InvalidCapability"],
    ] as const) {
      const place = { sourceCNode: kit.own, source: frame, targetCNode: kit.own, target }
      kit.refused(`${what} in derive`, code, "cap_derive", { cnode, source: frame, target, rights })
      kit.refused(`${what} in mint`, code, "cap_mint", { cnode, source: frame, target, rights, badge: 1n })
      kit.refused(`${what} in copy, source`, code, "cap_copy", { ...place, sourceCNode: cnode })
      kit.refused(`${what} in copy, target`, code, "cap_copy", { ...place, targetCNode: cnode })
      kit.refused(`${what} in move, source`, code, "cap_move", { ...place, sourceCNode: cnode })
      kit.refused(`${what} in move, target`, code, "cap_move", { ...place, targetCNode: cnode })
      kit.refused(`${what} in delete`, code, "cap_delete", { cnode, slot: frame })
      kit.refused(`${what} in revoke`, code, "cap_revoke", { cnode, slot: frame })
    }
    const zero = kit.outcome("cap_derive", { cnode: 0, source: frame, target, rights })
    kit.differs("cnodeZeroIsOwn", "0 as a CNode", zero, { strict: "FailedLookup", kaal: "ok" })
    kit.clear(target)
    const lacking = "IllegalOperation"
    const from = (sourceCNode: number, targetCNode: number) => ({ sourceCNode, source: frame, targetCNode, target })
    kit.refused("derive in a CNode without write", lacking, "cap_derive", inCNode(readOnly))
    kit.refused("derive in a CNode without read", lacking, "cap_derive", inCNode(writeOnly))
    kit.refused("copy out of a CNode without read", lacking, "cap_copy", from(writeOnly, kit.own))
    kit.refused("copy into a CNode without write", lacking, "cap_copy", from(kit.own, readOnly))
    kit.refused("move out of a CNode without write", lacking, "cap_move", from(readOnly, kit.own))
    kit.refused("move into a CNode without write", lacking, "cap_move", from(kit.own, readOnly))
    kit.refused("delete in a CNode without write", lacking, "cap_delete", { cnode: readOnly, slot: frame })
    kit.refused("revoke in a CNode without write", lacking, "cap_revoke", { cnode: readOnly, slot: frame })
    kit.equal("slots after all refusals", kit.picture([frame, target]), "o-")

    kit.equal("copy with just the rights that it needs", kit.outcome("cap_copy", from(readOnly, writeOnly)), "ok")
    kit.equal("delete with just write", kit.outcome("cap_delete", { cnode: writeOnly, slot: target }), "ok")
    const peer = new Peer(kit)
    const theirs = peer.outcome("cap_delete", { cnode: kit.own, slot: frame })
    kit.differs("emptySlotIsRefused", "the peer's use of a slot of ours", theirs, {
      strict: "ok",
      kaal: "FailedLookup",
    })
    kit.equal("our slot after that", kit.holds(frame), true)
    peer.end()
    kit.delete(frame, readOnly, writeOnly)

    function inCNode(cnode: number) {
      return { cnode, source: frame, target, rights }
    }
  },
}

export const THREADS = { THREADS0004: nullCapability, THREADS0005: nullCSpace }
