// unmap-proof.ts: waits until a component shows no more of a memory, and of its bells, than it may have, or is no more.

import { REVOKE_DEADLINE_MS } from "../abi/limits.ts"
import type { ComponentId, MemoryId } from "../invocation/effects.ts"
import type { Kernel } from "../invocation/kernel.ts"
import type { BellTable } from "./bell-table.ts"
import type { ComponentProcess } from "./component-process.ts"
import type { MemoryTable } from "./memory-table.ts"
import { describeTraces, isWithin, type MemoryGrant, tracesOf } from "./memory-traces.ts"

/** Between two looks at a component that has not let go yet. */
const PROVE_INTERVAL_MS = 1

/** What there is to look at: what is granted, what it looks like, and who may hold it. */
export interface Sights {
  readonly kernel: Kernel
  readonly memories: MemoryTable
  readonly bells: BellTable
  readonly processes: ReadonlyMap<ComponentId, ComponentProcess>
}

export interface ToProve {
  readonly component: ComponentId
  readonly memory: MemoryId
  /** Whose bells are looked for as well. */
  readonly bellsOf: MemoryId
}

/**
 * Calls back with true when the component shows no more of the memory, and of its bells, than it is granted, or is no more;
 * with false, at once, where it cannot be looked at and its death would prove nothing either. Who shows more at
 * REVOKE_DEADLINE_MS is killed.
 */
export function proveUnmapped(
  { kernel, memories, bells, processes }: Sights,
  { component, memory, bellsOf }: ToProve,
  done: (proved: boolean) => void,
): void {
  // A former memory of a frame is destroyed when it was seen to be gone.
  if (!memories.has(memory)) return done(true)
  const sought = { ...memories.identity(memory), bells: bells.idsOf(bellsOf) }
  const deadline = performance.now() + REVOKE_DEADLINE_MS
  const look = (): void => {
    const process = processes.get(component)
    if (process === undefined) return done(true)
    if (!process.canBeRead) {
      if (process.confinement !== "namespace") return done(false)
      process.kill(`memory ${memory} was revoked and its /proc cannot be read: its end alone proves that it let go`)
    }
    const grant: MemoryGrant = {
      ...kernel.memoryGrant(component, memory),
      bells: kernel.bellsHeld(component, bellsOf),
    }
    const traces = tracesOf(process.pid, sought, grant)
    if (isWithin(traces, grant)) return done(true)
    if (performance.now() >= deadline) {
      process.kill(`it keeps memory ${memory} that was revoked: ${describeTraces(traces)}`)
    }
    setTimeout(look, PROVE_INTERVAL_MS)
  }
  look()
}
