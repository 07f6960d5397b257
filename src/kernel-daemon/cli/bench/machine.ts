// machine.ts: on what a figure was measured.

import { execFileSync } from "node:child_process"
import { cpus, loadavg, release } from "node:os"
import { dirname, join } from "node:path"
import { launcherPath, native } from "../../../../native/index.ts"
import type { Machine } from "./row.ts"
import { placementOf, probeOf } from "./statistics.ts"

/** Cost: a probe between `first` and `second`, about 50 ms; NaN where they are one. */
export function describeMachine([first, second]: readonly [number, number]): Machine {
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
    at: new Date().toISOString(),
  }
}

/** The bare cache-line round trip between two processors, ns. Cost: about 50 ms. */
export function probeBetween([first, second]: readonly [number, number]): number {
  const program = join(dirname(launcherPath()), "kaal-reference")
  const line = execFileSync(program, ["--mode", "probe", "--cpus", `${first},${second}`], { env: {}, encoding: "utf8" })
  return probeOf(JSON.parse(line))
}
