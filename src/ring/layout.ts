// layout.ts: the shared-memory layout as TypeScript sees it: the plain numbers of words.ts, and the status by name.

import { STATUS_KERNEL_GOING, STATUS_KERNEL_GONE, STATUS_LIVE, STATUS_PEER_GONE, STATUS_REVOKED } from "./words.ts"

export * from "./words.ts"

/** Values of a status word. The kernel writes it; it changes from `Live`. */
export const Status = {
  Live: STATUS_LIVE,
  PeerGone: STATUS_PEER_GONE,
  Revoked: STATUS_REVOKED,
  KernelGone: STATUS_KERNEL_GONE,
  KernelGoing: STATUS_KERNEL_GOING,
} as const
