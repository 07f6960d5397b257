// bystander.ts: role bystander: makes null syscalls while another component keeps the kernel busy.

import type { Calls } from "../../protocols/bench-caps.ts"
import type { Component } from "../runtime/index.ts"
import { GO_ON_SLOT, PHASE_BADGE, READY_SLOT } from "./slots.ts"
import { latencyOf, timed } from "./timing.ts"

const WARM_UP_CALLS = 5_000
/** Room for the samples of one phase, some seconds of calls. */
const MAX_SAMPLES = 1_000_000

/** Each signal ends a phase: the first is not measured, the other three are reported. */
export function bystander(self: Component): void {
  const phase = self.notification(GO_ON_SLOT)
  const nullSyscall = (): number => timed(() => self.call("yield", {}))
  const samples = new Float64Array(MAX_SAMPLES)
  for (let call = 0; call < WARM_UP_CALLS; call++) samples[call] = nullSyscall()
  self.notification(READY_SLOT).signal(PHASE_BADGE)
  while (phase.poll() === 0n) nullSyscall()
  const measure = (): Calls => {
    let calls = 0
    do {
      samples[calls++] = nullSyscall()
    } while (phase.poll() === 0n && calls < MAX_SAMPLES)
    return { calls, ...latencyOf(samples.slice(0, calls)) }
  }
  const [before, during, after] = [measure(), measure(), measure()]
  self.report({ before, during, after })
}
