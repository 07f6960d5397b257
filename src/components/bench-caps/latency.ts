// latency.ts: role latency: null syscalls, maps into a sleeping target, and revokes of what was mapped.

import {
  BenchCapsArg,
  BenchCapsRole,
  FRAME_COUNTS,
  type Latency,
  type LatencyReport,
  MEASURING,
} from "../../protocols/bench-caps.ts"
import { ALL_RIGHTS, type Component, PAGE_BYTES, Permission } from "../runtime/index.ts"
import { GO_ON_SLOT } from "./slots.ts"
import { latencyOf, timed } from "./timing.ts"

const WARM_UP_CALLS = 1_000
/** Maps and revokes before any count: the daemon's side of them becomes optimised code late. */
const WARM_UP_ROUNDS = 800
/** Maps and revokes for each frame count. */
const ROUNDS = 150
/** Maps one behind the other, and then null syscalls. */
const BURST = 16
/** Below FIRST_FREE_SLOT, so that no allocation takes it. */
const DERIVED_SLOT = 99

export function latency(self: Component): void {
  const alone = nullSyscalls(self)
  const steps = measureFrames(self)
  const report: LatencyReport = {
    nullSyscall: alone,
    mapInto: steps.map(({ mapInto }) => mapInto),
    nullBeside: steps.map(({ nullBeside }) => nullBeside),
    mapIntoAfterRevoke: steps.map(({ mapIntoAfterRevoke }) => mapIntoAfterRevoke),
    revoke: steps.map(({ revoke }) => revoke),
  }
  self.report(report)
}

/** Role calls: null syscalls and nothing else. */
export function calls(self: Component): void {
  const report: Pick<LatencyReport, "nullSyscall"> = { nullSyscall: nullSyscalls(self) }
  self.report(report)
}

function nullSyscalls(self: Component): Latency {
  for (let call = 0; call < WARM_UP_CALLS; call++) nullSyscall(self)
  self.print(MEASURING)
  return latencyOf(new Float64Array(self.argument(BenchCapsArg.size)).map(() => nullSyscall(self)))
}

function nullSyscall(self: Component): number {
  return timed(() => self.call("yield", {}))
}

interface Step {
  readonly mapInto: Latency
  readonly nullBeside: Latency
  readonly mapIntoAfterRevoke: Latency
  readonly revoke: Latency
}

function measureFrames(self: Component): Step[] {
  const stop = self.call("notification_create", {}).slot
  const child = self.spawnWithCaps({
    componentName: "bench-caps",
    capabilities: [[GO_ON_SLOT, stop]],
    arguments: [BenchCapsRole.target, self.argument(BenchCapsArg.cpu), 0],
  })
  child.start()
  const frame = self.call("memory_allocate", { bytes: PAGE_BYTES }).slot
  const mapped = { bytes: PAGE_BYTES, permissions: Permission.read | Permission.write, pid: child.pid }
  const derive = (): void => {
    self.call("cap_derive", { cnode: self.ownCNode, source: frame, target: DERIVED_SLOT, rights: ALL_RIGHTS })
  }
  const map = (): number => timed(() => self.call("memory_map_into", { frame: DERIVED_SLOT, ...mapped }))
  const revokeDerived = (): number => timed(() => self.call("cap_revoke", { cnode: self.ownCNode, slot: frame }))
  const measure = (rounds: number): Step => {
    const mapIntoAfterRevoke = new Float64Array(rounds)
    const revoke = new Float64Array(rounds)
    for (let round = 0; round < rounds; round++) {
      derive()
      mapIntoAfterRevoke[round] = map()
      revoke[round] = revokeDerived()
    }
    const mapInto: number[] = []
    const nullBeside: number[] = []
    for (let round = 0; round < rounds; round += BURST) {
      derive()
      for (let call = 0; call < BURST; call++) mapInto.push(map())
      for (let call = 0; call < BURST; call++) nullBeside.push(nullSyscall(self))
      revokeDerived()
    }
    return {
      mapInto: latencyOf(Float64Array.from(mapInto)),
      nullBeside: latencyOf(Float64Array.from(nullBeside)),
      mapIntoAfterRevoke: latencyOf(mapIntoAfterRevoke),
      revoke: latencyOf(revoke),
    }
  }
  measure(WARM_UP_ROUNDS)
  let standing = 1
  const steps = FRAME_COUNTS.map(count => {
    for (; standing < count; standing++) {
      const other = self.call("memory_allocate", { bytes: PAGE_BYTES }).slot
      self.call("memory_map_into", { frame: other, ...mapped })
    }
    return measure(ROUNDS)
  })
  child.kill()
  child.wait()
  return steps
}
