// holdings.ts: how much of everything kernel and broker hold, in one line: what grows there for ever is a leak.

import type { Sights } from "./unmap-proof.ts"

/** "the kernel holds: components 3, ended 0, capabilities 31, ..."; see Kernel.holdings. */
export function describeHoldings({ kernel, memories, bells }: Pick<Sights, "kernel" | "memories" | "bells">): string {
  const holdings = { ...kernel.holdings(), memories: memories.size, bells: bells.size }
  const parts = Object.entries(holdings).map(([what, count]) => `${what} ${count}`)
  return `the kernel holds: ${parts.join(", ")}`
}
