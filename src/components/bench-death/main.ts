// main.ts: bench-death: pairs of a component that will be killed and one that waits for its next message.

import { BenchDeathArg, BenchDeathRole, DEATH_WAITS, type DeathReport, WAITING } from "../../protocols/bench-death.ts"
import { type Child, type Component, component, monotonicNs } from "../runtime/index.ts"

const RING_SLOT = 100
const READY_SLOT = 102
const READY_BADGE = 1n
const RING = { capacity: 4, slotBytes: 8 } as const
/** Longer than the suite takes to kill. */
const WAIT_NS = 10e9

component(self => {
  switch (self.argument(BenchDeathArg.role)) {
    case BenchDeathRole.root:
      return runPairs(self)
    case BenchDeathRole.waiter:
      return awaitDeath(self)
    default:
      return beVictim(self)
  }
})

function runPairs(self: Component): void {
  const toldAtNs: number[] = []
  for (let pair = 0; pair < self.argument(BenchDeathArg.count); pair++) toldAtNs.push(runPair(self))
  const report: DeathReport = { toldAtNs }
  self.report(report)
}

function runPair(self: Component): number {
  const channel = self.createChannel(RING)
  const ready = self.call("notification_create", {}).slot
  const start = (end: "producer" | "consumer", role: number): Child => {
    const child = self.spawnWithCaps({
      componentName: "bench-death",
      capabilities: [...channel[end](RING_SLOT), [READY_SLOT, ready]],
      arguments: [role, self.argument(BenchDeathArg.wait)],
    })
    channel.mapInto(child, end)
    child.start()
    return child
  }
  // In this order: the suite kills the first of the two.
  const victim = start("producer", BenchDeathRole.victim)
  const waiter = start("consumer", BenchDeathRole.waiter)
  self.notification(ready).wait(WAIT_NS)
  self.print(WAITING)
  const state = waiter.wait()
  if (state.kind !== "reported") throw new Error(`A waiter ended without a report: ${JSON.stringify(state)}`)
  waiter.wait() // After a report, a second wait is for the end.
  const end = victim.wait()
  if (end.kind !== "killed") throw new Error(`A victim was not killed: ${JSON.stringify(end)}`)
  for (const slot of [victim.tcb, waiter.tcb, ready, channel.producerFrame, channel.consumerFrame]) {
    self.call("cap_delete", { cnode: self.ownCNode, slot })
  }
  return state.report as number
}

async function awaitDeath(self: Component): Promise<void> {
  const how = DEATH_WAITS[self.argument(BenchDeathArg.wait)]
  const ring = self.consumer(RING_SLOT, how === "spinning" ? { park: false } : { spinNs: 0 })
  const pop = async () => (how === "await" ? await ring.pop({}) : ring.pop(WAIT_NS))
  const first = await pop()
  if (typeof first === "string") throw new Error(`The victim's message: ${first}`)
  self.notification(READY_SLOT).signal(READY_BADGE)
  const outcome = await pop()
  const toldAtNs = monotonicNs()
  if (outcome !== "peer-gone") throw new Error(`The victim's end: ${outcome}`)
  self.report(toldAtNs)
}

async function beVictim(self: Component): Promise<void> {
  const outcome = self.producer(RING_SLOT).push(new Uint8Array(RING.slotBytes))
  if (outcome !== "pushed") throw new Error(`The message: ${outcome}`)
  await new Promise(resolve => setTimeout(resolve, WAIT_NS / 1e6))
}
