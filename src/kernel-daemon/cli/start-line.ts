// start-line.ts: what a command says when its daemon is ready: how components are confined, and what they could do if not.

import { openWithoutConfinement } from "../broker/attack-probe.ts"
import { type Confinement, describeConfinement } from "../broker/confinement.ts"

/** One line. Cost: where components are not confined some ten milliseconds, for each attack is tried. */
export function startLine(confinement: Confinement): string {
  const how = describeConfinement(confinement)
  return confinement.kind === "none" ? `${how}; any of them could ${openWithoutConfinement().join("; ")}` : how
}
