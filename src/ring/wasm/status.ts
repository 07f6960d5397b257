// status.ts: has the kernel said that the object behind an end is no longer live?

import { STATUS_LIVE } from "../words"

export function isLive(status: usize): bool {
  // ORDER status: sees everything that the kernel, and the peer before it died, did before the kernel stored the status.
  return atomic.load<u32>(status) == STATUS_LIVE
}
