// process-wait.ts: reports and endings, and the calls that wait for them.

import { KernelError } from "../abi/errors.ts"
import { MAX_REPORT_BYTES } from "../abi/limits.ts"
import { Right } from "../abi/rights.ts"
import type { Args, Result } from "../abi/syscalls.ts"
import type { Component } from "../objects/component.ts"
import { lookupTcb } from "./lookup.ts"
import { BLOCKED, type Caller } from "./outcome.ts"
import { type KernelState, ROOT_TASK } from "./state.ts"

const REPORTED = 0
const EXITED = 1
const KILLED = 2
const NO_BYTES = new Uint8Array(0)

/**
 * process_wait: answers when the component has reported (state 0, with its last report that nobody has taken) or ended
 * (state 1 exited, `status` is its code; state 2 killed, `detail` says by what and why). A report answers all that
 * wait at that moment; the next wait waits for another or for the end, which is answered again and again.
 *
 * @throws {KernelError} FailedLookup, InvalidCapability, IllegalOperation: no TCB capability with read stands in the
 * slot
 * @throws {KernelError} IllegalOperation: it is the caller's own, inactive, or of a component that has not been started
 */
export function processWait(
  state: KernelState,
  { component, callId }: Caller,
  { tcb }: Args<"process_wait">,
): Result<"process_wait"> | typeof BLOCKED {
  const { object: target } = lookupTcb(component, tcb, Right.read)
  if (target === component)
    throw new KernelError("IllegalOperation", `slot ${tcb} is the caller: it would wait for itself`)
  const known = takeResult(target)
  if (known !== undefined) return known
  if (target.state !== "running" && !target.isDoomed) {
    const who = `component ${target.id} "${target.name}"`
    throw new KernelError(
      "IllegalOperation",
      `${who} has not been started, so nothing would come: start it first, or kill it`,
    )
  }
  target.waits = target.waits.filter(wait => state.living(wait.component) !== undefined)
  // A component makes one call at a time; one that does otherwise must not fill this list.
  if (target.waits.some(wait => wait.component === component.id)) {
    throw new KernelError(
      "IllegalOperation",
      `slot ${tcb}: the caller waits for it already, in a call not yet answered`,
    )
  }
  target.waits.push({ component: component.id, callId })
  return BLOCKED
}

/**
 * report: hands bytes to who waits for the caller, or keeps them for who will; the last report stands. The root task
 * has no parent here: each of its reports leaves the system at once.
 * @throws {KernelError} RangeError: more than MAX_REPORT_BYTES
 */
export function report(state: KernelState, { component }: Caller, args: Args<"report">): Result<"report"> {
  const bytes = args.report.length
  if (bytes > MAX_REPORT_BYTES) {
    throw new KernelError("RangeError", `report has ${bytes} bytes, at most ${MAX_REPORT_BYTES} are taken: report less`)
  }
  if (component.id === ROOT_TASK) {
    state.emit({ kind: "report", component: component.id, report: args.report })
    return {}
  }
  component.report = args.report
  answerWaits(state, component)
  return {}
}

/** Answers all that wait for a component which has reported or ended. */
export function answerWaits(state: KernelState, component: Component): void {
  if (component.waits.length === 0) return
  const result = takeResult(component)
  if (result === undefined) return
  for (const wait of component.waits) state.answer("process_wait", wait.component, wait.callId, result)
  component.waits = []
}

function takeResult(component: Component): Result<"process_wait"> | undefined {
  const { report, ending } = component
  if (report !== undefined) {
    component.report = undefined
    return { state: REPORTED, status: 0, report, detail: "" }
  }
  if (ending === undefined) return undefined
  if (ending.kind === "exited") return { state: EXITED, status: ending.code, report: NO_BYTES, detail: "" }
  return { state: KILLED, status: 0, report: NO_BYTES, detail: component.endingText }
}
