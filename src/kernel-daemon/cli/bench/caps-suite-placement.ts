// caps-suite-placement.ts: on which processors a trial runs, and how much of it they slept.

import { readFileSync } from "node:fs"
import { native } from "../../../../native/index.ts"

export interface Placement {
  readonly name: string
  /** Where the caller runs, where who serves it. */
  readonly cpus: readonly [number, number]
}

/** One processor for both ends; and two, where this process may use two. */
export function placements(): Placement[] {
  const [first, second] = native.affinity()
  if (first === undefined) throw new Error("sched_getaffinity named no processor")
  const one: Placement = { name: "one CPU", cpus: [first, first] }
  return second === undefined ? [one] : [one, { name: "two CPUs", cpus: [first, second] }]
}

/** Runs `work` with this thread pinned, so that the processes which it starts begin there. */
export async function pinned<T>(cpu: number, work: () => Promise<T>): Promise<T> {
  const before = native.affinity()
  native.setAffinity([cpu])
  try {
    return await work()
  } finally {
    native.setAffinity(before)
  }
}

/** Starts a watch over `cpus`. Returns a function that says which share of the time since they were idle, 0 to 1. */
export function idleShare(cpus: readonly number[]): () => number {
  const before = cpuTimes(cpus)
  return () => {
    const after = cpuTimes(cpus)
    const all = after.all - before.all
    return all === 0 ? 0 : (after.idle - before.idle) / all
  }
}

/** Clock ticks of 10 ms, summed over `cpus`. */
function cpuTimes(cpus: readonly number[]): { idle: number; all: number } {
  const times = { idle: 0, all: 0 }
  for (const line of readFileSync("/proc/stat", "utf8").split("\n")) {
    const [name = "", ...fields] = line.split(" ")
    if (!/^cpu\d+$/.test(name) || !cpus.includes(Number(name.slice(3)))) continue
    // user, nice, system, idle, iowait, irq, softirq, steal; guest times are part of user.
    const ticks = fields.slice(0, 8).map(Number)
    times.idle += (ticks[3] ?? 0) + (ticks[4] ?? 0)
    times.all += ticks.reduce((sum, value) => sum + value, 0)
  }
  return times
}
