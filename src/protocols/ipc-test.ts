// ipc-test.ts: what root-task, ipc-producer, ipc-consumer and the CLI say to one another. Plain data; imports nothing.

/** Slots that both components of the plan find filled, and what stands in them; `peer` in Test 4 and for the producer only. */
export const PlanSlot = { sharedMemory: 100, toConsumer: 102, toProducer: 103, go: 104, peer: 105 } as const

/** Positions in the arguments of ipc-producer and ipc-consumer. The first three are the plan's `[shared_mem, 102, 103]`. */
export const Arg = {
  sharedMemory: 0,
  toConsumer: 1,
  toProducer: 2,
  task: 3,
  cpu: 4,
  slots: 5,
  bytes: 6,
  items: 7,
} as const

/** Positions in the arguments of root-task. */
export const RootArg = { items: 0, slots: 1, bytes: 2, pin: 3 } as const

/** Stands for "do not pin" in `Arg.cpu`. */
export const ANY_CPU = 0xffff_ffff

export const Task = { signalling: 1, sharedMemory: 2, ring: 3, latency: 4, wake: 5, capabilities: 6 } as const

/** The plan's badges: the producer announces data with one, the consumer announces space with the other. */
export const DATA_BADGE = 0x1n
export const SPACE_BADGE = 0x2n

/** What each of the two reports. Times are CLOCK_MONOTONIC in ns, the same clock in every process. */
export interface TaskReport {
  readonly ok: boolean
  /** What went wrong, empty when `ok`. */
  readonly failures: readonly string[]
  readonly items: number
  readonly firstNs: number
  readonly lastNs: number
  /** One line of figures for a person. */
  readonly detail: string
  /** Checksum over every payload word, where the task has one. */
  readonly checksum?: number
  readonly latency?: LatencyReport
  readonly latencyEcho?: LatencyEchoReport
  readonly wake?: WakeReport
  readonly wakeEcho?: WakeEchoReport
}

/** All in cycles of the constant time stamp counter, its own cost subtracted. */
export interface Percentiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Counts of times: `counts[i]` of those in [lowest + i * step, lowest + (i + 1) * step), in cycles; the last is open. */
export interface Histogram {
  readonly lowest: number
  readonly step: number
  readonly counts: readonly number[]
}

/** The producer's side of one latency trial: messages there and back, both ends spinning. */
export interface LatencyReport {
  readonly samples: number
  /** Frequency of the time stamp counter; 0 where it is not constant, and then no cycles are known. */
  readonly hz: number
  readonly timerCycles: number
  /** Bare one-word round trip between the two processes, before and after. */
  readonly probeNs: { readonly before: number; readonly after: number }
  /** Half a round trip, each with time stamps of its own at both ends, whose cost is subtracted. */
  readonly oneWay: Percentiles
  /** Half a round trip, as the mean of each of 100 blocks of 1,000: no stamps in between. */
  readonly blocks: Percentiles
  readonly histogram: Histogram
}

/** The consumer's side: send stamp to receive stamp. */
export interface LatencyEchoReport {
  readonly stamp: Percentiles
}

/** The producer's side of the trial in which the consumer sleeps, and of operations that meet nobody. */
export interface WakeReport {
  readonly hz: number
  readonly ringOp: Percentiles
  readonly signalNoWake: Percentiles
  readonly parkedRoundTrip: Percentiles
}

/** The consumer's side: from the producer's stamp before signal() to being awake. */
export interface WakeEchoReport {
  readonly signalWake: Percentiles
}

export interface TestResult {
  readonly name: string
  readonly ok: boolean
  readonly items: number
  readonly ms: number
  readonly detail: string
}

export interface CriterionResult {
  readonly name: string
  readonly ok: boolean
  readonly value: number | string
  readonly limit: number | string
  readonly unit: string
  /** What the value rests on, in a few words. */
  readonly evidence: string
  /** False where this machine cannot tell; then `ok` is true, for nothing is known to be wrong. */
  readonly measured: boolean
}

export type Placement = "S" | "N" | "F"

/** The latency as the summary shows it. `cycles` and what follows are null where no trial served. */
export interface LatencySummary {
  /** Round trips of the trial that counts, the one with the lowest p50. */
  readonly samples: number
  /** The p50 of each trial that served, in cycles, in their order. */
  readonly trials: readonly number[]
  readonly probeNs: number | null
  readonly placement: Placement | null
  readonly hz: number
  readonly timerCycles: number | null
  /** One way, half a round trip, from stamps per message. */
  readonly cycles: Percentiles | null
  readonly ns: Percentiles | null
  /** The same from blocks of 1,000 round trips, in cycles: no stamps in between. */
  readonly blocks: Percentiles | null
  /** One way, send stamp to receive stamp, in cycles. */
  readonly stamp: Percentiles | null
  readonly histogram: Histogram | null
  /** In cycles. */
  readonly ringOp: Percentiles
  readonly signalNoWake: Percentiles
  readonly signalWake: Percentiles
  readonly parkedRoundTrip: Percentiles
}

/** What root-task reports while it runs: a step begun or done, and at last the whole. */
export type RootReport =
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "step"; readonly text: string; readonly state: "begun" | "ok" | "failed"; readonly ms: number }
  | {
      readonly kind: "result"
      readonly ok: boolean
      readonly tests: readonly TestResult[]
      readonly criteria: readonly CriterionResult[]
      readonly latency: LatencySummary | null
    }
