// explore-module.ts: the WebAssembly that the explorer runs: what ships, or what a changed source makes, rewritten.
// Whoever only runs it need not load this, nor the compiler: that takes a second.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { instrument } from "../src/explorer/instrument.ts"
import { compileWasm } from "./build-wasm.ts"

export function shippedBinary(): Uint8Array<ArrayBuffer> {
  return rewritten(readFileSync(join(import.meta.dirname, "..", "dist", "ring.wasm")))
}

/** @param changed a source file of src/ring/wasm, by its path from the root, with another text than it has */
export async function changedBinary(changed: { path: string; text: string }): Promise<Uint8Array<ArrayBuffer>> {
  return rewritten(await compileWasm(changed))
}

function rewritten(binary: Uint8Array): Uint8Array<ArrayBuffer> {
  return instrument(binary) as Uint8Array<ArrayBuffer>
}
