// derivation.ts: SMC: derivation by example: what a child may, whose child it is, and whom a revoke reaches.

import { ALL_RIGHTS, ObjectType, Right } from "../../runtime/index.ts"
import { ALL_MASKS, type Case, type Kit } from "../kit.ts"
import { Peer } from "../peer.ts"

function deriveOutcome(kit: Kit, source: number, rights: number, target: number): string {
  return kit.outcome("cap_derive", { cnode: kit.own, source, target, rights })
}

const masks: Case = {
  shows: "a child gets any subset of its parent's rights and never another right, for every pair of the eight sets",
  run(kit) {
    const frame = kit.frame()
    const target = kit.slot()
    const parent = kit.slot()
    for (const held of ALL_MASKS) {
      kit.derive(frame, held, parent)
      for (const asked of ALL_MASKS) {
        const wanted = (asked & ~held) === 0 ? "ok" : "IllegalOperation"
        kit.equal(`derive ${asked} from ${held}`, deriveOutcome(kit, parent, asked, target), wanted)
        kit.equal(`slot after it`, kit.holds(target), wanted === "ok")
        if (wanted === "ok") kit.equal(`rights of ${asked} from ${held}`, kit.rightsOf(target), asked)
        kit.delete(target)
      }
      kit.delete(parent)
    }
    for (const unknown of [8, 15, 0xffff_ffff]) {
      kit.equal(`derive ${unknown}`, deriveOutcome(kit, frame, unknown, target), "IllegalOperation")
    }
    kit.delete(frame)
  },
}

const badges: Case = {
  shows: "a badge is set once: children and copies keep it, and no derivation changes it or takes it away",
  run(kit) {
    const notification = kit.notification()
    const badged = kit.mint(notification, 0x30n)
    const badgeOf = (slot: number) => kit.call("object_attach", { slot, role: 1 }).badge
    const child = kit.derive(badged)
    const copy = kit.copy(child)
    for (const slot of [badged, child, copy]) {
      kit.equal("badge", badgeOf(slot), 0x30n)
      const again = { cnode: kit.own, source: slot, target: kit.slot(), rights: ALL_RIGHTS, badge: 0x10n }
      kit.refused("a second badge", "IllegalOperation", "cap_mint", again)
    }
    kit.equal("badge of the original", badgeOf(notification), 0n)
    const other = kit.mint(notification, 0x40n)
    kit.equal("badge of another child of the original", badgeOf(other), 0x40n)

    const signal = (slot: number, bits: bigint) => {
      try {
        kit.self.notification(slot).signal(bits)
        return "ok"
      } catch (error) {
        return (error as { code?: string }).code
      }
    }
    kit.equal("signal outside the badge", signal(badged, 0x40n), "IllegalOperation")
    kit.equal("signal within the badge", signal(badged, 0x10n), "ok")
    kit.equal("signal of any bit by the original", signal(notification, 1n), "ok")
    kit.equal("pending bits", kit.self.notification(notification).poll(), 0x11n)
    kit.revoke(notification)
    kit.delete(notification)
  },
}

const chain: Case = {
  shows: "a revoke reaches children of children and leaves everything above the revoked one",
  run(kit) {
    const frame = kit.frame()
    const links = [frame]
    for (let depth = 1; depth <= 6; depth++) links.push(kit.derive(links.at(-1) as number))
    kit.equal("chain before", kit.picture(links), "ooooooo")
    kit.revoke(links[3] as number)
    kit.equal("chain after revoke of the fourth", kit.picture(links), "oooo---")
    kit.revoke(links[0] as number)
    kit.equal("chain after revoke of the first", kit.picture(links), "o------")
    kit.delete(frame)
  },
}

const siblings: Case = {
  shows:
    "a copy of an original is its child; a copy of a derived capability is its sibling, and neither revokes the other",
  run(kit) {
    const frame = kit.frame()
    const derived = kit.derive(frame)
    const sibling = kit.copy(derived)
    kit.revoke(derived)
    kit.equal("after revoke of the source", kit.picture([frame, derived, sibling]), "ooo")
    kit.revoke(sibling)
    kit.equal("after revoke of its copy", kit.picture([frame, derived, sibling]), "ooo")
    const child = kit.copy(frame)
    kit.revoke(child)
    kit.equal("after revoke of the copy of the original", kit.picture([frame, derived, sibling, child]), "oooo")
    kit.revoke(frame)
    kit.equal("after revoke of the original", kit.picture([frame, derived, sibling, child]), "o---")
    kit.delete(frame)
  },
}

