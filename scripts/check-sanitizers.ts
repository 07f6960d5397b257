// check-sanitizers.ts: builds the native core with AddressSanitizer and UndefinedBehaviorSanitizer into a temporary
// folder and runs native/sanitize there, which fuzzes as well, led by coverage. Its seed is the first argument; by default a new one, which is printed.

import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"

const root = join(import.meta.dirname, "..")
const seed = process.argv[2] ?? String(Date.now() % 2 ** 32)
const core = readFileSync(join(root, "native", "sources.txt"), "utf8")
  .split("\n")
  .filter(line => /^native\/core\/.*\.cc$/.test(line))
const folder = mkdtempSync(join(tmpdir(), "kaal-sanitize-"))
try {
  const binary = join(folder, "sanitize")
  const flags = ["-std=c++17", "-g", "-O1", "-pthread", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
  const compile = (sources: readonly string[], ...more: string[]): Buffer => {
    const paths = sources.map(source => join(root, source))
    return execFileSync("g++", [...flags, `-I${join(root, "native")}`, ...more, ...paths], {
      cwd: folder,
      stdio: "inherit",
    })
  }
  // Of the core alone it is told what was run: that leads the fuzzer.
  compile(core, "-c", "-fsanitize-coverage=trace-pc")
  const objects = core.map(source => join(folder, `${basename(source, ".cc")}.o`))
  compile(["native/sanitize/main.cc", "native/sanitize/fuzz.cc"], ...objects, "-o", binary)
  execFileSync(binary, [seed], { stdio: "inherit", timeout: 120_000 })
} catch (error) {
  console.log(`seed ${seed}: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
