// bench.ts: what bench-root and bench-ring are told, and what they report. Plain data; imports nothing.

/** Positions in the arguments of bench-root. */
export const BenchRootArg = { mode: 0, slots: 1, bytes: 2, samples: 3, leaderCpu: 4, followerCpu: 5 } as const

/** Positions in the arguments of bench-ring; the first three are the plan's. */
export const BenchArg = { role: 3, mode: 4, cpu: 5, slots: 6, bytes: 7, samples: 8 } as const

export const BenchRole = { leader: 0, follower: 1 } as const

/** Both ends spin; both ends park at once; the leader sends without pause and the follower receives. */
export const BenchMode = { "spin-pingpong": 1, "park-pingpong": 2, stream: 3 } as const
export type BenchModeName = keyof typeof BenchMode

/** One trial of one pair of processes. Figures that the mode does not have are null. */
export interface BenchReport {
  readonly hz: number
  /** Cache-line probe, ns. */
  readonly probeNs: { readonly before: number; readonly after: number }
  readonly rttNs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number } | null
  readonly onewayCyclesP50: number | null
  readonly messagesPerSecond: number | null
}
