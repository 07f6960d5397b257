// status.ts: has the kernel said that the object behind an end is no longer live?

import { STATUS_KERNEL_GOING, STATUS_LIVE } from "../words"

export function isLive(status: usize): bool {
  // ORDER status: sees what the kernel, and a peer that died, did before the kernel stored this status.
  return atomic.load<u32>(status) == STATUS_LIVE
}

/** For whoever receives: may something still come? */
export function mayCome(status: usize): bool {
  // ORDER status: as in isLive().
  const now = atomic.load<u32>(status)
  return now == STATUS_LIVE || now == STATUS_KERNEL_GOING
}
