// describe-ending.ts: a component's end in words, with what the kernel knows about the address it faulted on.

import type { Component, Ending } from "../objects/component.ts"
import { explain } from "./explain.ts"

/**
 * "exited with code 1", "killed by SIGSEGV: write, 0x1010000 lies in frame 3, mapped r". For a component whose mappings
 * still stand.
 */
export function describeEnding(component: Component, ending: Ending): string {
  if (ending.kind === "exited") return `exited with code ${ending.code}`
  const { signal, fault, reason } = ending
  if (fault !== undefined) {
    const where = fault.address < 0 ? "an address outside its VSpace" : explain(component.vspace, fault.address)
    return `killed by ${signal}: ${fault.access}, ${where}`
  }
  return `killed by ${signal}${reason === undefined ? "" : `: ${reason}`}`
}
