// explore-case.ts: a case of the explorer by its name.

import { CASES, LARGE } from "../src/explorer/cases/all.ts"
import type { Case } from "../src/explorer/explore.ts"

/** @throws {Error} there is none */
export function caseNamed(name: string): Case {
  const found = [...CASES, ...LARGE].find(other => other.name === name)
  if (found === undefined) throw new Error(`There is no case "${name}"`)
  return found
}
