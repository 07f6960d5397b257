// check-user.ts: the tests and the ipc-test as an ordinary user, built anew in a directory that only its owner may read,
// with no HOME and a space in the path. As root it becomes somebody else for that; anybody else stays who they are.
// With --quick only tests of what a user may do: what computes alone, or dies in the same way, does so for any user.

import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { trackedFiles } from "./tracked-files.ts"

const NOBODY = 65_534
/** All tests take a quarter of an hour on slow processors. */
const DEADLINE_MS = 1_500_000
/** Components end a moment after the command that started them. */
const FAREWELL_MS = 2_000
const QUICK_TESTS = [
  ...["test/fault/leftovers.", "test/fault/peer-gone.", "test/fault/trouble.", "test/hostile/one-writer."],
  ...["test/hostile/seal.", "test/system/third-component.", "test/system/worker."],
]
const root = join(import.meta.dirname, "..")
const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}

/** Throws with everything that there is to say when a command fails, speaks no JSON, or leaves a process behind. */
function checkIn(directory: string): void {
  const tree = join(directory, "kaal ipc")
  mkdirSync(tree)
  // cp, because it copies a hundred thousand small files many times faster than node:fs.
  execFileSync("cp", ["--archive", "--parents", "--", ...trackedFiles(root), tree], { cwd: root })
  execFileSync("cp", ["--archive", "node_modules", tree], { cwd: root })
  if (identity.uid !== undefined) execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, directory])
  const tests = process.argv.includes("--quick") ? quickTests() : []
  const testArgs = tests.length === 0 ? ["test"] : ["test", "--", ...tests]
  for (const args of [testArgs, ["run", "--silent", "ipc-test", "--", "--json"]]) {
    const start = performance.now()
    npm(directory, tree, args)
    const who = identity.uid === undefined ? "as oneself" : `as user ${identity.uid}`
    const ms = Math.round(performance.now() - start)
    console.log(`npm ${args.join(" ")} ${who}, in a directory of mode 700: ok, ${ms} ms`)
  }
}

/** By name, since tap takes every file of a folder that it is given for a test. */
function quickTests(): string[] {
  const isQuick = (path: string) => QUICK_TESTS.some(start => path.startsWith(start))
  return trackedFiles(root).filter(path => isQuick(path) && /(?<!\.slow)\.test\.ts$/.test(path))
}

/** Runs npm; throws as `checkIn` does. With --json the last line must be JSON. */
function npm(directory: string, tree: string, args: readonly string[]): void {
  const { status, signal, error, stdout, stderr } = spawnSync("npm", args, {
    ...identity,
    cwd: tree,
    encoding: "utf8",
    env: {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      TMPDIR: directory,
      npm_config_cache: join(directory, "npm-cache"),
      npm_config_update_notifier: "false",
    },
    timeout: DEADLINE_MS,
    maxBuffer: 64 * 1024 * 1024,
  })
  const command = `npm ${args.join(" ")}`
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ended with ${signal ?? status}\n${stderr}${stdout}`)
  if (args.includes("--json")) JSON.parse(stdout)
  const left = processesIn(directory, Date.now() + FAREWELL_MS)
  if (left.length > 0) throw new Error(`${command} left processes behind: ${left.join(", ")}`)
}

/** "pid command" of each process that works in the directory or was started with a path in it, once `deadline` has come. */
function processesIn(directory: string, deadline: number): string[] {
  const found = readdirSync("/proc")
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ")
        const isThere = command.includes(directory) || readlinkSync(`/proc/${pid}/cwd`).startsWith(directory)
        return isThere ? [`${pid} ${command}`] : []
      } catch {
        // It has ended meanwhile, or is a kernel thread.
        return []
      }
    })
  if (found.length === 0 || Date.now() > deadline) return found
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  return processesIn(directory, deadline)
}

// Made with mode 700.
const directory = mkdtempSync(join(tmpdir(), "kaal-user-"))
try {
  checkIn(directory)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true, force: true })
}
