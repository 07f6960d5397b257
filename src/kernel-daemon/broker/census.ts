// census.ts: what a process has, as Linux shows it.

import { readdirSync, readFileSync } from "node:fs"

export interface Census {
  readonly rssKiB: number
  readonly pssKiB: number
  readonly descriptors: number
  readonly mappings: number
}

/** @throws {Error} it has ended, or may not be looked at: nobody but root may at a daemon. Cost: about a millisecond */
export function censusOf(pid: number | "self"): Census {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1")
  const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1] ?? 0)
  return {
    rssKiB: field("Rss"),
    pssKiB: field("Pss"),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    mappings: readFileSync(`/proc/${pid}/maps`, "latin1").split("\n").length - 1,
  }
}
