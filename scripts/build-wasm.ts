// build-wasm.ts: compiles src/ring/wasm to one WebAssembly module for the VSpace of abi/vspace-map.ts, and checks it.

import { readFileSync, rmSync } from "node:fs"
import { join, relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import asc from "assemblyscript/asc"
import { VSPACE_BYTES } from "../src/kernel-daemon/abi/vspace-map.ts"
import { checkWasm } from "./check-wasm.ts"

const root = join(import.meta.dirname, "..")
const WASM_PAGE_BYTES = 65_536

/**
 * Compiles the ring's hot code and writes it to `outFile`.
 *
 * @param outFile path, relative to the working directory or absolute; left absent when anything is refused
 * @throws {Error} the compiler's messages, or the rules of check-wasm.ts that the binary breaks
 * Cost: about 2 s.
 */
export async function buildWasm(outFile: string): Promise<void> {
  const pages = String(VSPACE_BYTES / WASM_PAGE_BYTES)
  const { error, stderr } = await asc.main([
    "src/ring/wasm/index.ts",
    ...["--baseDir", root],
    ...["--outFile", relative(root, resolve(outFile))],
    ...["--enable", "threads,simd"],
    // Initial equals maximum: the memory never grows, so its buffer never changes.
    ...["--importMemory", "--noExportMemory", "--sharedMemory", "--initialMemory", pages, "--maximumMemory", pages],
    // No runtime, no data: the module touches nothing but the addresses that it is given.
    ...["--runtime", "stub", "--use", "abort=", "--noAssert", "-O3"],
  ])
  if (error !== null) throw new Error(`The ring's WebAssembly does not compile: ${error.message}\n${stderr}`)
  const violations = checkWasm(readFileSync(outFile))
  if (violations.length === 0) return
  rmSync(outFile)
  throw new Error(`The ring's WebAssembly breaks the rules of scripts/check-wasm.ts:\n${violations.join("\n")}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await buildWasm(process.argv[2] ?? join(root, "dist", "ring.wasm"))
}
