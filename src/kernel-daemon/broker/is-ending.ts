// is-ending.ts: whether a process has begun to end, of itself or by a signal, though it cannot be reaped yet.

import { readFileSync } from "node:fs"

/** PF_EXITING of Linux: set before the process closes its descriptors, and never taken back. */
const EXITING = 0x4
const FLAGS_FIELD = 6

/** False as well where it cannot be told. Cost: about 20 us */
export function isEnding(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1")
    // The name in brackets may hold anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
    return (Number(fields[FLAGS_FIELD]) & EXITING) !== 0
  } catch {
    return false
  }
}
