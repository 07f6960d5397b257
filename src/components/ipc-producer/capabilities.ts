// capabilities.ts: Test 4, side A: passes capabilities to a consumer that runs, and takes one back while it is in use.

import { Arg, DATA_BADGE, PlanSlot, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import { Granted, ITEMS_BEFORE_REVOKE, Own, outcomeOf, READ_RIGHT, RING_RIGHTS } from "../plan/capability-steps.ts"
import type { Plan } from "../plan/open-plan.ts"
import { ITEM_TIMEOUT_NS } from "../plan/ring-steps.ts"
import { STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { ALL_RIGHTS, monotonicNs, SharedRing } from "../runtime/index.ts"

/** The consumer's useCapabilities (ipc-consumer/capabilities.ts) is the other side, step for step. */
export function passCapabilities({ self, frame, toConsumer, toProducer }: Plan): TaskReport {
  const log = new TaskLog()
  const cnode = self.ownCNode
  const own = self.argument(Arg.sharedMemory)
  const derive = (source: number, target: number, rights: number) => () =>
    self.call("cap_derive", { cnode, source, target, rights })
  const grant = (source: number, slot: number, rights: number) => () =>
    self.call("cap_grant", { source, tcb: PlanSlot.peer, slot, rights })
  const inOwn = { sourceCNode: cnode, targetCNode: cnode }

  // Copy, derive with fewer rights, and move.
  log.expect(
    "copy",
    outcomeOf(() => self.call("cap_copy", { ...inOwn, source: own, target: Own.copy })),
    "ok",
  )
  log.expect("derive with read only", outcomeOf(derive(Own.copy, Own.derived, READ_RIGHT)), "ok")
  log.expect(
    "derive with more than the parent has",
    outcomeOf(derive(Own.derived, Own.excess, RING_RIGHTS)),
    "IllegalOperation",
  )
  log.expect(
    "move",
    outcomeOf(() => self.call("cap_move", { ...inOwn, source: Own.copy, target: Own.moved })),
    "ok",
  )
  log.expect(
    "derive from the slot that was moved from",
    outcomeOf(derive(Own.copy, Own.excess, READ_RIGHT)),
    "FailedLookup",
  )

  // Grant to the running consumer: first read-only, then what a ring's end needs.
  log.expect(
    "grant without the grant right",
    outcomeOf(grant(Own.derived, Granted.readOnly, READ_RIGHT)),
    "IllegalOperation",
  )
  log.expect("grant of read", outcomeOf(grant(Own.moved, Granted.readOnly, READ_RIGHT)), "ok")
  log.expect("grant of read and write", outcomeOf(grant(Own.moved, Granted.ring, RING_RIGHTS)), "ok")
  log.expect("grant into an occupied slot", outcomeOf(grant(Own.moved, Granted.ring, ALL_RIGHTS)), "DeleteFirst")
  toConsumer.signal(DATA_BADGE)

  const ring = SharedRing.producer(self.vspace, frame.address, frame.bytes, { status: frame.status })
  for (let item = 0; item < ITEMS_BEFORE_REVOKE && !log.failed; item++) {
    const outcome = ring.push(undefined, ITEM_TIMEOUT_NS)
    if (outcome !== "pushed") log.fail(`${outcome} while pushing item ${item}`)
  }

  // The consumer is waiting for more, or about to: the grant goes while it is in use.
  const begun = monotonicNs()
  self.call("cap_revoke", { cnode, slot: Own.moved })
  const revokedMs = (monotonicNs() - begun) / 1e6
  log.expect("consumer's answer", toProducer.wait(STEP_TIMEOUT_NS), SPACE_BADGE)
  log.expect("own mapping after the revoke", ring.tryPush(), true)
  log.countItems(ITEMS_BEFORE_REVOKE)
  return log.report(`revoked in ${revokedMs.toFixed(2)} ms while in use`)
}
