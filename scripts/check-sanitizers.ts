// check-sanitizers.ts: builds the native core with AddressSanitizer and UndefinedBehaviorSanitizer into a temporary
// folder and runs native/sanitize there, which fuzzes as well, led by coverage. Its seed is the first argument; by default a new one, which is printed.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import { atExit } from "./at-exit.ts"

const root = join(import.meta.dirname, "..")
const seed = process.argv[2] ?? String(Date.now() % 2 ** 32)
const core = readFileSync(join(root, "native", "sources.txt"), "utf8")
  .split("\n")
  .filter(line => /^native\/core\/.*\.cc$/.test(line))
const folder = mkdtempSync(join(tmpdir(), "kaal-sanitize-"))
atExit(() => rmSync(folder, { recursive: true, force: true }))

/** Not a blocking call: this process is to hear a signal meanwhile. @throws {Error} it does not end well */
async function run(file: string, args: readonly string[], timeout?: number): Promise<void> {
  const child = spawn(file, args, { cwd: folder, stdio: "inherit", timeout })
  const forget = atExit(() => child.kill("SIGKILL"))
  const [code, signal] = await once(child, "close")
  forget()
  if (code !== 0) throw new Error(`${basename(file)} ended with ${signal ?? code}`)
}

try {
  const binary = join(folder, "sanitize")
  const flags = ["-std=c++17", "-g", "-O1", "-pthread", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
  const compile = (sources: readonly string[], ...more: string[]): Promise<void> => {
    const paths = sources.map(source => join(root, source))
    return run("g++", [...flags, `-I${join(root, "native")}`, ...more, ...paths])
  }
  // Of the core alone it is told what was run: that leads the fuzzer.
  await compile(core, "-c", "-fsanitize-coverage=trace-pc")
  const objects = core.map(source => join(folder, `${basename(source, ".cc")}.o`))
  await compile(["native/sanitize/main.cc", "native/sanitize/fuzz.cc"], ...objects, "-o", binary)
  await run(binary, [seed], 120_000)
} catch (error) {
  console.log(`seed ${seed}: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}
