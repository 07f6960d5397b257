// start-line.ts: what a command says when its daemon is ready: how components are confined, and what they could do if not.

import { openAttacks } from "../broker/attack-probe.ts"
import { type Confinement, describeConfinement, leavesOpen } from "../broker/confinement.ts"

/** One line. Cost: where something stays open some ten milliseconds, for each attack is tried. */
export function startLine(confinement: Confinement): string {
  const how = describeConfinement(confinement)
  const { kind } = confinement
  return leavesOpen(kind) ? `${how}; any of them could ${openAttacks(kind).join("; ")}` : how
}
