// run-case.ts: one case from its start to its verdict. What it made it must have given back.

import { CASE_NAMES, type CaseVerdict } from "../../protocols/conformance.ts"
import { type Component, ConventionSlot, FIRST_FREE_SLOT, KernelError, ObjectType } from "../runtime/index.ts"
import { CASES } from "./catalogue.ts"
import { Kit } from "./kit.ts"

/** Memory of a case, 2^28 bytes: of accounts only, Linux gives pages when they are touched. */
export const CASE_UNTYPED_BITS = 28

const SLOTS = 256
const FIRST_SLOT = 4

export function runCase(self: Component, index: number): void {
  const name = CASE_NAMES[index]
  if (name === undefined) throw new RangeError(`Argument index is ${index}, there are ${CASE_NAMES.length} cases`)
  const kit = new Kit(self)
  const verdict: CaseVerdict = { failure: failureOf(self, () => CASES[name].run(kit)), seen: kit.seen }
  self.report(verdict)
}

function failureOf(self: Component, run: () => void): string {
  try {
    const before = firstAddress(self)
    run()
    const kit = new Kit(self)
    kit.equal("slots that are still occupied", occupied(kit).join(), "")
    kit.equal("slots that can be allocated", allocatable(kit), SLOTS - FIRST_FREE_SLOT)
    kit.equal("whether all memory is free", kit.outcome("retype", wholeMemory(self)), "ok")
    kit.delete(FIRST_SLOT)
    kit.equal("the first free address", firstAddress(self), before)
    return ""
  } catch (error) {
    if (error instanceof KernelError) return `${error.code}: ${error.message}`
    return error instanceof Error ? error.message : String(error)
  }
}

function occupied(kit: Kit): number[] {
  const own: readonly number[] = [ConventionSlot.untyped, ConventionSlot.processControl]
  return Array.from({ length: SLOTS - FIRST_SLOT }, (_, index) => FIRST_SLOT + index).filter(
    slot => !own.includes(slot) && kit.holds(slot),
  )
}

/** Takes all slots that can be had; gives them back. */
function allocatable(kit: Kit): number {
  const slots: number[] = []
  try {
    for (;;) slots.push(kit.call("cap_allocate", {}).slot)
  } catch (error) {
    if (!(error instanceof KernelError && error.code === "NotEnoughMemory")) throw error
  }
  kit.giveBack(...slots)
  return slots.length
}

function wholeMemory(self: Component) {
  const { untyped } = ConventionSlot
  const cnode = self.ownCNode
  return { untyped, type: ObjectType.Untyped, sizeBits: CASE_UNTYPED_BITS, cnode, slot: FIRST_SLOT, count: 1 }
}

function firstAddress(self: Component): number {
  const { slot } = self.call("memory_allocate", { bytes: 1 })
  const { address } = self.call("memory_map", { frame: slot, bytes: 4096, permissions: 1 })
  self.call("cap_delete", { cnode: self.ownCNode, slot })
  return address
}
