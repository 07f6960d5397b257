// caps-suite-part.ts: parts of a suite that need a fresh process, which is this command again with --part.

import { execFile } from "node:child_process"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { DAEMON_NODE_FLAGS } from "../daemon.ts"
import { measureEcho, serveEcho } from "./caps-suite-echo.ts"
import { measureMemory } from "./caps-suite-memory.ts"
import { measureOperations } from "./caps-suite-operations.ts"
import { idleShare } from "./caps-suite-placement.ts"
import { measureRevoke } from "./caps-suite-revoke.ts"
import { measureFields } from "./fields-suite.ts"
import { watchHoldUps } from "./hold-ups.ts"
import { followPeer, leadPeer } from "./peers/node-peers.ts"

/** What each part prints, as JSON, given its numbers. */
const PARTS = {
  operations: measureOperations,
  memory: measureMemory,
  "revoke-wide": () => measureRevoke("wide"),
  "revoke-deep": () => measureRevoke("deep"),
  fields: measureFields,
  echo: measureEchoAndSleep,
  "echo-server": serveEcho,
  "hold-ups": watchHoldUps,
  "peer-leader": (...numbers: number[]) => leadPeer(commandOf("peer-follower", numbers), numbers),
  "peer-follower": (...numbers: number[]) => followPeer(numbers),
} as const
export type PartName = keyof typeof PARTS

const run = promisify(execFile)
const PART_TIMEOUT_MS = 60_000

/** Runs a part in a process of its own, under the daemon's flags, and returns what it measured. */
export async function measureInPart<T>(part: PartName, numbers: readonly number[] = []): Promise<T> {
  const { stdout } = await run(process.execPath, commandOf(part, numbers), { env: {}, timeout: PART_TIMEOUT_MS })
  return JSON.parse(stdout) as T
}

/** The body of such a process. `text` is the part's name and its numbers, with commas between. */
export async function runPart(text: string): Promise<void> {
  const [name = "", ...numbers] = text.split(",")
  const part = PARTS[name as PartName] as ((...numbers: number[]) => unknown) | undefined
  if (part === undefined) throw new Error(`part is "${name}", it must be one of: ${Object.keys(PARTS).join(", ")}`)
  const measured = await part(...numbers.map(Number))
  if (measured !== undefined) console.log(JSON.stringify(measured))
}

async function measureEchoAndSleep(rounds: number, clientCpu: number, serverCpu: number): Promise<unknown> {
  let idle = (): number => Number.NaN
  const latency = await measureEcho(commandOf("echo-server", []), rounds, [clientCpu, serverCpu], () => {
    idle = idleShare([...new Set([clientCpu, serverCpu])])
  })
  return [latency, idle()]
}

function commandOf(part: PartName, numbers: readonly number[]): string[] {
  const script = join(dirname(fileURLToPath(import.meta.url)), "kaal.cjs")
  return [...DAEMON_NODE_FLAGS, "--expose-gc", script, "bench", "caps", "--part", [part, ...numbers].join(",")]
}
