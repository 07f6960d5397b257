// check-tree.ts: what must not be in the repository, and what must. The house rules that a program can judge.

import { existsSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"

const MAX_FILE_BYTES = 512 * 1024
const MAX_SOURCE_LINES = 400
const REQUIRED = ["CHANGELOG.md", "LICENSE", "package-lock.json"]
const LOCKFILE = "package-lock.json"

const SOURCE = /\.(ts|mjs|cc|h)$/
const TEST = /\.test\.ts$/

/** Somebody's machine: paths that exist nowhere else. */
const MACHINE_PATH = /(?<![\w.~}])\/(work|home|root)\/\w/
/** A lockfile that names a host works only where that host is reachable. */
const LOCKED_HOST = /"resolved":\s*"https?:/
/** A test that hides others, or itself without a reason. */
const HIDDEN_TEST = /\.only\(|\bonly:\s*true|\.skip\(|\bskip:\s*true|\btodo:\s*true/

/**
 * The violations of one file, "path:line: what is wrong".
 *
 * @param path  from the repository's root
 * @param text  its content
 */
export function fileViolations(path: string, text: string): string[] {
  const lines = text.split("\n")
  const found: string[] = []
  const each = (pattern: RegExp, what: string) => {
    lines.forEach((line, index) => {
      if (pattern.test(line)) found.push(`${path}:${index + 1}: ${what}`)
    })
  }
  if (path === LOCKFILE) {
    each(LOCKED_HOST, "names a registry's host; run npm install with --omit-lockfile-registry-resolved")
    return found
  }
  each(MACHINE_PATH, "an absolute path of one machine; make it relative")
  if (TEST.test(path)) each(HIDDEN_TEST, "hides a test; run it, or give skip a reason as text")
  if (!SOURCE.test(path)) return found
  const name = path.slice(path.lastIndexOf("/") + 1)
  const first = lines[0]?.startsWith("#!") ? lines[1] : lines[0]
  if (!first?.startsWith(`// ${name}: `))
    found.push(`${path}:1: must begin with "// ${name}: " and say what the file is`)
  if (lines.length > MAX_SOURCE_LINES + 1) {
    found.push(`${path}: has ${lines.length - 1} lines, the limit is ${MAX_SOURCE_LINES}; split it by ideas`)
  }
  return found
}

/** The violations of the tree below `root`, of which `paths` are the files that git tracks or would track. */
export function checkTree(root: string, paths: readonly string[]): string[] {
  const missing = REQUIRED.filter(path => !existsSync(join(root, path))).map(path => `${path}: is missing`)
  const violations = paths.flatMap(path => {
    const { size } = statSync(join(root, path))
    if (size > MAX_FILE_BYTES) return [`${path}: has ${size} bytes, the limit is ${MAX_FILE_BYTES}; do not track it`]
    const content = readFileSync(join(root, path))
    return content.includes(0) ? [`${path}: is binary; generate it instead`] : fileViolations(path, content.toString())
  })
  return [...missing, ...violations]
}
