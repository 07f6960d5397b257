// derivation.ts: SMC: derivation by example: what a child may, which badge it has, and which copies one can revoke. seL4
// tests this on capabilities to its secure monitor; here a notification has the badge.

import { ALL_RIGHTS } from "../../runtime/index.ts"
import { ALL_MASKS, both, type Case, type Kit } from "../kit.ts"
import { granted } from "./lineage.ts"

const ONLY_IN_KAAL = { strict: "-", kaal: "o" }

function deriveOutcome(kit: Kit, source: number, rights: number, target: number): string {
  return kit.outcome("cap_derive", { cnode: kit.own, source, target, rights })
}

const copied: Case = {
  shows: "any capability can be copied, and the copy is another capability to the same object",
  run(kit) {
    for (const source of [kit.own, kit.frame(), kit.notification()]) {
      const copy = kit.copy(source)
      kit.equal(`slots after copy of ${source}`, kit.picture([source, copy]), "oo")
      kit.equal(`rights of the copy of ${source}`, kit.rightsOf(copy), kit.rightsOf(source))
      kit.delete(copy)
      kit.equal(`slots after delete of the copy of ${source}`, kit.picture([source, copy]), "o-")
      if (source !== kit.own) kit.delete(source)
    }
  },
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
        if (wanted === "ok") {
          kit.equal(`rights of ${asked} from ${held}`, kit.rightsOf(target), asked)
          kit.delete(target)
        }
      }
      kit.delete(parent)
    }
    for (const unknown of [8, 15, 0xffff_ffff]) {
      kit.equal(`derive ${unknown}`, deriveOutcome(kit, frame, unknown, target), "IllegalOperation")
    }
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
    kit.equal("after revoke of the original", kit.picture([frame, derived, sibling]), "o--")
    kit.differs("copyIsAlwaysSibling", "the original's copy after its revoke", kit.picture([child]), ONLY_IN_KAAL)
    kit.clear(frame, child)
  },
}

const badged: Case = {
  shows: "an unbadged capability can be given a badge, a different one each time, within which it signals",
  run(kit) {
    const notification = kit.notification()
    const copy = kit.copy(notification)
    const [one, other] = [kit.mint(notification, 0x30n), kit.mint(copy, 0x40n)]
    kit.equal("badges", [notification, one, other].map(slot => badgeOf(kit, slot)).join(), "0,48,64")
    const outside = kit.signal(one, 0x80n)
    kit.differs("signalNamesAnyBits", "signal outside the badge", outside, { strict: "IllegalOperation", kaal: "ok" })
    kit.equal("bits that it signalled", kit.poll(notification), outside === "ok" ? 0x80n : 0n)
    kit.equal("signal within the badge", kit.signal(one, 0x10n), "ok")
    kit.equal("signal of all of the badge", kit.signal(other), "ok")
    kit.equal("signal of any bit by the original", kit.signal(notification, 1n), "ok")
    kit.equal("pending bits", kit.poll(notification), 0x51n)
    kit.revoke(notification)
    kit.clear(notification, copy, other)
  },
}

const badgedOnce: Case = {
  shows: "a badged capability, its children and its copies are not badged again, and their slots stay empty",
  run(kit) {
    const notification = kit.notification()
    const badged = kit.mint(notification, 0x30n)
    const target = kit.slot()
    for (const source of [badged, kit.derive(badged), kit.copy(badged)]) {
      for (const badge of [0x10n, 0x30n, 0x40n]) {
        const again = { cnode: kit.own, source, target, rights: ALL_RIGHTS, badge }
        const outcome = kit.outcome("cap_mint", again)
        const what = `badge ${badge} for one with badge 48`
        kit.differs("mintRebadges", what, outcome, { strict: "IllegalOperation", kaal: "ok" })
        kit.equal("whether that filled the slot", kit.holds(target), outcome === "ok")
        kit.clear(target)
      }
      kit.equal("badge after the refusals", badgeOf(kit, source), 0x30n)
    }
    kit.revoke(notification)
    kit.delete(notification)
  },
}

const badgedCopies: Case = {
  shows: "a badged capability can be copied and derived from, and what comes of it has the same badge",
  run(kit) {
    const notification = kit.notification()
    const badged = kit.mint(notification, 0x30n)
    const made = [kit.copy(badged), kit.derive(badged), kit.copy(kit.derive(badged))]
    kit.equal("slots", kit.picture([badged, ...made]), "oooo")
    for (const slot of made) kit.equal(`badge of slot ${slot}`, badgeOf(kit, slot), 0x30n)
    kit.revoke(notification)
    kit.delete(notification)
  },
}

const badgedRevokes: Case = {
  shows: "the one that was given a badge revokes its copies, whatever was derived from them, and keeps itself",
  run(kit) {
    const notification = kit.notification()
    const badged = kit.mint(notification, 1n)
    const copy = kit.copy(badged)
    const [second, below] = [kit.copy(copy), kit.derive(copy)]
    kit.revoke(copy)
    kit.equal("after revoke of the copy", kit.picture([notification, badged, copy, second, below]), "oooo-")
    kit.revoke(badged)
    kit.equal("after revoke of the badged one", kit.picture([notification, badged]), "oo")
    const copies = kit.picture([copy, second])
    kit.differs("copyIsAlwaysSibling", "copies of a badged one after its revoke", copies, { strict: "--", kaal: "oo" })
    kit.clear(badged, copy, second, notification)
  },
}

const otherBadges: Case = {
  shows: "one that was given a badge revokes nothing of another that was given the same badge by the same original",
  run(kit) {
    const notification = kit.notification()
    const [one, other] = [kit.mint(notification, 1n), kit.mint(notification, 1n)]
    const copies = [kit.copy(one), kit.copy(other)]
    const all = [notification, one, other, ...copies]
    kit.revoke(other)
    kit.equal("after revoke of one of the two", kit.picture(all.slice(0, -1)), "oooo")
    kit.differs("copyIsAlwaysSibling", "its copy after that", kit.picture(copies.slice(1)), ONLY_IN_KAAL)
    kit.revoke(notification)
    kit.equal("after revoke of the original", kit.picture(all), "o----")
    kit.delete(notification)
  },
}

function badgeOf(kit: Kit, slot: number): bigint {
  return kit.call("object_attach", { slot, role: 1 }).badge
}

export const DERIVATION = {
  SMC0002: both(copied, masks),
  SMC0003: siblings,
  SMC0004: badged,
  SMC0005: badgedOnce,
  SMC0006: badgedCopies,
  SMC0007: badgedRevokes,
  SMC0008: both(otherBadges, granted),
}
