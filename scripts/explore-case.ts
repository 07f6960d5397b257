// explore-case.ts: what the explorer needs besides its cases: the module that ships, rewritten, and a case by its name.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { CASES, LARGE } from "../src/explorer/cases/all.ts"
import type { Case } from "../src/explorer/explore.ts"
import { instrument } from "../src/explorer/instrument.ts"

export function shippedModule(): WebAssembly.Module {
  return compiled(readFileSync(join(import.meta.dirname, "..", "dist", "ring.wasm")))
}

export function caseNamed(name: string): Case {
  const found = [...CASES, ...LARGE].find(other => other.name === name)
  if (found === undefined) throw new Error(`There is no case "${name}"`)
  return found
}

export function compiled(binary: Uint8Array): WebAssembly.Module {
  return new WebAssembly.Module(instrument(binary) as Uint8Array<ArrayBuffer>)
}
