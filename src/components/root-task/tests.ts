// tests.ts: Tests 1 to 4 of the plan, each on a fresh pair of components.

import { Task, type TestResult } from "../../protocols/ipc-test.ts"
import { PLAN_ITEMS } from "../plan/ring-steps.ts"
import { type Component, KernelError, PAGE_BYTES, processors, SharedRing } from "../runtime/index.ts"
import { type PairOutcome, runTask, type TaskConfig } from "./pair.ts"
import { failedReport } from "./read-report.ts"
import type { Steps } from "./steps.ts"

export interface Options {
  /** Items of Test 3's long run. */
  readonly items: number
  /** Slots of the rings, a power of two. */
  readonly slots: number
  /** Bytes of a slot. */
  readonly bytes: number
  readonly pin: boolean
}

export interface TestOutcome {
  readonly result: TestResult
  readonly pair: PairOutcome
  /** How long both components were at work at the same time; negative when they were not. */
  readonly overlapMs: number
  readonly frameBytes: number
}

/** The plan's frame. Test 3 takes more pages where the options ask for a larger ring. */
const PLAN_FRAME_BYTES = PAGE_BYTES
const PLAN_RING = { capacity: 32, slotBytes: 64 }

export function runTests(self: Component, options: Options, steps: Steps): TestOutcome[] {
  const { slots, bytes, items } = options
  const cpus = options.pin ? processors() : []
  const ring = { capacity: slots, slotBytes: bytes }
  const ringBytes = roundUpToPages(SharedRing.bytesNeeded(ring))
  const prepareRing = (frameBytes: number, geometry: typeof ring) => (address: number) =>
    SharedRing.create(self.vspace, address, frameBytes, geometry)
  const plain = { frameBytes: PLAN_FRAME_BYTES, slots, bytes, items, cpus }
  const tests = [
    { name: "Test 1: signalling", config: { ...plain, task: Task.signalling }, expected: undefined },
    {
      name: "Test 2: shared memory and notification",
      config: { ...plain, task: Task.sharedMemory },
      expected: undefined,
    },
    {
      name: `Test 3: SharedRing, ${slots} slots of ${bytes} bytes`,
      config: {
        ...plain,
        task: Task.ring,
        frameBytes: ringBytes,
        prepare: prepareRing(ringBytes, ring),
      },
      expected: PLAN_ITEMS + items,
    },
    {
      name: "Test 4: capabilities, passed and revoked",
      config: { ...plain, task: Task.capabilities, grantPeer: true, prepare: prepareRing(PLAN_FRAME_BYTES, PLAN_RING) },
      expected: undefined,
    },
  ]
  return tests.map(({ name, config, expected }) =>
    steps.run(
      name,
      () => judge(name, runOrFail(self, config), expected, config.frameBytes),
      outcome => !outcome.result.ok,
    ),
  )
}

export function roundUpToPages(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

/** A component that dies before it runs makes the kernel refuse the next call about it: that is this test's failure. */
function runOrFail(self: Component, config: TaskConfig): PairOutcome {
  try {
    return runTask(self, config)
  } catch (error) {
    if (!(error instanceof KernelError)) throw error
    const report = failedReport(`${error.code}: ${error.message}`)
    return { producer: report, consumer: { ...report, failures: [] } }
  }
}

/** Both must be content, and agree with each other and with what was asked for: neither alone decides. */
function judge(name: string, pair: PairOutcome, expectedItems: number | undefined, frameBytes: number): TestOutcome {
  const { producer, consumer } = pair
  const failures = [...producer.failures, ...consumer.failures]
  if (expectedItems !== undefined) {
    for (const [who, items] of [
      ["ipc-producer", producer.items],
      ["ipc-consumer", consumer.items - 1], // The consumer also checks that nothing follows the last item.
    ] as const) {
      if (items !== expectedItems) failures.push(`${who} counted ${items} items of ${expectedItems}`)
    }
    if (producer.checksum !== consumer.checksum) {
      failures.push(`checksums differ: sent ${hex(producer.checksum)}, received ${hex(consumer.checksum)}`)
    }
  }
  const overlapMs = (Math.min(producer.lastNs, consumer.lastNs) - Math.max(producer.firstNs, consumer.firstNs)) / 1e6
  const ms = (Math.max(producer.lastNs, consumer.lastNs) - Math.min(producer.firstNs, consumer.firstNs)) / 1e6
  const detail = failures.length === 0 ? `${producer.detail}; ${consumer.detail}` : failures.join("; ")
  const ok = failures.length === 0 && producer.ok && consumer.ok
  return { result: { name, ok, items: consumer.items, ms, detail }, pair, overlapMs, frameBytes }
}

function hex(checksum: number | undefined): string {
  return checksum === undefined ? "none" : `0x${checksum.toString(16).padStart(8, "0")}`
}
