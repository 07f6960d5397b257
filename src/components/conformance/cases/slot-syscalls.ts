// slot-syscalls.ts: SYSCALL: calls on capabilities change the slots that they name, and nothing else.

import { ALL_RIGHTS, type Args, FIRST_FREE_SLOT, Right } from "../../runtime/index.ts"
import { disturbsNothing } from "../disturbs-nothing.ts"
import { EMPTY_SLOT, type Kit, NO_SLOT } from "../kit.ts"
import { Peer } from "../peer.ts"

type Grant = Args<"cap_grant">

const ROOT_SLOTS = 256

/** Two slots in one CNode, as copy and move name them. */
function between(kit: Kit, source: number, target: number) {
  return { sourceCNode: kit.own, source, targetCNode: kit.own, target }
}

export const SLOT_SYSCALLS = {
  SYSCALL0000: disturbsNothing("yield, debug_print and a refused shutdown", {
    succeeds(kit) {
      for (let round = 0; round < 10; round++) kit.call("yield", {})
      kit.call("debug_print", { text: "a line of a conformance case" })
      kit.call("debug_print", { text: "x".repeat(4096) })
    },
    fails(kit) {
      kit.refused("a line of 4,097 bytes", "RangeError", "debug_print", { text: "x".repeat(4097) })
      kit.refused("shutdown by another than the root task", "IllegalOperation", "shutdown", {})
    },
  }),

  SYSCALL0001: disturbsNothing("cap_allocate", {
    succeeds(kit) {
      const slots = [0, 1, 2].map(() => kit.call("cap_allocate", {}).slot)
      kit.equal("slots", slots.join(), [0, 1, 2].map(more => FIRST_FREE_SLOT + more).join())
      kit.equal("what stands in them", kit.picture(slots), "---")
      kit.giveBack(...slots)
    },
    fails(kit) {
      const all = Array.from({ length: ROOT_SLOTS - FIRST_FREE_SLOT }, () => kit.call("cap_allocate", {}).slot)
      kit.refused("one slot more than there are", "NotEnoughMemory", "cap_allocate", {})
      kit.refused("a frame without a slot", "NotEnoughMemory", "memory_allocate", { bytes: 1 })
      kit.giveBack(...all)
    },
  }),

  SYSCALL0009: disturbsNothing("cap_grant and cap_insert_into", {
    succeeds(kit, { frame }) {
      const peer = new Peer(kit)
      const { tcb } = peer.child
      kit.call("cap_grant", { source: frame, tcb, slot: 40, rights: Right.read })
      kit.call("cap_insert_into", { tcb, slot: 41, source: frame })
      const mapped = (slot: number, permissions: number) =>
        peer.outcome("memory_map", { frame: slot, bytes: 4096, permissions })
      kit.equal("peer's map of the granted one", mapped(40, 1), "ok")
      const wider = { strict: "IllegalOperation", kaal: "ok" }
      kit.differs("mapIgnoresPermissions", "map beyond granted rights", mapped(40, 3), wider)
      kit.equal("peer's map of the inserted one", mapped(41, 3), "ok")
      peer.end()
    },
    fails(kit, { frame, reader }) {
      const peer = new Peer(kit)
      const good: Grant = { source: frame, tcb: peer.child.tcb, slot: 40, rights: Right.read }
      const refused = (what: string, code: string, wrong: Partial<Grant>) =>
        kit.refused(what, code, "cap_grant", { ...good, ...wrong })
      refused("an empty source", "FailedLookup", { source: EMPTY_SLOT })
      refused("a source without grant", "IllegalOperation", { source: reader })
      refused("rights that are none", "IllegalOperation", { rights: 8 })
      refused("no TCB", "InvalidCapability", { tcb: frame })
      refused("an empty slot as TCB", "FailedLookup", { tcb: EMPTY_SLOT })
      refused("a TCB without write", "IllegalOperation", { tcb: kit.derive(good.tcb, Right.read, EMPTY_SLOT) })
      kit.delete(EMPTY_SLOT)
      for (const slot of [0, 3, ROOT_SLOTS]) refused(`slot ${slot} of the receiver`, "RangeError", { slot })
      kit.refused("insert of a source without grant", "IllegalOperation", "cap_insert_into", {
        tcb: good.tcb,
        slot: 40,
        source: reader,
      })
      const used = { cnode: kit.own, source: 40, target: 41, rights: 0 }
      kit.equal("peer's slot after all refusals", peer.outcome("cap_derive", used), "FailedLookup")
      peer.end()
      refused("a TCB that is gone", "FailedLookup", {})
    },
  }),

  SYSCALL0010: disturbsNothing("cap_revoke", {
    succeeds(kit, { reader, notification }) {
      const source = kit.derive(reader, Right.read)
      const child = kit.derive(source, Right.read)
      const other = kit.derive(notification)
      kit.call("cap_revoke", { cnode: kit.own, slot: source })
      kit.equal("slots", kit.picture([reader, child, other]), "o-o")
      kit.differs("revokeRemovesItself", "what was revoked", kit.picture([source]), { strict: "o", kaal: "-" })
      const empty = kit.outcome("cap_revoke", { cnode: kit.own, slot: EMPTY_SLOT })
      kit.differs("emptySlotIsRefused", "revoke of an empty slot", empty, { strict: "ok", kaal: "FailedLookup" })
      kit.clear(source, other)
    },
    fails(kit) {
      kit.refused("no slot", "FailedLookup", "cap_revoke", { cnode: kit.own, slot: NO_SLOT })
      kit.refused("no CNode", "FailedLookup", "cap_revoke", { cnode: EMPTY_SLOT, slot: 30 })
    },
  }),

  SYSCALL0011: disturbsNothing("cap_derive", {
    succeeds(kit, { frame }) {
      const child = kit.derive(frame, Right.read)
      kit.equal("rights of the child", kit.rightsOf(child), Right.read)
      kit.delete(child)
    },
    fails(kit, { frame, reader, notification }) {
      const refused = (what: string, code: string, source: number, target: number, rights: number) =>
        kit.refused(what, code, "cap_derive", { cnode: kit.own, source, target, rights })
      refused("an occupied target", "DeleteFirst", frame, notification, Right.read)
      refused("more rights", "IllegalOperation", reader, EMPTY_SLOT, Right.write)
      refused("no rights that there are", "IllegalOperation", frame, EMPTY_SLOT, 16)
      refused("an empty source", "FailedLookup", EMPTY_SLOT, kit.slot(), 0)
    },
  }),

  SYSCALL0012: disturbsNothing("cap_mint", {
    succeeds(kit, { notification }) {
      const all = 0xffff_ffff_ffff_ffffn
      const child = kit.mint(notification, all, Right.write)
      kit.equal("badge of the child", kit.call("object_attach", { slot: child, role: 1 }).badge, all)
      kit.delete(child)
    },
    fails(kit, { frame, reader }) {
      const badged = kit.mint(frame, 1n)
      const mintOf = (source: number, target: number, rights: number, badge: bigint) => {
        return { cnode: kit.own, source, target, rights, badge }
      }
      const refused = (what: string, code: string, source: number, target: number, rights: number, badge: bigint) =>
        kit.refused(what, code, "cap_mint", mintOf(source, target, rights, badge))
      const mint = (source: number, badge: bigint) => {
        const outcome = kit.outcome("cap_mint", mintOf(source, EMPTY_SLOT, ALL_RIGHTS, badge))
        kit.clear(EMPTY_SLOT)
        return outcome
      }
      kit.differs("signalOfNothingIsLost", "badge 0", mint(frame, 0n), { strict: "InvalidArgument", kaal: "ok" })
      kit.differs("mintRebadges", "a second badge", mint(badged, 2n), { strict: "IllegalOperation", kaal: "ok" })
      refused("more rights", "IllegalOperation", reader, EMPTY_SLOT, ALL_RIGHTS, 1n)
      refused("an occupied target", "DeleteFirst", frame, reader, ALL_RIGHTS, 1n)
      kit.delete(badged)
    },
  }),

  SYSCALL0013: disturbsNothing("cap_copy", {
    succeeds(kit, { reader }) {
      const copy = kit.copy(reader)
      kit.equal("rights of the copy", kit.rightsOf(copy), Right.read)
      kit.delete(copy)
    },
    fails(kit, { frame, reader }) {
      kit.refused("an occupied target", "DeleteFirst", "cap_copy", between(kit, frame, reader))
      kit.refused("an empty source", "FailedLookup", "cap_copy", between(kit, EMPTY_SLOT, kit.slot()))
      kit.refused("no target", "FailedLookup", "cap_copy", between(kit, frame, NO_SLOT))
    },
  }),

  SYSCALL0014: disturbsNothing("cap_delete", {
    succeeds(kit, { reader }) {
      const [parent, target] = [kit.derive(reader, Right.read), kit.slot()]
      kit.derive(parent, Right.read, target)
      kit.delete(parent)
      kit.equal("slots", kit.picture([reader, parent, target]), "o-o")
      const empty = kit.outcome("cap_delete", { cnode: kit.own, slot: EMPTY_SLOT })
      kit.differs("emptySlotIsRefused", "delete of an empty slot", empty, { strict: "ok", kaal: "FailedLookup" })
      kit.delete(target)
    },
    fails(kit) {
      kit.refused("no slot", "FailedLookup", "cap_delete", { cnode: kit.own, slot: NO_SLOT })
      kit.refused("no CNode", "FailedLookup", "cap_delete", { cnode: EMPTY_SLOT, slot: 30 })
    },
  }),

  SYSCALL0015: disturbsNothing("cap_move", {
    succeeds(kit, { frame }) {
      const elsewhere = kit.slot()
      kit.call("cap_move", between(kit, frame, elsewhere))
      kit.equal("slots", kit.picture([frame, elsewhere]), "-o")
      kit.call("cap_move", between(kit, elsewhere, frame))
      kit.equal("slots after the way back", kit.picture([frame, elsewhere]), "o-")
    },
    fails(kit, { frame, reader }) {
      kit.refused("an occupied target", "DeleteFirst", "cap_move", between(kit, frame, reader))
      kit.refused("onto itself", "DeleteFirst", "cap_move", between(kit, frame, frame))
      kit.refused("an empty source", "FailedLookup", "cap_move", between(kit, EMPTY_SLOT, kit.slot()))
    },
  }),
}
