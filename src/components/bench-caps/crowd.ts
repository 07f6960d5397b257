// crowd.ts: role crowd: revokes a great many capabilities while a bystander makes null syscalls.

import { BenchCapsArg, BenchCapsRole, type CrowdReport } from "../../protocols/bench-caps.ts"
import { type Component, ConventionSlot, ObjectType } from "../runtime/index.ts"
import { GO_ON_SLOT, PHASE_BADGE, READY_SLOT } from "./slots.ts"
import { timed } from "./timing.ts"

const CNODE_BITS = 16
/** The most that one retype makes. */
const BATCH = 256
/** Slots of the own CNode; CNodes from FIRST_CNODE_SLOT up. */
const UNTYPED_SLOT = 60
const FIRST_CNODE_SLOT = 61
/** How long the bystander is watched without a revoke: about as long as with one. */
const BASELINE_NS = 3e8

export function crowd(self: Component): void {
  const size = self.argument(BenchCapsArg.size)
  const goOn = self.call("notification_create", {}).slot
  const ready = self.call("notification_create", {}).slot
  const child = self.spawnWithCaps({
    componentName: "bench-caps",
    capabilities: [
      [GO_ON_SLOT, goOn],
      [READY_SLOT, ready],
    ],
    arguments: [BenchCapsRole.bystander, self.argument(BenchCapsArg.cpu), 0],
  })
  plant(self, size)
  child.start()
  self.notification(ready).wait()

  const phase = self.notification(goOn)
  phase.signal(PHASE_BADGE)
  self.notification(ready).wait(BASELINE_NS)
  phase.signal(PHASE_BADGE)
  const revokeUs = timed(() => self.call("cap_revoke", { cnode: self.ownCNode, slot: UNTYPED_SLOT }))
  phase.signal(PHASE_BADGE)
  self.notification(ready).wait(BASELINE_NS)
  phase.signal(PHASE_BADGE)
  const state = child.wait()
  if (state.kind !== "reported") throw new Error(`The bystander ended without a report: ${JSON.stringify(state)}`)
  const seen = state.report as Omit<CrowdReport, "revokeMs">
  self.report({ revokeMs: revokeUs / 1e3, ...seen })
}

/** Makes `size` endpoints out of one untyped: their capabilities are its descendants, in CNodes of their own. */
function plant(self: Component, size: number): void {
  const cnode = self.ownCNode
  const slots = 2 ** CNODE_BITS
  const untyped = { untyped: ConventionSlot.untyped, cnode }
  const untypedBits = Math.ceil(Math.log2(size)) + 6
  self.call("retype", { ...untyped, type: ObjectType.Untyped, sizeBits: untypedBits, slot: UNTYPED_SLOT, count: 1 })
  const count = Math.ceil(size / slots)
  self.call("retype", { ...untyped, type: ObjectType.CNode, sizeBits: CNODE_BITS, slot: FIRST_CNODE_SLOT, count })
  for (let made = 0; made < size; made += BATCH) {
    self.call("retype", {
      untyped: UNTYPED_SLOT,
      type: ObjectType.Endpoint,
      sizeBits: 0,
      cnode: FIRST_CNODE_SLOT + Math.floor(made / slots),
      slot: made % slots,
      count: BATCH,
    })
  }
}
