// tracked-files.ts: the files of the repository: what git tracks, and what it would track.

import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"

/** Paths from `root`, with slashes. Works for whoever runs it, in a checkout that belongs to somebody else too. */
export function trackedFiles(root: string): string[] {
  const args = ["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
  const listed = execFileSync("git", args, { cwd: root, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 })
  return listed.split("\0").filter(path => path !== "" && existsSync(join(root, path)))
}
