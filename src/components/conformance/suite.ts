// suite.ts: runs every case in a component of its own, out of memory of its own, so that none can harm the others.

import { CASE_NAMES, type CaseReport, type CaseVerdict, HelperSlot, HelperTask } from "../../protocols/conformance.ts"
import {
  ALL_RIGHTS,
  type Child,
  type ChildState,
  type Component,
  ConventionSlot,
  KernelError,
  monotonicNs,
  ObjectType,
  Right,
} from "../runtime/index.ts"
import { CASES } from "./catalogue.ts"
import { CASE_UNTYPED_BITS } from "./run-case.ts"

/** Slots of the suite. */
const Own = { begins: 20, caseUntyped: 21, caseWhole: 22 } as const

export function runSuite(self: Component): void {
  const suite = new Suite(self)
  for (const index of CASE_NAMES.keys()) self.report(suite.run(index))
  suite.end()
}

class Suite {
  readonly #self: Component
  readonly #watchdog: Child

  constructor(self: Component) {
    this.#self = self
    this.#retype(ConventionSlot.untyped, ObjectType.Notification, 0, Own.begins)
    this.#watchdog = self.spawnWithCaps({
      componentName: "conformance-helper",
      capabilities: [[HelperSlot.go, { slot: Own.begins, rights: Right.read }]],
      arguments: [HelperTask.watch],
    })
    this.#watchdog.start()
  }

  run(index: number): CaseReport {
    const name = CASE_NAMES[index] as (typeof CASE_NAMES)[number]
    const begun = monotonicNs()
    const { failure, seen } = this.#verdictOn(index)
    const { shows } = CASES[name]
    return { name, ok: failure === "", shows, failure, ms: (monotonicNs() - begun) / 1e6, seen }
  }

  end(): void {
    this.#watchdog.kill()
    this.#watchdog.wait()
  }

  #verdictOn(index: number): CaseVerdict {
    try {
      this.#retype(ConventionSlot.untyped, ObjectType.Untyped, CASE_UNTYPED_BITS, Own.caseUntyped)
      try {
        const verdict = this.#verdictOf(index)
        return verdict.failure === "" ? { ...verdict, failure: this.#leftovers() } : verdict
      } finally {
        // Whatever the case has left running or standing ends here.
        this.#emptyOut(Own.caseUntyped)
      }
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      return failed(`the suite was refused, ${error.code}: ${error.message}`)
    }
  }

  #verdictOf(index: number): CaseVerdict {
    const child = this.#self.spawnWithCaps({
      componentName: "conformance",
      capabilities: [
        [ConventionSlot.untyped, Own.caseUntyped],
        [ConventionSlot.processControl, ConventionSlot.processControl],
      ],
      arguments: [index],
    })
    const watched = { source: child.tcb, tcb: this.#watchdog.tcb, slot: HelperSlot.watched, rights: ALL_RIGHTS }
    try {
      this.#self.call("cap_grant", watched)
      this.#self.notification(Own.begins).signal(1n)
      child.start()
      const verdict = verdictIn(child.wait())
      return verdict.failure === "" ? { ...verdict, failure: endingIn(child.wait()) } : verdict
    } finally {
      // The watchdog's capability and the case's own are derived from this one.
      this.#emptyOut(child.tcb)
    }
  }

  /** The case's memory can be made into one piece again only when nothing that was made from it is left. */
  #leftovers(): string {
    try {
      this.#retype(Own.caseUntyped, ObjectType.Untyped, CASE_UNTYPED_BITS, Own.caseWhole)
      return ""
    } catch (error) {
      if (!(error instanceof KernelError)) throw error
      return `the case's memory is not free after its end: ${error.message}`
    }
  }

  #emptyOut(slot: number): void {
    this.#self.call("cap_revoke", { cnode: this.#self.ownCNode, slot })
    if (!this.#self.profile.revokeRemovesItself) this.#self.call("cap_delete", { cnode: this.#self.ownCNode, slot })
  }

  #retype(untyped: number, type: number, sizeBits: number, slot: number): void {
    this.#self.call("retype", { untyped, type, sizeBits, cnode: this.#self.ownCNode, slot, count: 1 })
  }
}

/** What a case says of itself. */
function verdictIn(state: ChildState): CaseVerdict {
  if (state.kind === "killed") return failed(`the case was ${state.detail}`)
  if (state.kind === "exited") return failed(`the case exited with code ${state.code} and without a verdict`)
  return state.report as CaseVerdict
}

function failed(failure: string): CaseVerdict {
  return { failure, seen: [] }
}

function endingIn(state: ChildState): string {
  return state.kind === "exited" && state.code === 0 ? "" : `the case did not exit in order: ${JSON.stringify(state)}`
}
