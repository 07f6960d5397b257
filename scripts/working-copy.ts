// working-copy.ts: a copy of the sources in which faults can be planted and programs run.

import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { atExit } from "./at-exit.ts"

const root = join(import.meta.dirname, "..")

/**
 * Copies those folders, or none, to a new one, which goes when this process ends. What is installed there and the addon are the tree's own:
 * nothing of them may be changed.
 */
export function makeWorkingCopy(folders: readonly string[]): string {
  const copy = mkdtempSync(join(tmpdir(), "kaal-copy-"))
  atExit(() => rmSync(copy, { recursive: true, force: true }))
  for (const folder of folders) cpSync(join(root, folder), join(copy, folder), { recursive: true })
  for (const folder of ["node_modules", "build"]) symlinkSync(join(root, folder), join(copy, folder))
  cpSync(join(root, "package.json"), join(copy, "package.json"))
  return copy
}
