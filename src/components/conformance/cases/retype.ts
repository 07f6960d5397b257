// retype.ts: RETYPE: what untyped memory can be made into, until it is full, and again after a revoke.

import { type Args, ConventionSlot, ObjectType } from "../../runtime/index.ts"
import { type Case, EMPTY_SLOT, type Kit, NO_SLOT } from "../kit.ts"

type Retype = Args<"retype">

const PAGE_BITS = 12
/** The largest untyped and the largest CNode that can be asked for; a slot costs 32 bytes. */
const MOST_BITS = 47
const MOST_SLOT_BITS = 16
const SLOT_PRICE_BITS = 5

const argumentErrors: Case = {
  shows: "retype refuses each wrong argument by name and changes nothing; each right one next to it is taken",
  run(kit) {
    const cnode = kit.make(ObjectType.CNode, 2)
    const frame = kit.frame()
    const { untyped } = ConventionSlot
    const good: Retype = { untyped, type: ObjectType.Endpoint, sizeBits: 0, cnode, slot: 0, count: 1 }
    const refused = (what: string, code: string, wrong: Partial<Retype>) =>
      kit.refused(what, code, "retype", { ...good, ...wrong })

    refused("an empty slot as untyped", "FailedLookup", { untyped: EMPTY_SLOT })
    refused("a frame as untyped", "InvalidCapability", { untyped: frame })
    for (const type of [ObjectType.Null, ObjectType.PageTable, ObjectType.ProcessControl, 99]) {
      refused(`type ${type}`, "InvalidArgument", { type })
    }
    refused("a CNode of no slots", "RangeError", { type: ObjectType.CNode, sizeBits: 0 })
    refused("a CNode beyond the limit", "RangeError", { type: ObjectType.CNode, sizeBits: 17 })
    refused("a frame below a page", "RangeError", { type: ObjectType.Page, sizeBits: PAGE_BITS - 1 })
    refused("a frame beyond the limit", "RangeError", { type: ObjectType.Page, sizeBits: 31 })
    refused("an untyped below the limit", "RangeError", { type: ObjectType.Untyped, sizeBits: 3 })
    refused("an untyped beyond the limit", "RangeError", { type: ObjectType.Untyped, sizeBits: 48 })
    refused("more than there is", "NotEnoughMemory", { type: ObjectType.Untyped, sizeBits: 40 })
    refused("an empty slot as CNode", "FailedLookup", { cnode: EMPTY_SLOT })
    refused("a frame as CNode", "InvalidCapability", { cnode: frame })
    refused("the first slot behind the CNode", "RangeError", { slot: 4 })
    refused("no objects", "RangeError", { count: 0 })
    refused("one object more than slots", "RangeError", { slot: 1, count: 4 })
    refused("one object more than the whole CNode", "RangeError", { count: 5 })
    refused("more objects than any call makes", "RangeError", { cnode: kit.own, slot: 0, count: 257 })
    refused("2^31 objects", "RangeError", { count: 2 ** 31 })
    refused("a slot that no CNode has", "RangeError", { cnode: kit.own, slot: NO_SLOT })
    kit.equal("slots after the refusals", kit.picture([0, 1, 2, 3], cnode), "----")

    kit.call("retype", { ...good, slot: 2 })
    refused("an occupied slot in the middle", "DeleteFirst", { slot: 1, count: 3 })
    kit.equal("slots after that", kit.picture([0, 1, 2, 3], cnode), "--o-")
    kit.call("cap_delete", { cnode, slot: 2 })
    kit.call("retype", { ...good, count: 3 })
    for (const slot of [0, 1, 2]) refused(`slot ${slot}, which is occupied`, "DeleteFirst", { slot })
    kit.call("retype", { ...good, slot: 3 })
    kit.equal("slots after all four", kit.picture([0, 1, 2, 3], cnode), "oooo")
    refused("an occupied slot and too little memory", "DeleteFirst", { type: ObjectType.Untyped, sizeBits: 40 })

    const readOnly = kit.derive(cnode, 1)
    kit.call("cap_delete", { cnode, slot: 0 })
    refused("a CNode without the write right", "IllegalOperation", { cnode: readOnly })
    for (const [type, sizeBits] of SMALLEST) {
      kit.equal(`the smallest of type ${type}`, kit.outcome("retype", { ...good, type, sizeBits }), "ok")
      kit.call("cap_delete", { cnode, slot: 0 })
    }
    kit.delete(readOnly, cnode, frame)
  },
}

const SMALLEST = [
  [ObjectType.Untyped, 4],
  [ObjectType.Page, PAGE_BITS],
  [ObjectType.CNode, 1],
  [ObjectType.Notification, 0],
  [ObjectType.TCB, 0],
  [ObjectType.VSpace, 0],
] as const

