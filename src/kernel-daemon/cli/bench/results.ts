// results.ts: what the last runs found, kept in build/bench for the report: figures, distributions, rates, probes.

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Figure, Histogram, Machine, Row, Trial } from "./row.ts"
import { median } from "./statistics.ts"

/** All trials of one contender at one work. */
export interface Contest {
  readonly suite: string
  readonly work: string
  readonly of: string
  readonly variant: string | null
  readonly bytes: number
  /** Summed over the trials; null where the work has no round trips. */
  readonly histogram: Histogram | null
  /** Medians of the trials. */
  readonly rttNs: number | null
  readonly messagesPerSecond: number | null
}

export interface SuiteResults {
  readonly machine: Machine
  readonly figures: readonly Figure[]
  readonly contests: readonly Contest[]
  /** Of every trial, in order: the bare cache-line round trip before and after it, ns. */
  readonly probes: readonly number[]
}

export type Results = Readonly<Record<string, SuiteResults>>

/** The clone, or the installed package: the folder above dist/. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))
export const RESULTS_FILE = join(root, "build", "bench", "results.json")

/** Empty where nothing was measured yet. What an earlier version measured, which says less of the machine, is left out. */
export function loadResults(path = RESULTS_FILE): Results {
  if (!existsSync(path)) return {}
  const all = JSON.parse(readFileSync(path, "utf8")) as Results
  return Object.fromEntries(Object.entries(all).filter(([, { machine }]) => machine.held_up !== undefined))
}

/** Replaces the results of one suite. */
export function saveResults(suite: string, machine: Machine, rows: readonly Row[], path = RESULTS_FILE): void {
  writeWhole(path, JSON.stringify({ ...loadResults(path), [suite]: summarise(machine, rows) }))
}

/** In one step: who reads it meanwhile gets the old or the new one. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, text)
  renameSync(temporary, path)
}

export function summarise(machine: Machine, rows: readonly Row[]): SuiteResults {
  const trials = rows.filter(row => row.what === "trial")
  const byContest = new Map<string, Trial[]>()
  for (const trial of trials) {
    const key = JSON.stringify([trial.work, trial.of, trial.variant, trial.bytes])
    byContest.set(key, [...(byContest.get(key) ?? []), trial])
  }
  return {
    machine,
    figures: rows.filter(row => row.what === "figure"),
    contests: [...byContest.values()].map(contestOf),
    probes: trials.flatMap(({ probe_ns }) => (probe_ns === null ? [] : [probe_ns.before, probe_ns.after])),
  }
}

function contestOf(trials: readonly Trial[]): Contest {
  const { suite, work, of, variant, bytes } = trials[0] as Trial
  const known = (values: readonly (number | null | undefined)[]): number | null => {
    const numbers = values.filter(value => value != null)
    return numbers.length === 0 ? null : median(numbers)
  }
  const counts = new Map<number, number>()
  for (const [bucket, count] of trials.flatMap(({ histogram }) => histogram ?? [])) {
    counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  }
  return {
    ...{ suite, work, of, variant, bytes },
    histogram: counts.size === 0 ? null : [...counts].sort(([a], [b]) => a - b),
    rttNs: known(trials.map(({ rtt_ns }) => rtt_ns?.p50)),
    messagesPerSecond: known(trials.map(({ msgs_per_s }) => msgs_per_s)),
  }
}
