// bell-map.ts: which address names which bell of a component. A bell goes with the mapping in whose range its address lies.

import { AttachRole } from "./syscalls.ts"

/** Of an end of a ring: its own bell and its peer's, both at this address. `address` is where its frame is mapped. */
export function endBellAddress(address: number, role: number): number {
  // A component may hold both ends through one mapping.
  return role === AttachRole.producer ? address : address + 1
}