const untilFull: Case = {
  shows: "an untyped gives exactly as many objects as it has room for, of each size, and not one more",
  run(kit) {
    const cnode = kit.make(ObjectType.CNode, 8)
    const untypedBits = 17
    for (const [type, sizeBits, bytes] of [
      [ObjectType.Page, PAGE_BITS, 2 ** PAGE_BITS],
      [ObjectType.Page, PAGE_BITS + 1, 2 ** (PAGE_BITS + 1)],
      [ObjectType.Untyped, 10, 2 ** 10],
      [ObjectType.CNode, 8, 2 ** 8 * 32],
      [ObjectType.Notification, 0, 2 ** PAGE_BITS],
      [ObjectType.TCB, 0, 2 ** PAGE_BITS],
      [ObjectType.VSpace, 0, 2 ** PAGE_BITS],
    ] as const) {
      const untyped = kit.make(ObjectType.Untyped, untypedBits)
      const made = fill(kit, { untyped, type, sizeBits, cnode })
      kit.equal(`objects of type ${type} and ${bytes} bytes in 2^${untypedBits}`, made, 2 ** untypedBits / bytes)
      kit.revoke(untyped)
      kit.delete(untyped)
    }
    ensureTooLarge(kit, cnode)
    kit.delete(cnode)
  },
}

/** An untyped makes no object that is larger than itself, however little, and one of exactly its size. */
function ensureTooLarge(kit: Kit, cnode: number): void {
  const bits = 13
  const untyped = kit.make(ObjectType.Untyped, bits)
  const make = (type: number, sizeBits: number) =>
    kit.outcome("retype", { untyped, type, sizeBits, cnode, slot: 0, count: 1 })
  for (let sizeBits = bits + 1; sizeBits <= MOST_BITS; sizeBits++) {
    kit.equal(`an untyped of 2^${sizeBits} bytes in 2^${bits}`, make(ObjectType.Untyped, sizeBits), "NotEnoughMemory")
  }
  for (let sizeBits = bits - SLOT_PRICE_BITS + 1; sizeBits <= MOST_SLOT_BITS; sizeBits++) {
    kit.equal(`a CNode of 2^${sizeBits} slots in 2^${bits} bytes`, make(ObjectType.CNode, sizeBits), "NotEnoughMemory")
  }
  kit.equal("a CNode of exactly the size", make(ObjectType.CNode, bits - SLOT_PRICE_BITS), "ok")
  kit.revoke(untyped)
  kit.delete(untyped)
}

/** Makes objects one at a time until there is no room. Returns how many. */
function fill(kit: Kit, args: { untyped: number; type: number; sizeBits: number; cnode: number }): number {
  for (let slot = 0; ; slot++) {
    const outcome = kit.outcome("retype", { ...args, slot, count: 1 })
    if (outcome === "NotEnoughMemory") return slot
    kit.equal(`object ${slot}`, outcome, "ok")
  }
}

const reuse: Case = {
  shows:
    "memory comes back with delete and with revoke, whole and in whatever pieces, and can be made into something else",
  run(kit) {
    const untyped = kit.make(ObjectType.Untyped, 16)
    const cnode = kit.make(ObjectType.CNode, 5)
    const make = (type: number, sizeBits: number, slot: number, count = 1, from = untyped) =>
      kit.outcome("retype", { untyped: from, type, sizeBits, cnode, slot, count })

    kit.equal("sixteen frames", make(ObjectType.Page, PAGE_BITS, 0, 16), "ok")
    kit.equal("a seventeenth", make(ObjectType.Page, PAGE_BITS, 16), "NotEnoughMemory")
    kit.equal("eight over occupied slots", make(ObjectType.Page, PAGE_BITS, 0, 8), "DeleteFirst")
    kit.equal("a million", make(ObjectType.Page, PAGE_BITS, 16, 2 ** 20), "RangeError")
    kit.call("cap_delete", { cnode, slot: 7 })
    kit.equal("one in place of a deleted one", make(ObjectType.Page, PAGE_BITS, 16), "ok")
    kit.revoke(untyped)
    kit.equal("slots after revoke", kit.picture([0, 7, 16], cnode), "---")

    const inner = 20
    kit.equal("all of it as one untyped", make(ObjectType.Untyped, 16, inner), "ok")
    kit.equal("anything beside it", make(ObjectType.Untyped, 4, 0), "NotEnoughMemory")
    kit.move(inner, EMPTY_SLOT, cnode)
    kit.equal("frames out of the inner one", make(ObjectType.Page, PAGE_BITS, 0, 16, EMPTY_SLOT), "ok")
    kit.delete(EMPTY_SLOT)
    kit.equal("anything while its frames stand", make(ObjectType.Untyped, 4, inner), "NotEnoughMemory")
    kit.revoke(untyped)
    kit.equal("slots after revoke from the outermost", kit.picture([0, 15, inner], cnode), "---")
    kit.equal("all of it once more", make(ObjectType.Page, 16, 0), "ok")
    kit.revoke(untyped)
    kit.delete(untyped, cnode)
  },
}

export const RETYPE = { RETYPE0000: argumentErrors, RETYPE0001: untilFull, RETYPE0002: reuse }
