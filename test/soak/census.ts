// census.ts: what a process has, as Linux shows it.

import { readdirSync, readFileSync } from "node:fs"

export interface Census {
  readonly rssKiB: number
  readonly pssKiB: number
  readonly descriptors: number
  readonly mappings: number
}

/** undefined of one that has ended, or that we may not look at. */
export function censusOf(pid: number): Census | undefined {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1")
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(rollup)?.[1] ?? 0)
    return {
      rssKiB: field("Rss"),
      pssKiB: field("Pss"),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      mappings: readFileSync(`/proc/${pid}/maps`, "latin1").split("\n").length - 1,
    }
  } catch {
    return undefined
  }
}
