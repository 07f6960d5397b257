// ring-trial.ts: one trial in fresh processes, ours or the C++ reference's, in one shape.

import { execFile } from "node:child_process"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { launcherPath } from "../../../../native/index.ts"
import {
  BenchForm,
  type BenchFormName,
  BenchMode,
  type BenchModeName,
  BenchPayload,
  type BenchPayloadName,
  type BenchReport,
  BenchWait,
  type BenchWaitName,
} from "../../../protocols/bench.ts"
import { benchSession } from "./bench-session.ts"
import type { Contender } from "./rounds.ts"
import type { Trial } from "./row.ts"

export interface RingWork {
  readonly suite: string
  readonly mode: BenchModeName
  readonly wait: BenchWaitName
  readonly bytes: number
  readonly slots: number
  readonly samples: number
  readonly cpus: readonly [number, number]
  /** Messages that one publish covers. */
  readonly batch?: number
  /** Of a stream; by default stamped. */
  readonly payload?: BenchPayloadName
  /** A filled stream is written and read in the slots. Ours is written there in any case; blocks are both. */
  readonly inPlace?: boolean
}

const TRIAL_TIMEOUT_SECONDS = 60
const run = promisify(execFile)

export function nameOf({ mode, wait, batch = 1, payload = "stamped", inPlace = false }: RingWork): string {
  const how = [batch === 1 ? "" : ` in batches of ${batch}`, inPlace ? " in place" : ""].join("")
  return mode === "stream" ? `stream, ${payload}${how}` : `${wait} ${mode}`
}

/** Our ring in its default form, or a notification. */
export function ours(work: RingWork): Contender {
  return { name: "kaal-ipc", run: () => ourTrial(work, "index", null) }
}

/** Our ring in each of its forms. */
export function oursInBothForms(work: RingWork): [Contender, Contender] {
  const inForm = (form: BenchFormName): Contender => ({
    name: `kaal-ipc ${form}${work.inPlace ? IN_PLACE : ""}`,
    run: () => ourTrial(work, form, form),
  })
  return [inForm("index"), inForm("slot")]
}

/** What bench-root is told. */
export function ourArguments(work: RingWork, form: BenchFormName): number[] {
  const { mode, wait, bytes, slots, samples, cpus, batch = 1, payload = "stamped", inPlace = false } = work
  const how = [batch, inPlace ? 1 : 0, BenchWait[wait], BenchForm[form], BenchPayload[payload]]
  return [BenchMode[mode], slots, bytes, samples, ...cpus, ...how]
}

async function ourTrial(work: RingWork, form: BenchFormName, variant: string | null): Promise<Trial> {
  const { suite, bytes } = work
  const report = await benchSession<BenchReport>({
    rootTask: "bench-root",
    arguments: ourArguments(work, form),
    timeoutSeconds: TRIAL_TIMEOUT_SECONDS,
  })
  return {
    what: "trial",
    suite,
    work: nameOf(work),
    of: "kaal-ipc",
    variant,
    bytes,
    rtt_ns: report.rttNs,
    histogram: report.histogram,
    oneway_cycles_p50: report.onewayCyclesP50,
    msgs_per_s: report.messagesPerSecond,
    probe_ns: report.probeNs,
    ...(report.signalNs === null ? {} : { more: { signal_ns: report.signalNs } }),
  }
}

/** Ends the name of a variant that spins with the processor's pause instruction, which WebAssembly does not have. */
const PAUSE = "+pause"
/** Ends the name of a variant of a stream that is written and read in the slots. */
const IN_PLACE = "+in-place"

/** @param variant a ring of the reference and what it ends with: "slot-release+pause" */
export function reference(work: RingWork, variant: string): Contender {
  return referenceBy(work, variant, join(dirname(launcherPath()), "kaal-reference"), "C++")
}

/** As `reference`, by another program that takes the same arguments. */
export function referenceBy(work: RingWork, variant: string, program: string, of: string): Contender {
  return { name: `${of} ${variant}`, run: () => referenceTrial(work, variant, program, of) }
}

async function referenceTrial(work: RingWork, variant: string, program: string, of: string): Promise<Trial> {
  const { suite, mode, wait, bytes, slots, samples, cpus, batch = 1, payload = "stamped", inPlace = false } = work
  const [ring = "", ...ways] = variant.split("+")
  const args = {
    mode: mode === "stream" ? "stream" : `${wait === "park" ? "park" : "spin"}-pingpong`,
    variant: ring,
    bytes,
    slots,
    samples,
    batch,
    cpus: cpus.join(","),
    timeout: TRIAL_TIMEOUT_SECONDS,
  }
  const flags = Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)])
  if (mode === "stream") flags.push("--payload", payload)
  if (ways.includes(PAUSE.slice(1))) flags.push("--pause")
  if (inPlace || ways.includes(IN_PLACE.slice(1))) flags.push("--in-place")
  const { stdout } = await run(program, flags, { env: {} })
  const { rtt_ns, histogram, oneway_cycles_p50, msgs_per_s, probe_ns } = JSON.parse(stdout) as Trial
  return {
    what: "trial",
    suite,
    work: nameOf(work),
    of,
    variant,
    bytes,
    rtt_ns: rtt_ns?.p50 == null ? null : rtt_ns,
    histogram: histogram?.length === 0 ? null : histogram,
    oneway_cycles_p50,
    msgs_per_s,
    probe_ns: probe_ns?.before == null ? null : probe_ns,
  }
}
