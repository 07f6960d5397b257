// holdings.ts: how much of everything kernel, broker and the daemon's process hold: what grows there for ever is a leak.

import { censusOf } from "./census.ts"
import type { Sights } from "./unmap-proof.ts"

/** "the kernel holds: components 3, ended 0, capabilities 31, ...", see Kernel.holdings; and the same of the daemon. */
export function describeHoldings({ kernel, memories, bells }: Pick<Sights, "kernel" | "memories" | "bells">): string[] {
  const holdings = { ...kernel.holdings(), memories: memories.size, bells: bells.size }
  return [`the kernel holds: ${inWords(holdings)}`, `the daemon holds: ${inWords(censusOf("self"))}`]
}

function inWords(counts: object): string {
  return Object.entries(counts)
    .map(([what, count]) => `${what} ${count}`)
    .join(", ")
}
