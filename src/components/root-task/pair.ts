// pair.ts: ipc-producer and ipc-consumer on one task of the plan.

import { ANY_CPU, type TaskReport } from "../../protocols/ipc-test.ts"
import { runPair } from "../plan/pair.ts"
import type { Component } from "../runtime/index.ts"
import { readReport } from "./read-report.ts"

export interface TaskConfig {
  /** One of Task. */
  readonly task: number
  readonly frameBytes: number
  readonly slots: number
  readonly bytes: number
  readonly items: number
  /** Processors for producer and consumer; unpinned where there is none. */
  readonly cpus: readonly number[]
  readonly prepare?: (address: number) => void
  readonly grantPeer?: boolean
}

/** What the two reported; a component that ended without a report says so in `failures`. */
export interface PairOutcome {
  readonly producer: TaskReport
  readonly consumer: TaskReport
}

export function runTask(self: Component, config: TaskConfig): PairOutcome {
  const { task, frameBytes, slots, bytes, items, cpus, prepare, grantPeer = false } = config
  const argumentsOn = (cpu: number | undefined): number[] => [task, cpu ?? ANY_CPU, slots, bytes, items]
  const [producer, consumer] = runPair(self, {
    components: ["ipc-producer", "ipc-consumer"],
    arguments: [argumentsOn(cpus[0]), argumentsOn(cpus[1])],
    frameBytes,
    grantPeer,
    ...(prepare === undefined ? {} : { prepare }),
  })
  return { producer: readReport("ipc-producer", producer), consumer: readReport("ipc-consumer", consumer) }
}
