// status.ts: has the kernel said that the object behind an end is no longer live?

import { STATUS_LIVE } from "../words"

export function isLive(status: usize): bool {
  // ORDER status: sees what the kernel, and a peer that died, did before the kernel stored this status.
  return atomic.load<u32>(status) == STATUS_LIVE
}
