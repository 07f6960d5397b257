// machine.ts: on what a figure was measured.

import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, loadavg, release } from "node:os"
import { dirname, join } from "node:path"
import { launcherPath, native } from "../../../../native/index.ts"
import { holdUps } from "./hold-ups.ts"
import type { Machine } from "./row.ts"
import { placementOf, probeOf } from "./statistics.ts"

/** Cost: a look at `first` and `second` and a probe between them, 1.2 s; no probe where they are one. */
export async function describeMachine([first, second]: readonly [number, number]): Promise<Machine> {
  const { share, longestMs } = await holdUps([first, second])
  const probeNs = first === second ? Number.NaN : probeBetween([first, second])
  return {
    what: "machine",
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    processors: native.affinity(),
    tsc_hz: native.tscInfo().hz,
    kernel: release(),
    node: process.version,
    placement: placementOf(probeNs),
    probe_ns: Number.isNaN(probeNs) ? null : probeNs,
    load: loadavg()[0] ?? 0,
    held_up: { share, longest_ms: longestMs },
    at: new Date().toISOString(),
  }
}

/** Processor and Node, as far as two machines must be alike for their ratios to be: "AuthenticAMD 25/17, Node 20". */
export function machineKind(): string {
  const text = readFileSync("/proc/cpuinfo", "utf8")
  const of = (name: string): string | undefined => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1]?.trim()
  const [vendor, family, model] = [of("vendor_id"), of("cpu family"), of("model")]
  // Arm names neither vendor nor family: the implementer's and the part's number.
  const arm = `Arm ${of("CPU implementer")}/${of("CPU part")}`
  const processor = vendor === undefined ? arm : `${vendor} ${family}/${model}`
  return `${processor}, Node ${process.versions.node.split(".")[0]}`
}

/** The bare cache-line round trip between two processors, ns. Cost: about 50 ms. */
export function probeBetween([first, second]: readonly [number, number]): number {
  const program = join(dirname(launcherPath()), "kaal-reference")
  const line = execFileSync(program, ["--mode", "probe", "--cpus", `${first},${second}`], { env: {}, encoding: "utf8" })
  return probeOf(JSON.parse(line))
}
