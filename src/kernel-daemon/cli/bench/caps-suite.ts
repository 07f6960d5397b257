// caps-suite.ts: capabilities: the core alone, and calls of real components beside an echo over a Unix socket.

import { measureInPart, type PartName } from "./caps-suite-part.ts"
import { placements } from "./caps-suite-placement.ts"
import type { CapsRow } from "./caps-suite-row.ts"
import { measureCrowd, measureLatency } from "./caps-suite-system.ts"

const CORE: readonly PartName[] = ["operations", "memory", "revoke-wide", "revoke-deep"]

export interface CapsSuiteOptions {
  /** Pairs of fresh processes, ours and the echo's, that each ratio rests on, at least 7. */
  readonly pairs: number
  readonly onRow: (row: CapsRow) => void
  readonly progress: (text: string) => void
}

/** @throws {Error} a part or a session failed; the message says what it printed */
export async function runCapsSuite({ pairs, onRow, progress }: CapsSuiteOptions): Promise<CapsRow[]> {
  const rows: CapsRow[] = []
  const tell = (more: readonly CapsRow[]): void => {
    rows.push(...more)
    for (const row of more) onRow(row)
  }
  for (const part of CORE) {
    progress(`${part}, in the core`)
    tell(await measureInPart<CapsRow[]>(part))
  }
  for (const placement of placements()) tell(await measureLatency(placement, pairs, progress))
  for (const shape of ["wide", "deep"] as const) {
    for (const placement of placements()) tell(await measureCrowd(shape, placement, progress))
  }
  return rows
}
