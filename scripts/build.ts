// build.ts: makes dist/: the ring's WebAssembly and the bundles. bootstrap.mjs calls it when an input has changed.

import { mkdirSync, renameSync } from "node:fs"
import { join } from "node:path"
import { buildWasm } from "./build-wasm.ts"
import { bundle } from "./bundle.ts"

const root = join(import.meta.dirname, "..")
const dist = join(root, "dist")

mkdirSync(dist, { recursive: true })
const wasm = join(dist, "ring.wasm")
const temporary = `${wasm}.${process.pid}`
await buildWasm(temporary)
renameSync(temporary, wasm)
try {
  await bundle(root, dist)
} catch {
  process.exitCode = 1 // esbuild has said where and why.
}
