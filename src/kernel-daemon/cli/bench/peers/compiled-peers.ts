// compiled-peers.ts: C++ libraries as peers, built when first asked for, where their headers are; never required.

import { type ChildProcess, execFile, spawn } from "node:child_process"
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

export interface CompiledPeer {
  readonly name: string
  /** The header without which it is not installed, below /usr/include or one of the folders in `below`. */
  readonly header: string
  /** A folder of /usr/include with a folder for each version. */
  readonly below?: string
  readonly flags: readonly string[]
  /** A program that must run beside it. */
  readonly daemon?: readonly string[]
}

export const COMPILED_PEERS: readonly CompiledPeer[] = [
  { name: "boost", header: "boost/lockfree/spsc_queue.hpp", flags: [] },
  {
    name: "iceoryx",
    header: "iceoryx_posh/popo/untyped_publisher.hpp",
    below: "iceoryx",
    flags: ["-liceoryx_posh", "-liceoryx_hoofs", "-liceoryx_platform"],
    daemon: ["iox-roudi", "-l", "off"],
  },
]

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const INCLUDE = "/usr/include"
const BUILD_TIMEOUT_MS = 300_000
const DAEMON_START_MS = 1_000
const run = promisify(execFile)

/** Why a peer cannot be measured here; undefined when it can. */
export function missing(peer: CompiledPeer): string | undefined {
  if (!existsSync(join(root, "native", "peers"))) return "its source is not here"
  return includeOf(peer) === undefined ? `not installed: there is no ${peer.header}` : undefined
}

/** The include folder that holds the peer's headers. */
function includeOf({ header, below }: CompiledPeer): string | undefined {
  const folder = below === undefined ? INCLUDE : join(INCLUDE, below)
  if (!existsSync(folder)) return undefined
  const folders = below === undefined ? [folder] : readdirSync(folder).map(version => join(folder, version))
  return folders.find(path => existsSync(join(path, header)))
}

/**
 * The peer's program, which takes kaal-reference's arguments. Built when it is older than its sources.
 * @throws {Error} it does not compile; the message is the compiler's
 */
export async function programOf(peer: CompiledPeer): Promise<string> {
  const { name, flags } = peer
  const program = join(root, "build", "peers", name)
  const sources = sourcesOf(name)
  const newest = Math.max(...sources.map(path => statSync(path).mtimeMs))
  if (existsSync(program) && statSync(program).mtimeMs > newest) return program
  mkdirSync(dirname(program), { recursive: true })
  // The compiler's own folder must not be named again: its order counts.
  const isystem = includeOf(peer) === INCLUDE ? [] : [`-isystem${includeOf(peer)}`]
  const temporary = `${program}.${process.pid}`
  const args = [
    "-std=c++17",
    "-O3",
    "-march=native",
    "-I",
    join(root, "native"),
    ...isystem,
    ...sources,
    "-o",
    temporary,
    "-pthread",
  ]
  await run(process.env.CXX ?? "c++", [...args, ...flags], { timeout: BUILD_TIMEOUT_MS })
  renameSync(temporary, program)
  return program
}

/** Everything of the reference but its main, the peer's own main, and what of the core both need. */
function sourcesOf(name: string): string[] {
  const native = join(root, "native")
  const reference = readdirSync(join(native, "reference")).filter(file => file.endsWith(".cc") && file !== "main.cc")
  const core = ["cpu", "errno_name", "futex", "memfd", "tsc"].map(file => join(native, "core", `${file}.cc`))
  return [...core, ...reference.map(file => join(native, "reference", file)), join(native, "peers", `${name}.cc`)]
}

/** Starts what must run beside a peer. Returns a function that ends it. */
export async function startDaemon({ daemon }: CompiledPeer): Promise<() => void> {
  if (daemon === undefined) return () => {}
  const [file = "", ...args] = daemon
  const child: ChildProcess = spawn(file, args, { stdio: "ignore" })
  await new Promise((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", code => reject(new Error(`${file} ended with ${code} while starting`)))
    setTimeout(resolve, DAEMON_START_MS)
  })
  return () => void child.kill()
}
