// system.ts: runs the real `kaal` on real processes, and looks at what it leaves behind.

import { type ChildProcess, spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import type { Test } from "tap"
import { census } from "./census.ts"

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const kaal = join(root, "dist", "kaal.cjs")

/** A run that takes longer has hung. */
const RUN_TIMEOUT_MS = 90_000

export interface Run {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of stdout, where it is JSON. */
  readonly json: unknown
}

/**
 * Starts `kaal` without the test runner's NODE_OPTIONS, which would reach no component anyway but slow the CLI. The test fails
 * where anything is left of the run.
 */
export function startKaal(
  t: Test,
  args: readonly string[],
  timeoutMs = RUN_TIMEOUT_MS,
): { child: ChildProcess; done: Promise<Run> } {
  const child = spawn("/usr/bin/env", ["-u", "NODE_OPTIONS", process.execPath, kaal, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  const killer = setTimeout(() => child.kill("SIGKILL"), timeoutMs)
  t.teardown(() => {
    clearTimeout(killer)
    child.kill("SIGKILL")
  })
  let stdout = ""
  let stderr = ""
  child.stdout.setEncoding("utf8").on("data", text => {
    stdout += text
  })
  child.stderr.setEncoding("utf8").on("data", text => {
    stderr += text
  })
  const left = census(child.pid ?? 0)
  const done = new Promise<Run>(resolve => {
    child.once("close", async (code, signal) => {
      clearTimeout(killer)
      for (const what of await left()) t.fail(`kaal ${args.join(" ")} has left ${what}`)
      resolve({ code, signal, stdout, stderr, json: lastJson(stdout) })
    })
  })
  return { child, done }
}

export function runKaal(t: Test, args: readonly string[], timeoutMs = RUN_TIMEOUT_MS): Promise<Run> {
  return startKaal(t, args, timeoutMs).done
}

/** Bundles components of test/fixtures/components, or src/components, into a folder of their own, for `kaal run --components`. */
export async function bundleFixtures(t: Test, names: readonly string[]): Promise<string> {
  const folder = await bundleComponents(names)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** The same for whoever removes the folder. @param define what names stand for in them, as source text */
export async function bundleComponents(names: readonly string[], define: Record<string, string> = {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "fixture-components-"))
  const mainOf = (name: string): string => {
    const fixture = join(root, "test/fixtures/components", name, "main.ts")
    return existsSync(fixture) ? fixture : join(root, "src/components", name, "main.ts")
  }
  await build({
    entryPoints: Object.fromEntries(names.map(name => [name, mainOf(name)])),
    outdir: folder,
    outExtension: { ".js": ".cjs" },
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20.17",
    define: { "import.meta.url": "importMetaUrl", ...define },
    banner: { js: `const importMetaUrl = require("node:url").pathToFileURL(__filename).href` },
  })
  return folder
}

/** Boots a fixture as the root task and returns what it reported, one value a report. */
export async function runFixture(t: Test, name: string, others: readonly string[] = [], args: readonly number[] = []) {
  const folder = await bundleFixtures(t, [name, ...others])
  const run = await runKaal(t, ["run", name, ...args.map(String), "--components", folder, "--timeout", "60"])
  const reports = run.stdout
    .split("\n")
    .map(line => parseOrUndefined(line))
    .filter(value => value !== undefined)
  return { ...run, reports }
}

export interface ProcessInfo {
  readonly pid: number
  readonly parent: number
  readonly command: string
  readonly state: string
}

/** Every process of the machine whose command line can be read. */
export function processes(): ProcessInfo[] {
  return readdirSync("/proc")
    .filter(name => /^\d+$/.test(name))
    .flatMap(name => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ").trim()
        const stat = readFileSync(`/proc/${name}/stat`, "utf8")
        const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
        return [{ pid: Number(name), parent: Number(parent), command, state: state ?? "" }]
      } catch {
        return [] // It ended meanwhile.
      }
    })
}

/** Descendants of `pid`, itself excluded. */
export function descendants(pid: number): ProcessInfo[] {
  const all = processes()
  const found: ProcessInfo[] = []
  for (let parents = [pid]; parents.length > 0; ) {
    const children = all.filter(info => parents.includes(info.parent))
    found.push(...children)
    parents = children.map(info => info.pid)
  }
  return found
}

/** Waits until `look` finds something. Fails the test after `timeoutMs`. */
export async function eventually<T>(what: string, timeoutMs: number, look: () => T | undefined): Promise<T> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

/** True while the process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  return processes().some(info => info.pid === pid && info.state !== "Z")
}

function lastJson(stdout: string): unknown {
  return parseOrUndefined(stdout.trimEnd().split("\n").at(-1) ?? "")
}

function parseOrUndefined(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
