// looks.ts: a process that looks: loads in a row, with nothing else done between them; and rounds of those that repeat themselves.

import { isAtomicLoad } from "./memory.ts"
import type { Access, Point } from "./process.ts"

export interface Look {
  readonly access: Access
  readonly result: bigint
}

/** Loads of a round at most: a round of a merge or of a notification looks at several words. */
const MAX_ROUND = 6

/**
 * The last looks up to `point`, the latest first, as many as make two rounds.
 * @param isQuiet loads that are no steps, and are left out
 */
export function looksBefore(point: Point, isQuiet: (access: Access) => boolean): Look[] {
  const looks: Look[] = []
  for (let at = point; looks.length < 2 * MAX_ROUND && at.parent !== undefined; at = at.parent) {
    const { access } = at.parent
    if (!isAtomicLoad(access)) break
    if (!isQuiet(access)) looks.push({ access, result: at.result })
  }
  return looks
}

/** The last round, the latest look first, if it found what the round before it found; else none. */
export function repeatedRound(looks: readonly Look[]): readonly Look[] {
  for (let length = 1; 2 * length <= looks.length; length++) {
    const round = looks.slice(0, length)
    if (round.every((look, at) => isSame(look, looks[at + length]))) return round
  }
  return []
}

export function isSame(a: Look, b: Look | undefined): boolean {
  return a.access.address === b?.access.address && a.result === b.result
}
