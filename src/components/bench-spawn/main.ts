// main.ts: bench-spawn: children that send their first message as soon as they can, and children that wait idly.

import { ALL_IDLE, BenchSpawnArg, BenchSpawnRole, IDLE_SECONDS, type SpawnReport } from "../../protocols/bench-spawn.ts"
import {
  type Child,
  type Component,
  component,
  monotonicNs,
  PAGE_BYTES,
  Permission,
  SharedRing,
} from "../runtime/index.ts"

/** Where a child finds the ring's frame; an idle one, the notification on which it says that it waits from now on. */
const FRAME_SLOT = 100
const READY_SLOT = 101
const READY_BADGE = 1n
const RING = { capacity: 8, slotBytes: 64 } as const
const MESSAGE_TIMEOUT_NS = 10e9
const READ_WRITE = Permission.read | Permission.write

component(self => {
  switch (self.argument(BenchSpawnArg.role)) {
    case BenchSpawnRole.messages:
      return measureFirstMessages(self)
    case BenchSpawnRole.idle:
      return beIdle(self)
    case BenchSpawnRole.sender:
      return sendNumber(self)
    default:
      return waitInVain(self)
  }
})

function measureFirstMessages(self: Component): void {
  const firstMessageNs: number[] = []
  for (let number = 0; number < self.argument(BenchSpawnArg.count); number++) {
    const { frame, address } = makeRing(self)
    const ring = SharedRing.consumer(self.vspace, address, PAGE_BYTES)
    const begun = monotonicNs()
    const child = spawnOn(self, frame, BenchSpawnRole.sender, number)
    const message = ring.pop(MESSAGE_TIMEOUT_NS)
    firstMessageNs.push(monotonicNs() - begun)
    const [got] = new Float64Array(ring.staging.buffer, ring.staging.byteOffset, 1)
    if (typeof message === "string" || got !== number) throw new Error(`Child ${number} sent ${message} ${got}`)
    child.wait()
    ring.close()
    self.call("cap_delete", { cnode: self.ownCNode, slot: child.tcb })
    self.call("cap_delete", { cnode: self.ownCNode, slot: frame })
  }
  const report: SpawnReport = { firstMessageNs }
  self.report(report)
}

function sendNumber(self: Component): void {
  const ring = attached(self).producer()
  new Float64Array(ring.staging.buffer, ring.staging.byteOffset, 1)[0] = self.argument(BenchSpawnArg.count)
  const outcome = ring.push()
  if (outcome !== "pushed") throw new Error(`The first message: ${outcome}`)
}

function beIdle(self: Component): void {
  const { slot } = self.call("notification_create", {})
  const ready = self.notification(slot)
  for (let child = 0; child < self.argument(BenchSpawnArg.count); child++) {
    spawnOn(self, makeRing(self).frame, BenchSpawnRole.waiter, child, [[READY_SLOT, slot]])
    if (ready.wait(MESSAGE_TIMEOUT_NS) !== READY_BADGE) throw new Error(`Child ${child} was not ready in time`)
  }
  // What V8 does behind the start of each, in threads of its own, ends meanwhile.
  ready.wait(1e9)
  self.print(ALL_IDLE)
  ready.wait(IDLE_SECONDS * 1e9)
  self.report({})
}

function waitInVain(self: Component): void {
  const consumer = attached(self).consumer()
  self.notification(READY_SLOT).signal(READY_BADGE)
  consumer.pop()
}

function makeRing(self: Component): { frame: number; address: number } {
  const frame = self.call("memory_allocate", { bytes: PAGE_BYTES }).slot
  const { address } = self.call("memory_map", { frame, bytes: PAGE_BYTES, permissions: READ_WRITE })
  SharedRing.create(self.vspace, address, PAGE_BYTES, RING)
  return { frame, address }
}

function spawnOn(
  self: Component,
  frame: number,
  role: number,
  count: number,
  capabilities: readonly (readonly [slot: number, capability: number])[] = [],
): Child {
  const child = self.spawnWithCaps({
    componentName: "bench-spawn",
    capabilities: [[FRAME_SLOT, frame], ...capabilities],
    arguments: [role, count],
  })
  self.call("memory_map_into", { frame, bytes: PAGE_BYTES, permissions: READ_WRITE, pid: child.pid })
  child.start()
  return child
}

function attached(self: Component) {
  const { address, bytes, status } = self.frame(FRAME_SLOT)
  return {
    producer: () => SharedRing.producer(self.vspace, address, bytes, { status }),
    consumer: () => SharedRing.consumer(self.vspace, address, bytes, { status }),
  }
}
