// lineage.ts: whose child a capability is, and whom a revoke reaches: by depth, after a delete, after a move, after a grant.

import { ObjectType, Right } from "../../runtime/index.ts"
import { type Case, NO_SLOT } from "../kit.ts"
import { Peer } from "../peer.ts"

export const chain: Case = {
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

export const orphans: Case = {
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

export const moved: Case = {
  shows:
    "a moved capability keeps its place: parents still revoke it, in whichever CNode, and it still revokes its own",
  run(kit) {
    const frame = kit.frame()
    const shelf = kit.make(ObjectType.CNode, 2)
    const parent = kit.derive(frame)
    const child = kit.derive(parent)
    const across = { sourceCNode: kit.own, source: parent, targetCNode: shelf, target: 0 }
    const outcome = kit.outcome("cap_move", across)
    const wanted = { strict: "ok", kaal: "IllegalOperation" }
    kit.differs("moveStaysInCNode", "move to another CNode", outcome, wanted)
    const [cnode, place] = outcome === "ok" ? [shelf, 0] : [kit.own, kit.slot()]
    if (outcome !== "ok") kit.move(parent, place)
    kit.equal("after the move", `${kit.picture([parent, child])}${kit.picture([place], cnode)}`, "-oo")
    const nowhere = { sourceCNode: cnode, source: place, targetCNode: cnode, target: NO_SLOT }
    kit.refused("move to a slot that this CNode does not have", "FailedLookup", "cap_move", nowhere)
    kit.call("cap_revoke", { cnode, slot: place })
    kit.equal("child after revoke from the new place", kit.holds(child), false)
    const moved = kit.picture([place], cnode)
    kit.differs("revokeRemovesItself", "a moved one after its revoke", moved, { strict: "o", kaal: "-" })
    kit.revoke(frame)
    kit.equal("after revoke of the original", `${kit.picture([frame])}${kit.picture([place], cnode)}`, "o-")
    kit.delete(frame, shelf)
  },
}

export const granted: Case = {
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
    const left = peerHolds() === "FailedLookup" ? "-" : "o"
    kit.differs("revokeRemovesItself", "a granted one after its holder's revoke", left, { strict: "o", kaal: "-" })
    kit.equal("granter's own after that", kit.picture([frame, readOnly]), "oo")
    if (left === "-") kit.equal("another grant", grant(readOnly, Right.read), "ok")
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
