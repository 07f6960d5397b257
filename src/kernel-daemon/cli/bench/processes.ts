// processes.ts: a Node process that does nothing, and what Linux says about processes that are left alone: their share of
// memory, and whether they run.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"

const IDLE = "setInterval(() => {}, 1e9); process.stdout.write('.')"

/** Resolves when it has started. It is the caller's to end. */
export async function startIdleNode(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", IDLE], { stdio: ["ignore", "pipe", "ignore"], env: {} })
  await once(child.stdout, "data")
  return child
}

/** Proportional set size: shared pages are divided among those that share them. */
export function pssBytes(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]
  if (kib === undefined) throw new Error(`/proc/${pid}/smaps_rollup names no Pss`)
  return Number(kib) * 1_024
}

/** Memory that is nobody else's. */
export function privateBytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1] ?? Number.NaN)
  return (kib("Private_Dirty") + kib("Private_Clean")) * 1_024
}

/** Clock ticks of 10 ms that its threads have run for. */
export function ticksOf(pid: number): number {
  // After the name, which may hold spaces: state is the first, utime and stime the 12th and 13th.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? []
  return Number(fields[11]) + Number(fields[12])
}

/** Nanoseconds that its living threads have run for: what ticks are too coarse for. */
export function runNsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const ns = threads.map(thread => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]))
  return ns.reduce((sum, each) => sum + each, 0)
}
