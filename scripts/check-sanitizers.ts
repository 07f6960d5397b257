// check-sanitizers.ts: builds the native core with AddressSanitizer and UndefinedBehaviorSanitizer into a temporary
// folder and runs native/sanitize there. Its seed is the first argument; by default a new one, which is printed.

import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")
const seed = process.argv[2] ?? String(Date.now() % 2 ** 32)
const core = readFileSync(join(root, "native", "sources.txt"), "utf8")
  .split("\n")
  .filter(line => /^native\/core\/.*\.cc$/.test(line))
const folder = mkdtempSync(join(tmpdir(), "kaal-sanitize-"))
try {
  const binary = join(folder, "sanitize")
  const flags = ["-std=c++17", "-g", "-O1", "-pthread", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
  const sources = [...core, "native/sanitize/main.cc"]
  execFileSync("g++", [...flags, "-Inative", ...sources, "-o", binary], { cwd: root, stdio: "inherit" })
  execFileSync(binary, [seed], { stdio: "inherit", timeout: 120_000 })
} catch (error) {
  console.log(`seed ${seed}: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
