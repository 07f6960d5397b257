// capabilities.ts: Test 4, side B: uses what it is granted, within its rights, until it is taken away.

import { SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import { Granted, ITEMS_BEFORE_REVOKE, Own, outcomeOf, READ_RIGHT, READ_WRITE } from "../plan/capability-steps.ts"
import type { Plan } from "../plan/open-plan.ts"
import { ITEM_TIMEOUT_NS } from "../plan/ring-steps.ts"
import { STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { PageFault, Permission, SharedRing } from "../runtime/index.ts"

/** The producer's passCapabilities (ipc-producer/capabilities.ts) is the other side, step for step. */
export function useCapabilities({ self, toConsumer, toProducer, frame: { bytes } }: Plan): TaskReport {
  const log = new TaskLog()
  if (typeof toConsumer.wait(STEP_TIMEOUT_NS) === "string") log.fail("no grant came")

  // Rights shrink: what came read-only maps read-only, and cannot be passed on.
  const map = (frame: number, permissions: number) => () => self.call("memory_map", { frame, bytes, permissions })
  // In profile kaal the map is granted, for reading.
  const wider = self.profile.mapIgnoresPermissions ? "ok" : "IllegalOperation"
  log.expect("map for writing with read only", outcomeOf(map(Granted.readOnly, READ_WRITE)), wider)
  const { address } = map(Granted.readOnly, Permission.read)()
  log.expect(
    "write to the read-only mapping",
    faultOf(() => self.vspace.storeWord(address, 1)),
    "write",
  )
  log.expect(
    "read from it",
    faultOf(() => self.vspace.loadWord(address)),
    "none",
  )
  self.call("memory_unmap", { address, bytes })
  const derive = () =>
    self.call("cap_derive", { cnode: self.ownCNode, source: Granted.readOnly, target: Own.excess, rights: READ_WRITE })
  log.expect("derive write from read", outcomeOf(derive), "IllegalOperation")
  log.expect(
    "derive read from read",
    outcomeOf(() =>
      self.call("cap_derive", {
        cnode: self.ownCNode,
        source: Granted.readOnly,
        target: Own.derived,
        rights: READ_RIGHT,
      }),
    ),
    "ok",
  )

  // The ring through the granted capability, until the producer revokes it. This end sleeps or spins when that happens.
  const mapped = map(Granted.ring, READ_WRITE)()
  const { status } = self.frame(Granted.ring)
  const ring = SharedRing.consumer(self.vspace, mapped.address, bytes, { status })
  let items = 0
  let outcome = "items"
  while (outcome === "items") {
    const popped = ring.pop(ITEM_TIMEOUT_NS)
    if (typeof popped === "string") outcome = popped
    else items++
  }
  log.expect("end of the items", outcome, "revoked")
  log.expect("items before it", items, ITEMS_BEFORE_REVOKE)
  log.expect(
    "access to the revoked mapping",
    faultOf(() => self.vspace.loadWord(mapped.address)),
    "read",
  )
  for (const slot of [Granted.readOnly, Granted.ring, Own.derived]) {
    log.expect(`map from slot ${slot} after the revoke`, outcomeOf(map(slot, Permission.read)), "FailedLookup")
  }
  toProducer.signal(SPACE_BADGE)
  return log.report(`${items} items, then ${outcome}`)
}

/** The access that faulted, "none" when none did. */
function faultOf(work: () => unknown): string {
  try {
    work()
    return "none"
  } catch (error) {
    if (error instanceof PageFault) return error.access
    throw error
  }
}
