// pair.ts: the plan's four steps: memory, notifications, two components with their capabilities, start, wait.

import { PlanSlot } from "../../protocols/ipc-test.ts"
import { type Child, type ChildState, type Component, Permission, type SpawnConfig } from "../runtime/index.ts"

export interface PairConfig {
  /** Two folders of src/components, perhaps the same. */
  readonly components: readonly [string, string]
  /** What follows `[shared_mem, 102, 103]` in the arguments of each. */
  readonly arguments: readonly [readonly number[], readonly number[]]
  /** Size of the shared frame, a multiple of the page size. */
  readonly frameBytes: number
  /** Gives the first of the two a capability to the second one's TCB, so that it can pass capabilities on. */
  readonly grantPeer?: boolean
  /** Writes into the frame before anybody else can see it: its rings are initialised here, once. */
  readonly prepare?: (address: number) => void
}

const READ_WRITE = Permission.read | Permission.write

/** Runs a fresh pair of components until both have reported or ended. What it created is gone again when it returns. */
export function runPair(self: Component, config: PairConfig): readonly [ChildState, ChildState] {
  const { frameBytes } = config
  const frame = self.call("memory_allocate", { bytes: frameBytes }).slot
  const toConsumer = self.call("notification_create", {}).slot
  const toProducer = self.call("notification_create", {}).slot
  const go = self.call("notification_create", {}).slot
  if (config.prepare !== undefined) {
    const { address } = self.call("memory_map", { frame, bytes: frameBytes, permissions: READ_WRITE })
    config.prepare(address)
    self.call("memory_unmap", { address, bytes: frameBytes })
  }

  const spawn = (which: 0 | 1, more: SpawnConfig["capabilities"] = []): Child =>
    self.spawnWithCaps({
      componentName: config.components[which],
      capabilities: [
        [PlanSlot.sharedMemory, frame],
        [PlanSlot.toConsumer, toConsumer],
        [PlanSlot.toProducer, toProducer],
        [PlanSlot.go, go],
        ...more,
      ],
      arguments: [PlanSlot.sharedMemory, PlanSlot.toConsumer, PlanSlot.toProducer, ...config.arguments[which]],
    })
  const second = spawn(1)
  const pair = [spawn(0, config.grantPeer ? [[PlanSlot.peer, second.tcb]] : []), second] as const
  for (const { pid } of pair) {
    self.call("memory_map_into", { frame, bytes: frameBytes, permissions: READ_WRITE, pid })
  }
  // Both are wired before either runs.
  for (const child of pair) child.start()

  const states = [pair[0].wait(), pair[1].wait()] as const
  for (const child of pair) {
    child.wait() // After a report, a second wait is for the end.
    self.call("cap_delete", { cnode: self.ownCNode, slot: child.tcb })
  }
  for (const slot of [frame, toConsumer, toProducer, go]) self.call("cap_delete", { cnode: self.ownCNode, slot })
  return states
}
