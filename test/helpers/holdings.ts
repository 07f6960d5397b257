// holdings.ts: what one process holds of what does not go by itself: descriptors, mappings, and memory of memfds to the byte.

import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs"

const BLOCK_BYTES = 512
const MEMFD_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) .*\/memfd:/gm

/**
 * Descriptors by what they are of; the pages that the memfds behind them have, each memfd once; and what is mapped of memfds. Each
 * of them is exact, so of two equal systems the texts are equal.
 */
export function heldBy(pid: number): string {
  try {
    const kinds = new Map<string, number>()
    const memfds = new Map<number, number>()
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const path = `/proc/${pid}/fd/${fd}`
      const target = targetOf(path)
      if (target === undefined) continue
      const kind = target.replace(/\d+/g, "")
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
      if (!target.startsWith("/memfd:")) continue
      const memory = statSync(path, { throwIfNoEntry: false })
      if (memory !== undefined) memfds.set(memory.ino, memory.blocks * BLOCK_BYTES)
    }
    const mapped = [...readFileSync(`/proc/${pid}/maps`, "latin1").matchAll(MEMFD_MAPPING)].map(
      ([, start = "", end = ""]) => Number.parseInt(end, 16) - Number.parseInt(start, 16),
    )
    return [
      ...[...kinds].sort().map(([kind, count]) => `${count} ${kind}`),
      `${sum(memfds.values())} bytes of memfds`,
      `${mapped.length} mappings of memfds, ${sum(mapped)} bytes`,
    ].join(", ")
  } catch {
    return "has ended"
  }
}

/** What is its own alone. Not exact: garbage is in it, and Linux counts by the handful. */
export function residentKiB(pid: number): number {
  return Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? Number.NaN)
}

/** Nothing of one that is closed by now, such as that by which the folder itself was read. */
function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}

function sum(numbers: Iterable<number>): number {
  return [...numbers].reduce((total, each) => total + each, 0)
}