const orphans: Case = {
  shows: "who deletes its own capability leaves what was derived from it, within reach of those above",
  run(kit) {
    const frame = kit.frame()
    const parent = kit.derive(frame)
    const children = [kit.derive(parent), kit.derive(parent), kit.derive(parent)]
    kit.delete(parent)
    kit.equal("after delete of the parent", kit.picture([frame, parent, ...children]), "o-ooo")
    kit.revoke(children[0] as number)
    kit.equal("after revoke of one orphan", kit.picture([frame, parent, ...children]), "o-ooo")
    kit.revoke(frame)
    kit.equal("after revoke of the grandparent", kit.picture([frame, parent, ...children]), "o----")
    kit.delete(frame)
  },
}

const moved: Case = {
  shows:
    "a moved capability keeps its place: parents still revoke it, in whichever CNode, and it still revokes its own",
  run(kit) {
    const frame = kit.frame()
    const cnode = kit.make(ObjectType.CNode, 2)
    const parent = kit.derive(frame)
    const child = kit.derive(parent)
    kit.call("cap_move", { sourceCNode: kit.own, source: parent, targetCNode: cnode, target: 0 })
    kit.equal("after the move", `${kit.picture([parent, child])}${kit.picture([0], cnode)}`, "-oo")
    kit.call("cap_revoke", { cnode, slot: 0 })
    kit.equal("after revoke from the new place", `${kit.picture([child])}${kit.picture([0], cnode)}`, "-o")
    kit.refused("move to a slot that this CNode does not have", "FailedLookup", "cap_move", {
      sourceCNode: cnode,
      source: 0,
      targetCNode: cnode,
      target: 4,
    })
    kit.revoke(frame)
    kit.equal("after revoke of the original", `${kit.picture([frame])}${kit.picture([0], cnode)}`, "o-")
    kit.delete(frame, cnode)
  },
}

const granted: Case = {
  shows:
    "a granted capability is the granter's child: the granter takes it back, the receiver takes nothing from others",
  run(kit) {
    const frame = kit.frame()
    const peer = new Peer(kit)
    const { tcb } = peer.child
    const peerSlot = 40
    const grant = (source: number, rights: number, slot = peerSlot) =>
      kit.outcome("cap_grant", { source, tcb, slot, rights })
    const peerHolds = () => peer.outcome("cap_derive", { cnode: kit.own, source: peerSlot, target: 41, rights: 0 })

    const ungrantable = kit.derive(frame, Right.read | Right.write)
    kit.equal("grant without the grant right", grant(ungrantable, Right.read), "IllegalOperation")
    const readOnly = kit.derive(frame, Right.read | Right.grant)
    kit.equal("grant of more than one has", grant(readOnly, Right.write), "IllegalOperation")
    kit.equal("peer's slot after the refusals", peerHolds(), "FailedLookup")

    kit.equal("grant", grant(readOnly, Right.read), "ok")
    kit.equal("grant into an occupied slot", grant(readOnly, Right.read), "DeleteFirst")
    kit.equal("peer's slot after the grant", peerHolds(), "ok")
    kit.equal("peer's revoke of it", peer.outcome("cap_revoke", { cnode: kit.own, slot: peerSlot }), "ok")
    kit.equal("granter's own after that", kit.picture([frame, readOnly]), "oo")
    kit.revoke(readOnly)
    kit.equal("peer's slot after the granter's revoke", peerHolds(), "FailedLookup")
    kit.equal("grant again", grant(readOnly, Right.read), "ok")
    kit.delete(readOnly)
    kit.equal("peer's slot after the granter deleted its own", peerHolds(), "ok")
    kit.revoke(frame)
    kit.equal("peer's slot after revoke from above", peer.outcome("memory_map", readOf(peerSlot)), "FailedLookup")
    peer.end()
    kit.delete(frame)
  },
}

function readOf(frame: number) {
  return { frame, bytes: 4096, permissions: 1 }
}

export const DERIVATION = {
  SMC0002: masks,
  SMC0003: badges,
  SMC0004: chain,
  SMC0005: siblings,
  SMC0006: orphans,
  SMC0007: moved,
  SMC0008: granted,
}
