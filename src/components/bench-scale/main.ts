// main.ts: bench-scale: a circle of nodes, each with channels to the next ones, all carrying messages at once.

import {
  BenchScaleArg,
  SCALE_BATCH,
  SCALE_LINE_WORDS,
  SCALE_SLOT_BYTES,
  SCALE_STEPS,
  type ScaleReport,
  ScaleSlot,
  ScaleWord,
} from "../../protocols/bench-scale.ts"
import {
  type Channel,
  type Child,
  type Component,
  ConventionSlot,
  component,
  ObjectType,
  PAGE_BYTES,
  Permission,
} from "../runtime/index.ts"

/** A node may be one round ahead of who receives from it. */
const RING = { capacity: 2 * SCALE_BATCH, slotBytes: SCALE_SLOT_BYTES } as const
const POLL_NS = 20_000_000
/** A CNode for what is no longer needed at hand: a TCB and four frames for each node. */
const STORE_SLOT = 60
const STORE_BITS = 12
const READ_WRITE = Permission.read | Permission.write

component(self => {
  const components = self.argument(BenchScaleArg.components)
  const rounds = self.argument(BenchScaleArg.rounds)
  const bytes = Math.ceil((components * SCALE_LINE_WORDS * 8) / PAGE_BYTES) * PAGE_BYTES
  const board = self.call("memory_allocate", { bytes }).slot
  const { address } = self.call("memory_map", { frame: board, bytes, permissions: READ_WRITE })
  const lines = self.vspace.f64.subarray(address / 8, (address + bytes) / 8)

  spawnCircle(self, components, rounds, { slot: board, bytes })

  const tick = self.notification(self.call("notification_create", {}).slot)
  const word = (node: number, which: number): number => lines[node * SCALE_LINE_WORDS + which] as number
  const nodes = Array.from({ length: components }, (_, node) => node)
  while (!nodes.every(node => word(node, ScaleWord.done) === 1)) tick.wait(POLL_NS)
  const times = nodes.map(node => word(node, ScaleWord.endedNs) - word(node, ScaleWord.begunNs)).sort((a, b) => a - b)
  const report: ScaleReport = {
    checked: nodes.reduce((sum, node) => sum + word(node, ScaleWord.checked), 0),
    elapsedNs: times[components >> 1] as number,
    messages: components * SCALE_STEPS.length * rounds * SCALE_BATCH,
  }
  self.report(report)
})

/** Spawns the nodes in order. A channel lives in our slots only from its first end's spawn to its second's. */
function spawnCircle(self: Component, count: number, rounds: number, board: { slot: number; bytes: number }): void {
  const channels = new Map<string, Channel>()
  const between = (from: number, step: number): Channel => {
    const key = `${from}+${step}`
    const known = channels.get(key)
    if (known === undefined) {
      const channel = self.createChannel(RING)
      channels.set(key, channel)
      return channel
    }
    channels.delete(key)
    used.push(known)
    return known
  }
  const store = { untyped: ConventionSlot.untyped, type: ObjectType.CNode, sizeBits: STORE_BITS, count: 1 }
  self.call("retype", { ...store, cnode: self.ownCNode, slot: STORE_SLOT })
  let stored = 0
  let used: Channel[] = []
  for (let node = 0; node < count; node++) {
    used = []
    const out = SCALE_STEPS.map(step => between(node, step))
    const into = SCALE_STEPS.map(step => between((node - step + count) % count, step))
    const child = self.spawnWithCaps({
      componentName: "bench-scale-node",
      capabilities: [
        [ScaleSlot.board, board.slot],
        ...out.flatMap((channel, index) => channel.producer(ScaleSlot.out[index] as number)),
        ...into.flatMap((channel, index) => channel.consumer(ScaleSlot.in[index] as number)),
      ],
      arguments: [node, count, rounds],
    })
    mapBoard(self, child, board)
    for (const channel of out) channel.mapInto(child, "producer")
    for (const channel of into) channel.mapInto(child, "consumer")
    child.start()
    // Our slots are for the next ones. Moved, not deleted: a capability that goes takes its mappings with it.
    for (const slot of [
      child.tcb,
      ...used.flatMap(({ producerFrame, consumerFrame }) => [producerFrame, consumerFrame]),
    ]) {
      self.call("cap_move", { sourceCNode: self.ownCNode, source: slot, targetCNode: STORE_SLOT, target: stored++ })
    }
  }
}

function mapBoard(self: Component, child: Child, { slot: frame, bytes }: { slot: number; bytes: number }): void {
  self.call("memory_map_into", { frame, bytes, permissions: READ_WRITE, pid: child.pid })
}
