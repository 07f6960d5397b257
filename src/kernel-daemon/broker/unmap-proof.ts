// unmap-proof.ts: waits until a component shows no more of a memory than it may have mapped, or is no more.

import { REVOKE_DEADLINE_MS } from "../abi/limits.ts"
import type { MemoryId } from "../invocation/effects.ts"
import type { ComponentProcess } from "./component-process.ts"
import { describeTraces, isWithin, type MemoryGrant, type MemoryIdentity, tracesOf } from "./memory-traces.ts"

/** Between two looks at a component that has not let go yet. */
const PROVE_INTERVAL_MS = 1

/** The component to be looked at, as it is at each look. */
export interface Holder {
  /** undefined when it has ended. */
  process(): ComponentProcess | undefined
  /** What the kernel grants it of the memory. */
  grant(): MemoryGrant
}

/**
 * Calls back with true when the component shows no more of the memory than it is granted, or is no more; with false, at once,
 * where it cannot be looked at and its death would prove nothing either. Who shows more at REVOKE_DEADLINE_MS is killed.
 */
export function proveUnmapped(
  holder: Holder,
  memory: MemoryId,
  identity: MemoryIdentity,
  done: (proved: boolean) => void,
): void {
  const deadline = performance.now() + REVOKE_DEADLINE_MS
  const look = (): void => {
    const process = holder.process()
    if (process === undefined) return done(true)
    if (!process.canBeRead) {
      if (process.confinement !== "namespace") return done(false)
      process.kill(`memory ${memory} was revoked and its /proc cannot be read: its end alone proves that it let go`)
    }
    const grant = holder.grant()
    const traces = tracesOf(process.pid, identity, grant)
    if (isWithin(traces, grant)) return done(true)
    if (performance.now() >= deadline) {
      process.kill(`it keeps memory ${memory} that was revoked: ${describeTraces(traces)}`)
    }
    setTimeout(look, PROVE_INTERVAL_MS)
  }
  look()
}
