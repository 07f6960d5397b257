// crowd.ts: role crowd: revokes a great many capabilities while a bystander makes null syscalls.

import { BenchCapsArg, BenchCapsRole, type CrowdReport } from "../../protocols/bench-caps.ts"
import type { Component } from "../runtime/index.ts"
import { GO_ON_SLOT, PHASE_BADGE, READY_SLOT } from "./slots.ts"
import { timed } from "./timing.ts"
import { plantDeep, plantWide } from "./trees.ts"

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
    arguments: [BenchCapsRole.bystander, self.argument(BenchCapsArg.cpu)],
  })
  // A million calls take half as long beside the daemon.
  self.pin(self.argument(BenchCapsArg.daemonCpu))
  const slot = self.argument(BenchCapsArg.isDeep) === 1 ? plantDeep(self, size) : plantWide(self, size)
  self.pin(self.argument(BenchCapsArg.cpu))
  child.start()
  self.notification(ready).wait()

  const phase = self.notification(goOn)
  phase.signal(PHASE_BADGE)
  self.notification(ready).wait(BASELINE_NS)
  phase.signal(PHASE_BADGE)
  const revokeUs = timed(() => self.call("cap_revoke", { cnode: self.ownCNode, slot }))
  phase.signal(PHASE_BADGE)
  self.notification(ready).wait(BASELINE_NS)
  phase.signal(PHASE_BADGE)
  const state = child.wait()
  if (state.kind !== "reported") throw new Error(`The bystander ended without a report: ${JSON.stringify(state)}`)
  const seen = state.report as Omit<CrowdReport, "revokeMs">
  self.report({ revokeMs: revokeUs / 1e3, ...seen })
}
