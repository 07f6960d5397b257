// explain.ts: what an address is to a component, in words, for fault reports.

import { PAGE_BYTES } from "../abi/limits.ts"
import { formatPermissions, formatRights } from "../abi/rights.ts"
import { type Args, NO_SLOT, type Result } from "../abi/syscalls.ts"
import { KERNEL_PAGE, PRIVATE_END, PRIVATE_START } from "../abi/vspace-map.ts"
import type { Capability } from "../objects/capability.ts"
import type { Component } from "../objects/component.ts"
import { describeObject } from "../objects/kernel-object.ts"
import type { VSpace } from "../objects/vspace.ts"
import type { Caller } from "./outcome.ts"
import type { KernelState } from "./state.ts"

/** "0x1010000 lies in frame 3, mapped r" or "0x2000000 is not mapped". */
export function explain(vspace: VSpace, address: number): string {
  return `0x${address.toString(16)} ${whereIs(vspace, address)}`
}

/**
 * explain_address: what lies at an address of the caller's VSpace, and which of its capabilities is to the object there.
 * `slot` is NO_SLOT where the caller holds none in its root CNode.
 */
export function explainAddress(
  _state: KernelState,
  { component }: Caller,
  { address }: Args<"explain_address">,
): Result<"explain_address"> {
  const where = whereIs(component.vspace, address)
  const capability = capabilityTo(component, address)
  if (capability === undefined) return { slot: NO_SLOT, text: where }
  const { slot, rights } = capability
  return { slot, text: `${where}; slot ${slot} has rights ${formatRights(rights)}` }
}

function whereIs(vspace: VSpace, address: number): string {
  if (address >= PRIVATE_START && address < PRIVATE_END) return "lies in private memory"
  if (address >= KERNEL_PAGE && address < KERNEL_PAGE + PAGE_BYTES) return "lies in the kernel's page, mapped r"
  const mapping = vspace.find(address)
  if (mapping === undefined) return "is not mapped"
  const part = mapping.parts.find(({ address: start, bytes }) => address >= start && address < start + bytes)
  const permissions = part === undefined ? "not mapped" : `mapped ${formatPermissions(part.permissions)}`
  return `lies in ${describeObject(mapping.object)}, ${mapping.leaving ? "being revoked" : permissions}`
}

/** The capability that the mapping at `address` rests on, or another of the component's to the same object. */
function capabilityTo({ cspace, vspace }: Component, address: number): Capability | undefined {
  const mapping = vspace.find(address)
  if (mapping === undefined) return undefined
  if (mapping.capability.cnode === cspace) return mapping.capability
  return cspace.slots.find(capability => capability?.object === mapping.object)
}
