// system-calls.ts: how many system calls a message costs while both ends are awake, counted by strace.

import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { type FigureSpec, judged } from "./figure.ts"
import { ourArguments, type RingWork } from "./ring-trial.ts"
import { type Run, samplesFor } from "./suite.ts"

const SLOTS = 64
const BYTES = 64
const SAMPLES = 100_000
const TIMEOUT_MS = 120_000
/** Of a thousand messages. Starting a session takes a few calls more one time than the other. */
const LIMIT = 1
const run = promisify(execFile)

/**
 * A whole session, daemon and all, under strace, with few round trips and with many: what the second has more is what
 * the messages cost.
 */
export async function measureSystemCalls(bench: Run): Promise<void> {
  const spec: FigureSpec = {
    ...{
      suite: "ring",
      key: "system-calls",
      title: "system calls for a thousand messages, both ends awake",
      unit: "calls",
    },
    ...{ moreIsBetter: false, pick: () => null },
    limit: { of: "ours", atMost: LIMIT },
  }
  const samples = samplesFor(bench, SAMPLES)
  bench.progress("system calls, under strace")
  const counted = await difference(bench.cpus, samples)
  const mine = typeof counted === "number" ? [counted] : []
  const note = typeof counted === "number" ? `${samples.toLocaleString("en")} round trips under strace -f -c` : counted
  const by = { by: "kaal-ipc", against: null, others: [], probeNs: Number.NaN }
  bench.tell(judged({ ...bench, pairs: 1 }, { ...spec, note }, { ...by, mine }))
}

/** Calls for a thousand messages, or why they cannot be counted here. @throws {Error} the session failed */
async function difference(cpus: readonly [number, number], samples: number): Promise<number | string> {
  try {
    const few = await callsOf(cpus, Math.ceil(samples / 10))
    const many = await callsOf(cpus, samples)
    // Each trip is played twice, in blocks and with stamps, and is two messages.
    const messages = 4 * (samples - Math.ceil(samples / 10))
    return (Math.max(0, many - few) / messages) * 1_000
  } catch (error) {
    const { code, message, stderr = "" } = error as Error & { code?: unknown; stderr?: string }
    // Not installed, or not allowed to trace. Anything else is the session's own failure.
    if (code !== "ENOENT" && !/^strace: .*(ptrace|PTRACE)/m.test(stderr)) throw error
    return `strace does not run here: ${stderr.split("\n")[0] || message}`
  }
}

async function callsOf(cpus: readonly [number, number], samples: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "kaal-strace-"))
  const summary = join(folder, "summary")
  try {
    const script = join(dirname(fileURLToPath(import.meta.url)), "kaal.cjs")
    const work: RingWork = { suite: "ring", mode: "ping-pong", wait: "spin", bytes: BYTES, slots: SLOTS, samples, cpus }
    const command = [process.execPath, script, "run", "bench-root", ...ourArguments(work, "index").map(String)]
    await run("strace", ["-f", "-c", "-o", summary, ...command], { timeout: TIMEOUT_MS })
    // "% time  seconds  usecs/call  calls  errors  syscall"; the last line sums up.
    const total = /^\s*100\.00\s+\S+\s+(?:\d+\s+)?(\d+)\s+(?:\d+\s+)?total$/m.exec(readFileSync(summary, "utf8"))?.[1]
    if (total === undefined) throw new Error("its summary has no total")
    return Number(total)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
