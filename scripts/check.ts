// check.ts: the one gate. Every rule that a program can judge, a line each, then what the failing ones said.
// With --slow it also runs the slow tests, and all tests and the ipc-test as an ordinary user in a directory of its own.

import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { basename, join } from "node:path"
import Table from "cli-table3"
import { checkImports } from "./check-imports.ts"
import { checkTree } from "./check-tree.ts"
import { checkWasm } from "./check-wasm.ts"
import { trackedFiles } from "./tracked-files.ts"

/** Resolves with what is wrong, in lines for people; empty when nothing is. */
type Check = () => Promise<string>

interface Outcome {
  readonly name: string
  readonly problems: string
  readonly ms: number
}

const FAST_AT_ONCE = 2
const FAST_DEADLINE_MS = 120_000
const SLOW_DEADLINE_MS = 840_000
/** Those of the benches, which measure for ten minutes and more. A file of them may take half of it, not tap's two minutes. */
const SLOW_TESTS_DEADLINE_MS = 1_800_000
const SLOW_TEST_SECONDS = 900
/** All tests and what they need built. */
const USER_DEADLINE_MS = 1_800_000
/** More than a thousand trials, each with processes of its own. */
const FAULTS_DEADLINE_MS = 2_700_000
/** A few hundred failures, each with rounds of a system's own deadlines; twice as long on slow hosts. */
const RESOURCES_DEADLINE_MS = 1_800_000
/** Twelve minutes of work of one processor, of which there are two; more on slow ones. */
const EXPLORE_DEADLINE_MS = 900_000
const SOAK_MINUTES = 20
/** With its start and end, and one answer that it waits for in vain. */
const SOAK_DEADLINE_MS = (SOAK_MINUTES + 3) * 60_000
const root = join(import.meta.dirname, "..")

function fastChecks(): Record<string, Check> {
  const files = trackedFiles(root)
  return {
    types: program(FAST_DEADLINE_MS, bin("tsc"), "--noEmit", "--pretty", "false"),
    "format and lint": program(FAST_DEADLINE_MS, bin("biome"), "check", "--error-on-warnings", "--max-diagnostics=50"),
    wasm: async () => checkWasm(readFileSync(join(root, "dist", "ring.wasm"))).join("\n"),
    imports: async () => checkImports(root, files).join("\n"),
    tree: async () => checkTree(root, files).join("\n"),
  }
}

function slowChecks(): Record<string, Check> {
  const tests = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter(path => /\.slow\.test\.ts$|^bench\/.*\.test\.ts$/.test(path))
    .map(path => join("test", path))
  return {
    ...(tests.length > 0 && {
      "slow tests": program(
        SLOW_TESTS_DEADLINE_MS,
        bin("tap"),
        ...["run", "--disable-coverage", `--timeout=${SLOW_TEST_SECONDS}`, ...tests],
      ),
    }),
    "bench gate": program(SLOW_DEADLINE_MS, process.execPath, "dist/kaal.cjs", "bench", "gate"),
    "ordinary user": program(USER_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/check-user.ts"),
    faults: program(FAULTS_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/faults.ts"),
    hostile: scoring(SLOW_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/hostile.ts", "--words", "2e9"),
    fuzz: scoring(SLOW_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/fuzz.ts", "--seconds", "600"),
    soak: scoring(
      SOAK_DEADLINE_MS,
      process.execPath,
      ...process.execArgv,
      "scripts/soak.ts",
      ...["--minutes", String(SOAK_MINUTES), "--json"],
    ),
    resources: program(
      RESOURCES_DEADLINE_MS,
      process.execPath,
      ...process.execArgv,
      "scripts/resources.ts",
      ...["--stride", "32"],
    ),
    explore: scoring(EXPLORE_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/explore.ts"),
    sanitizers: scoring(SLOW_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/check-sanitizers.ts"),
    mutants: scoring(SLOW_DEADLINE_MS, process.execPath, ...process.execArgv, "scripts/check-mutants.ts"),
  }
}

function bin(name: string): string {
  return join(root, "node_modules", ".bin", name)
}

/** A check that is a program: wrong is what does not exit with 0, and its output says why. */
function program(deadlineMs: number, file: string, ...args: string[]): Check {
  return run(deadlineMs, file, args, () => {})
}

/** As `program`; its output is a score, which is shown when nothing is wrong as well. */
function scoring(deadlineMs: number, file: string, ...args: string[]): Check {
  return run(deadlineMs, file, args, console.log)
}

function run(deadlineMs: number, file: string, args: readonly string[], onSuccess: (output: string) => void): Check {
  return () =>
    new Promise((resolve, reject) => {
      const child = spawn(file, args, {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"],
        timeout: deadlineMs,
      })
      let output = ""
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text
        })
      }
      child.on("error", reject)
      child.on("close", (status, signal) => {
        if (status === 0) onSuccess(output.trim())
        const ending = signal === null ? `status ${status}` : `${signal}, after at most ${deadlineMs} ms`
        resolve(status === 0 ? "" : `${output.trim()}\n${basename(file)} ended with ${ending}`.trim())
      })
    })
}

/** Runs them in order, `atOnce` at a time; the outcomes are in that order. */
async function runAll(checks: Record<string, Check>, atOnce: number): Promise<Outcome[]> {
  const waiting = Object.entries(checks)
  const outcomes = new Map<string, Outcome>()
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, check] = next
      const start = performance.now()
      const problems = await check()
      outcomes.set(name, { name, problems, ms: Math.round(performance.now() - start) })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return Object.keys(checks).flatMap(name => outcomes.get(name) ?? [])
}

const outcomes = await runAll(fastChecks(), FAST_AT_ONCE)
// One at a time: slow tests measure, and a neighbour would be measured with them.
if (process.argv.includes("--slow")) outcomes.push(...(await runAll(slowChecks(), 1)))

const table = new Table({
  head: ["check", "result", "ms"],
  colAligns: ["left", "left", "right"],
  style: { head: [], border: [] },
})
for (const { name, problems, ms } of outcomes) table.push([name, problems === "" ? "ok" : "FAILED", ms])
console.log(table.toString())

const failed = outcomes.filter(({ problems }) => problems !== "")
for (const { name, problems } of failed) console.log(`\n${name}:\n${problems}`)
if (failed.length > 0) process.exitCode = 1
