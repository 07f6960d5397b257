// main.ts: bench-await: messages there and back between two event loops, which stay free meanwhile.

import { type AwaitReport, BenchAwaitArg, BenchAwaitRole } from "../../protocols/bench-await.ts"
import { logHistogram, percentiles } from "../plan/percentiles.ts"
import { type Channel, type Child, type Component, component, monotonicNs } from "../runtime/index.ts"

/** Where a child finds its ends: what it sends on, what it receives from. */
const OUT_SLOT = 100
const IN_SLOT = 102
const RING = { capacity: 64, slotBytes: 64 } as const
const WARM_UP_TRIPS = 1_000
const DEADLINE_NS = 5e9
const STAMP_WORD = 1

component(async self => {
  const role = self.argument(BenchAwaitArg.role)
  if (role === BenchAwaitRole.root) return runTrial(self)
  const samples = self.argument(BenchAwaitArg.samples)
  // Trips before any counts need no pause: they are for the compiler.
  const warmUp = Math.min(WARM_UP_TRIPS, samples)
  const leads = role === BenchAwaitRole.leader
  self.pin(self.argument(leads ? BenchAwaitArg.leaderCpu : BenchAwaitArg.followerCpu))
  const line = openLine(self)
  if (!leads) {
    for (let sequence = 0; sequence < warmUp + samples; sequence++) {
      await line.receive(sequence)
      line.send(sequence)
    }
    return
  }
  const pauseMs = self.argument(BenchAwaitArg.pauseMs)
  const trips = new Float64Array(samples)
  for (let sequence = 0; sequence < warmUp + samples; sequence++) {
    if (pauseMs > 0 && sequence >= warmUp) await new Promise(resolve => setTimeout(resolve, pauseMs))
    const begun = monotonicNs()
    line.send(sequence)
    await line.receive(sequence)
    if (sequence >= warmUp) trips[sequence - warmUp] = monotonicNs() - begun
  }
  const report: AwaitReport = { histogram: logHistogram(trips, 1), rttNs: percentiles(trips) }
  self.report(report)
})

/** Every word of a message but the stamp is its number and the word's place. */
function openLine(self: Component) {
  const out = self.producer(OUT_SLOT)
  const into = self.consumer(IN_SLOT)
  const words = [out.staging, into.staging].map(
    ({ buffer, byteOffset, length }) => new Float64Array(buffer, byteOffset, length / 8),
  )
  const [sent, received] = words as [Float64Array, Float64Array]
  return {
    send(sequence: number): void {
      for (let word = 0; word < sent.length; word++) sent[word] = sequence + word
      sent[STAMP_WORD] = monotonicNs()
      if (!out.tryPush()) throw new Error(`Message ${sequence} was not sent: ${out.interruption() ?? "full"}`)
    },
    async receive(sequence: number): Promise<void> {
      const message = await into.pop({ deadlineNs: DEADLINE_NS })
      if (typeof message === "string") throw new Error(`Message ${sequence}: ${message}`)
      for (let word = 0; word < received.length; word++) {
        if (word !== STAMP_WORD && received[word] !== sequence + word) {
          throw new Error(`Message ${sequence}, word ${word} is ${received[word]}`)
        }
      }
    },
  }
}

function runTrial(self: Component): void {
  const there = self.createChannel(RING)
  const back = self.createChannel(RING)
  const rest = self.arguments.slice(1)
  const spawn = (role: number, out: Channel, into: Channel): Child => {
    const child = self.spawnWithCaps({
      componentName: "bench-await",
      capabilities: [...out.producer(OUT_SLOT), ...into.consumer(IN_SLOT)],
      arguments: [role, ...rest],
    })
    out.mapInto(child, "producer")
    into.mapInto(child, "consumer")
    return child
  }
  const leader = spawn(BenchAwaitRole.leader, there, back)
  const follower = spawn(BenchAwaitRole.follower, back, there)
  for (const child of [leader, follower]) child.start()
  const state = leader.wait()
  if (state.kind !== "reported") throw new Error(`The leader ended without a report: ${JSON.stringify(state)}`)
  leader.wait() // After a report, a second wait is for the end.
  follower.wait()
  self.report(state.report)
}
