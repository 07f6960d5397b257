// exhaustion.ts: attacks by quantity: all memory, slots, addresses, lanes, status words, descriptors. What is taken is kept.

import { ATTACK_FRAME_BYTES, AttackSlot } from "../../protocols/attacks.ts"
import {
  ALL_RIGHTS,
  type Component,
  ConventionSlot,
  KernelError,
  ObjectType,
  PAGE_BYTES,
  Permission,
} from "../runtime/index.ts"
import { type Attack, SUCCEEDS } from "./wire.ts"

const own = ConventionSlot.ownCNode
const MOST = 1_000_000
/** More than there are status words in a page. */
const ROUNDS = 1_100
/** JSON that says nothing, as large as a report may be. */
const REPORT = new TextEncoder().encode(JSON.stringify("x".repeat(16_384 - 2)))
const CNODE_BITS = 16
const BATCH = 256
const SIGNALLER = 1

/** Repeats `work`, told the round, until the kernel refuses: "CODE after N". */
function untilRefused(work: (round: number) => void): string {
  for (let round = 0; round < MOST; round++) {
    try {
      work(round)
    } catch (error) {
      if (error instanceof KernelError) return `${error.code} after ${round}`
      throw error
    }
  }
  return `${MOST} rounds, and no refusal`
}

/** One of what the attack then takes all of. */
const once =
  (work: (self: Component) => void) =>
  (self: Component): string => {
    work(self)
    return SUCCEEDS
  }

const allocate = (self: Component): number => self.call("memory_allocate", { bytes: 8 * ATTACK_FRAME_BYTES }).slot
const create = (self: Component): number => self.call("endpoint_create", {}).slot
const map = (self: Component): void => {
  self.call("memory_map", { frame: AttackSlot.frame, bytes: ATTACK_FRAME_BYTES, permissions: Permission.read })
}

/** A notification that is attached to and deleted. */
const attach = (self: Component): void => {
  const { slot } = self.call("notification_create", {})
  self.call("object_attach", { slot, role: SIGNALLER })
  self.call("cap_delete", { cnode: own, slot })
}

const frames = (self: Component, cnode: number, slot: number, count: number): void => {
  const what = { type: ObjectType.Page, sizeBits: Math.log2(PAGE_BYTES) }
  self.call("retype", { untyped: AttackSlot.untyped, ...what, cnode, slot, count })
}

const many = (work: () => void): string => {
  for (let round = 0; round < ROUNDS; round++) work()
  return `${ROUNDS} answered`
}

export const EXHAUSTION = {
  "all memory": { rightly: once(allocate), attack: self => untilRefused(() => allocate(self)) },
  "all slots": { rightly: once(create), attack: self => untilRefused(() => create(self)) },
  "all addresses": { rightly: once(map), attack: self => untilRefused(() => map(self)) },
  "all lanes": {
    rightly: once(attach),
    attack: self => {
      const source = self.call("notification_create", {}).slot
      return untilRefused(round => {
        const target = self.call("cap_allocate", {}).slot
        self.call("cap_mint", { cnode: own, source, target, rights: ALL_RIGHTS, badge: 1n << BigInt(round) })
        self.call("object_attach", { slot: target, role: SIGNALLER })
      })
    },
  },
  "all status words": { rightly: once(attach), attack: self => many(() => attach(self)) },
  "all descriptors": {
    rightly: once(self => frames(self, own, AttackSlot.free, 1)),
    attack: self => {
      const cnode = self.call("cap_allocate", {}).slot
      const what = { type: ObjectType.CNode, sizeBits: CNODE_BITS }
      self.call("retype", { untyped: AttackSlot.untyped, ...what, cnode: own, slot: cnode, count: 1 })
      let taken = 0
      const take = (count: number) => (): void => {
        frames(self, cnode, taken, count)
        taken += count
      }
      untilRefused(take(BATCH))
      return `${untilRefused(take(1)).split(" ")[0]} after ${taken}`
    },
  },
  "daemon's memory": {
    rightly: once(self => self.call("report", { report: REPORT })),
    attack: self => many(() => self.call("report", { report: REPORT })),
  },
} satisfies Readonly<Record<string, Attack>>
