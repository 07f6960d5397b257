// broker-events.ts: what happens to components, for whoever shows it or passes it on.

import type { KernelError } from "../abi/errors.ts"
import type { ComponentId, Ending } from "../invocation/effects.ts"

/** What the daemon tells whoever started it. */
export interface BrokerEvents {
  readonly onSpawned: (component: ComponentId, name: string, osPid: number, confined: boolean) => void
  /** A syscall, as it came. */
  readonly onCall: (component: ComponentId, message: Uint8Array) => void
  readonly onPrint: (component: ComponentId, name: string, lines: readonly string[]) => void
  readonly onReport: (report: Uint8Array) => void
  readonly onEnded: (component: ComponentId, name: string, ending: Ending) => void
  /** The root task could not be booted; `onShutdown` follows. */
  readonly onRefused: (error: KernelError) => void
  /** After the last component is reaped, and what it said last has been passed on. */
  readonly onShutdown: (ok: boolean) => void
}
