// source-copy.ts: a copy of the sources with components added, bundled, as a user's checkout would be.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { Test } from "tap"
import { bundle } from "../../scripts/bundle.ts"
import { root } from "./system.ts"

/**
 * @param files sources by their path from the repository's root
 * @returns the folder of bundled components, for `kaal run --components`
 */
export async function bundleWith(t: Test, files: ReadonlyMap<string, string>): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), "source-copy-"))
  t.teardown(() => rmSync(copy, { recursive: true, force: true }))
  cpSync(join(root, "src"), join(copy, "src"), { recursive: true })
  mkdirSync(join(copy, "native"))
  cpSync(join(root, "native/index.ts"), join(copy, "native/index.ts"))
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"))
  for (const [path, source] of files) {
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    writeFileSync(join(copy, path), source)
  }
  await bundle(copy, join(copy, "dist"))
  return join(copy, "dist/components")
}
