// build-wasm.ts: compiles src/ring/wasm to one WebAssembly module for the VSpace of abi/vspace-map.ts, and checks it.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import asc from "assemblyscript/asc"
import { VSPACE_BYTES } from "../src/kernel-daemon/abi/vspace-map.ts"
import { checkWasm } from "./check-wasm.ts"

const root = join(import.meta.dirname, "..")
const WASM_PAGE_BYTES = 65_536

/**
 * @param changed a source file, by its path from the root, with another text than it has
 * @returns the ring's hot code
 * @throws {Error} the compiler's messages
 * Cost: about 2 s.
 */
export async function compileWasm(changed?: { readonly path: string; readonly text: string }): Promise<Uint8Array> {
  const pages = String(VSPACE_BYTES / WASM_PAGE_BYTES)
  let binary: Uint8Array | undefined
  const args = [
    "src/ring/wasm/index.ts",
    ...["--baseDir", root],
    ...["--outFile", "ring.wasm"],
    ...["--enable", "threads,simd"],
    // Initial equals maximum: the memory never grows, so its buffer never changes.
    ...["--importMemory", "--noExportMemory", "--sharedMemory", "--initialMemory", pages, "--maximumMemory", pages],
    // No runtime, no data: the module touches nothing but the addresses that it is given.
    ...["--runtime", "stub", "--use", "abort=", "--noAssert", "-O3"],
  ]
  const { error, stderr } = await asc.main(args, {
    readFile: path => (path === changed?.path ? changed.text : textOf(path)),
    writeFile: (_, content) => {
      binary = content as Uint8Array
    },
  })
  if (error === null && binary !== undefined) return binary
  throw new Error(`The ring's WebAssembly does not compile: ${error?.message}\n${stderr}`)
}

/** The compiler asks for what may not be there. */
function textOf(path: string): string | null {
  const file = join(root, path)
  return existsSync(file) ? readFileSync(file, "utf8") : null
}

/**
 * Compiles the ring's hot code and writes it to `outFile`.
 *
 * @param outFile path, relative to the working directory or absolute; left as it is when anything is refused
 * @throws {Error} the compiler's messages, or the rules of check-wasm.ts that the binary breaks
 */
export async function buildWasm(outFile: string): Promise<void> {
  const binary = await compileWasm()
  const violations = checkWasm(binary)
  if (violations.length > 0)
    throw new Error(`The ring's WebAssembly breaks the rules of scripts/check-wasm.ts:\n${violations.join("\n")}`)
  mkdirSync(dirname(outFile), { recursive: true })
  writeFileSync(outFile, binary)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  await buildWasm(process.argv[2] ?? join(root, "dist", "ring.wasm"))
}
