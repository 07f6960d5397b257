// boot.ts: how a component's process and the daemon meet. Declared once for broker/spawn.ts and components/runtime.

import type { ProfileName } from "./profile.ts"

/** The descriptors that a component's process starts with, beside 0, 1 and 2; those from `program` on if it is confined. */
export const BootFd = {
  control: 3,
  mapper: 4,
  faultRecord: 5,
  statusPage: 6,
  program: 7,
  start: 8,
  script: 9,
  addon: 10,
  ringWasm: 11,
} as const

/** First message of a component on its control socket: its VSpace stands, its mapper runs, it waits for the start. */
export const HELLO = "kaal-hello-1"

/** The daemon's first message on a control socket, as JSON: makes the component runnable. */
export interface StartMessage {
  readonly name: string
  readonly pid: number
  readonly arguments: readonly number[]
  /**
   * Components are of one user: what keeps one from opening a frame anew for writing is a seal, to be asked for as soon as
   * its one writer has it mapped.
   */
  readonly seals: boolean
  readonly profile: ProfileName
}

/** Environment of a component, all of it besides the addon's path (native/index.ts). */
export const RING_WASM_VARIABLE = "KAAL_RING_WASM"

/** How long a component goes on without its daemon, in milliseconds. */
export const GRACE_VARIABLE = "KAAL_GRACE_MS"
export const DEFAULT_GRACE_MS = 2_000

/** Exit status of a component whose daemon went away. */
export const KERNEL_GONE_STATUS = 70
