// trial.ts: one trial in fresh processes, ours or the C++ reference's, in one shape.

import { execFile } from "node:child_process"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { launcherPath } from "../../../../native/index.ts"
import { BenchMode, type BenchModeName, type BenchReport } from "../../../protocols/bench.ts"
import { runSession } from "../session.ts"

/** A line of the bench's output: what was measured, and between which bare round trips. */
export interface Trial {
  readonly what: "kaal-ipc" | "native-reference"
  /** Which of the reference's rings; null for ours. */
  readonly variant: string | null
  readonly mode: BenchModeName
  readonly bytes: number
  readonly rtt_ns: { readonly p50: number; readonly p99: number; readonly p999: number } | null
  readonly oneway_cycles_p50: number | null
  readonly msgs_per_s: number | null
  readonly probe_ns: { readonly before: number; readonly after: number }
}

export interface TrialConfig {
  readonly mode: BenchModeName
  readonly bytes: number
  readonly slots: number
  readonly samples: number
  readonly cpus: readonly [number, number]
}

const TRIAL_TIMEOUT_SECONDS = 60
const run = promisify(execFile)

/** @throws {Error} the trial did not end well; the message says what was printed */
export async function ourTrial({ mode, bytes, slots, samples, cpus }: TrialConfig): Promise<Trial> {
  const said: string[] = []
  let report: BenchReport | undefined
  const { ok, reason } = await runSession({
    rootTask: "bench-root",
    arguments: [BenchMode[mode], slots, bytes, samples, ...cpus],
    timeoutSeconds: TRIAL_TIMEOUT_SECONDS,
    onEvent: event => {
      if (event.event === "report") report = JSON.parse(event.text) as BenchReport
      if (event.event === "print") said.push(...event.lines.map(line => `${event.name}: ${line}`))
      if (event.event === "ended" && event.text !== "exited with code 0") said.push(`${event.name} ${event.text}`)
    },
  })
  if (!ok || report === undefined)
    throw new Error(`Trial ${mode}, ${bytes} bytes failed: ${[reason, ...said].join("\n")}`)
  const { rttNs, onewayCyclesP50, messagesPerSecond, probeNs } = report
  return {
    what: "kaal-ipc",
    variant: null,
    mode,
    bytes,
    rtt_ns: rttNs,
    oneway_cycles_p50: onewayCyclesP50,
    msgs_per_s: messagesPerSecond,
    probe_ns: probeNs,
  }
}

/** Ends the name of a variant that spins with the processor's pause instruction, which WebAssembly does not have. */
const PAUSE = "+pause"

/** @throws {Error} the reference failed; the message is its own */
export async function referenceTrial(config: TrialConfig, variant: string): Promise<Trial> {
  const { mode, bytes, slots, samples, cpus } = config
  const ring = variant.replace(PAUSE, "")
  const args = { mode, variant: ring, bytes, slots, samples, cpus: cpus.join(","), timeout: TRIAL_TIMEOUT_SECONDS }
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)])
  if (variant.endsWith(PAUSE)) flags.push("--pause")
  const { stdout } = await run(join(dirname(launcherPath()), "kaal-reference"), flags, { env: {} })
  const { rtt_ns, oneway_cycles_p50, msgs_per_s, probe_ns } = JSON.parse(stdout) as Trial
  return {
    what: "native-reference",
    variant,
    mode,
    bytes,
    rtt_ns: rtt_ns?.p50 == null ? null : rtt_ns,
    oneway_cycles_p50,
    msgs_per_s,
    probe_ns,
  }
}
