// watch.ts: the suite's watchdog: kills the case at hand when nothing has been heard of it for too long.

import { HelperSlot } from "../../protocols/conformance.ts"
import { type Component, KernelError } from "../runtime/index.ts"

const CASE_DEADLINE_NS = 20e9

/** Every signal is a case that begins, whose TCB capability then stands in the slot. */
export function watch(self: Component): void {
  const begins = self.notification(HelperSlot.go)
  for (;;) {
    const outcome = begins.wait(CASE_DEADLINE_NS)
    if (outcome === "deadline") kill(self)
    else if (typeof outcome === "string") return
  }
}

function kill(self: Component): void {
  try {
    self.call("process_kill", { tcb: HelperSlot.watched })
  } catch (error) {
    // Between two cases there is nobody to watch.
    if (!(error instanceof KernelError && error.code === "FailedLookup")) throw error
  }
}
