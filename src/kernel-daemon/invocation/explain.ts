// explain.ts: what an address is, in words, for fault reports.

import { PAGE_BYTES } from "../abi/limits.ts"
import { KERNEL_PAGE, PRIVATE_END, PRIVATE_START } from "../abi/vspace-map.ts"
import { describeMapping } from "../objects/mapping.ts"
import type { VSpace } from "../objects/vspace.ts"

/** "0x1010000 lies in frame 3, mapped r" or "0x2000000 is not mapped". */
export function explain(vspace: VSpace, address: number): string {
  const text = `0x${address.toString(16)}`
  if (address >= PRIVATE_START && address < PRIVATE_END) return `${text} lies in private memory`
  if (address >= KERNEL_PAGE && address < KERNEL_PAGE + PAGE_BYTES) return `${text} lies in the kernel's page, mapped r`
  const mapping = vspace.find(address)
  return mapping === undefined ? `${text} is not mapped` : `${text} lies in ${describeMapping(mapping)}`
}
