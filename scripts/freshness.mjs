// freshness.mjs: is what stands in dist/ made from the sources that stand here? By content. Built-ins only.

import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"

// What the bundles are made from. A source that is not here cannot make them stale.
const INPUTS = [
  "src",
  "native/index.ts",
  ...["build", "bundle", "build-wasm", "check-wasm"].map(name => `scripts/${name}.ts`),
]
const LOCKFILE = "package-lock.json"
const STAMP = join("dist", ".stamp")

/** Hash of every input of the build, names and contents. Cost: a few milliseconds for some hundred files. */
export function fingerprint(root) {
  const hash = createHash("sha256")
  for (const path of [...INPUTS.flatMap(input => filesBelow(root, input)), LOCKFILE]) {
    const content = readFileSync(join(root, path))
    hash.update(`${path}\0${content.length}\0`).update(content)
  }
  return hash.digest("hex")
}

/** True when the stamp names these inputs and everything that was built from them is still there. */
export function bundlesAreFresh(root, inputs) {
  try {
    const stamp = JSON.parse(readFileSync(join(root, STAMP), "utf8"))
    return stamp.inputs === inputs && stamp.outputs.every(path => existsSync(join(root, "dist", path)))
  } catch {
    return false
  }
}

/** Call it last: a build that was cut short then counts as none. */
export function stampBundles(root, inputs) {
  const outputs = readdirSync(join(root, "dist"), { recursive: true }).filter(path => /\.(cjs|wasm)$/.test(path))
  const temporary = join(root, `${STAMP}.${process.pid}`)
  writeFileSync(temporary, JSON.stringify({ inputs, outputs }))
  renameSync(temporary, join(root, STAMP))
}

function filesBelow(root, path) {
  const full = join(root, path)
  if (!existsSync(full)) return []
  if (/\.\w+$/.test(path)) return [path]
  return readdirSync(full, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry => filesBelow(root, join(path, entry.name)))
}
