// load-ts.mjs: lets Node run this project's TypeScript: `node --import ./scripts/load-ts.mjs scripts/check.ts`.
// Node 22.18 and later need no help. On older ones esbuild strips the types, and of .ts files only: tsx reads every
// module that it meets, which takes seven seconds for the WebAssembly compiler's.

import { readFile } from "node:fs/promises"
import { register } from "node:module"
import { fileURLToPath } from "node:url"
import { isMainThread } from "node:worker_threads"

// Node loads this file a second time, in the thread of the hooks, and calls the function below there.
if (isMainThread && !process.features.typescript) register(import.meta.url)

export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context)
  const { transform } = await import("esbuild")
  const sourcefile = fileURLToPath(url)
  const { code } = await transform(await readFile(sourcefile, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "esnext",
    sourcemap: "inline",
    sourcefile,
  })
  return { format: "module", source: code, shortCircuit: true }
}
