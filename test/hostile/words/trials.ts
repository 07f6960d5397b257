// trials.ts: runs the trials of hostile-root on a kernel of their own, and judges what its components saw.

import { spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { isNoticed, TRIALS, type Trial, type TrialReport } from "../../fixtures/components/hostile-root/trials.ts"
import { bundleComponents, processes, root } from "../../helpers/system.ts"

export interface Row extends TrialReport {
  /** "ok", or what is wrong. */
  readonly outcome: string
}

export interface Options {
  /** Of all trials together, at least. */
  readonly words: number
  /** Of each trial, at least. */
  readonly ms: number
  readonly seed: number
  readonly trials?: readonly Trial[]
}

const COMPONENTS = ["hostile-root", "hostile-peer", "hostile-writer", "hostile-companion", "attack-bystander"]
/** Beyond what the words take: processes start, and are looked at. */
const TRIAL_MS = 30_000
/** At the slowest, on a busy machine. */
const WORDS_A_MS = 2_000
/** A null system call may take so long on a busy machine; the daemon itself needs microseconds. */
const NULL_CALL_LIMIT_MS = 1_000

/**
 * All of the trials, or some; calls `onRow` after each.
 * @throws {Error} the run ended before the last trial: it says in which
 */
export async function runTrials(options: Options, onRow: (row: Row) => void): Promise<Row[]> {
  const trials = options.trials ?? TRIALS
  const folder = await bundleComponents(COMPONENTS)
  try {
    const rows: Row[] = []
    const text = await run(folder, trials, options, report => {
      const row = { ...report, outcome: judge(report) }
      rows.push(row)
      onRow(row)
    })
    const missing = trials[rows.length]
    if (missing !== undefined) throw new Error(`${missing.hostile} of ${missing.shape}: no report\n${text}`)
    const left = processes().filter(({ command }) => command.includes(folder)).length
    if (left > 0) throw new Error(`${left} processes are left`)
    return rows
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Returns all that was printed beside the reports. */
async function run(
  folder: string,
  trials: readonly Trial[],
  { words, ms, seed }: Options,
  onReport: (report: TrialReport) => void,
): Promise<string> {
  const each = Math.ceil(words / trials.length)
  const runMs = trials.length * (TRIAL_MS + ms + each / WORDS_A_MS)
  const numbers = trials.map(trial => TRIALS.findIndex(t => t.shape === trial.shape && t.hostile === trial.hostile))
  const args = [each, ms, seed, ...numbers].map(String)
  const kaal = ["-u", "NODE_OPTIONS", process.execPath, join(root, "dist/kaal.cjs"), "run", "hostile-root", ...args]
  const child = spawn(
    "/usr/bin/env",
    [...kaal, "--components", folder, "--timeout", String(Math.ceil(runMs / 1_000))],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  )
  let text = ""
  let begun = ""
  child.stderr.setEncoding("utf8").on("data", chunk => {
    text += chunk
  })
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (begun + chunk).split("\n")
    begun = lines.pop() ?? ""
    for (const line of lines) {
      if (line.startsWith('{"shape"')) onReport(JSON.parse(line) as TrialReport)
      else text += `${line}\n`
    }
  })
  const killer = setTimeout(() => child.kill("SIGKILL"), runMs + TRIAL_MS)
  await new Promise(resolve => child.once("close", resolve))
  clearTimeout(killer)
  return text
}

function judge(report: TrialReport): string {
  const wrong = [...report.problems]
  if (report.outOfBounds > 0) wrong.push(`${report.outOfBounds} out of bounds`)
  if (report.overBound > 0) wrong.push(`${report.overBound} calls over their bound`)
  if (report.disturbed !== "") wrong.push(`others were disturbed: ${report.disturbed}`)
  if (report.nullCallMs > NULL_CALL_LIMIT_MS) wrong.push(`a null call took ${report.nullCallMs.toFixed(0)} ms`)
  if (report.messages === 0) wrong.push("no message got through")
  if (isNoticed(report) !== report.reported > 0) wrong.push(`${report.reported} reports of misbehaviour`)
  return wrong.length === 0 ? "ok" : wrong.join("; ")
}
