// main.ts: bench-root: makes two rings, runs one trial on a fresh pair of bench-ring, and reports what they measured.

import { BenchForm, type BenchReport, BenchRole, BenchRootArg } from "../../protocols/bench.ts"
import { latencyGeometry } from "../plan/latency-steps.ts"
import { runPair } from "../plan/pair.ts"
import { type ChildState, component, SharedRing } from "../runtime/index.ts"

component(self => {
  const slots = self.argument(BenchRootArg.slots)
  const bytes = self.argument(BenchRootArg.bytes)
  const form = self.argument(BenchRootArg.form) === BenchForm.slot ? "slot" : "index"
  const trial = (role: number, cpu: number): number[] => [
    role,
    self.argument(BenchRootArg.mode),
    cpu,
    slots,
    bytes,
    self.argument(BenchRootArg.samples),
    self.argument(BenchRootArg.batch),
    self.argument(BenchRootArg.inPlace),
    self.argument(BenchRootArg.wait),
    self.argument(BenchRootArg.form),
    self.argument(BenchRootArg.payload),
  ]
  const states = runPair(self, {
    components: ["bench-ring", "bench-ring"],
    arguments: [
      trial(BenchRole.leader, self.argument(BenchRootArg.leaderCpu)),
      trial(BenchRole.follower, self.argument(BenchRootArg.followerCpu)),
    ],
    frameBytes: latencyGeometry(0, slots, bytes, form).totalBytes,
    prepare: base => {
      const { there, back, ringBytes } = latencyGeometry(base, slots, bytes, form)
      for (const address of [there, back]) {
        SharedRing.create(self.vspace, address, ringBytes, { capacity: slots, slotBytes: bytes, form })
      }
    },
  })
  const [leader, follower] = states.map(reportOf) as [BenchReport, BenchReport]
  // Who receives a stream knows its rate; the rest is the leader's.
  const report: BenchReport = { ...leader, messagesPerSecond: follower.messagesPerSecond }
  self.report(report)
})

function reportOf(state: ChildState): BenchReport {
  if (state.kind === "reported") return state.report as BenchReport
  throw new Error(`bench-ring ended without a report: ${JSON.stringify(state)}`)
}
