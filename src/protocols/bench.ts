// bench.ts: what bench-root and bench-ring are told, and what they report. Plain data; imports nothing.

/** Positions in the arguments of bench-root. */
export const BenchRootArg = {
  mode: 0,
  slots: 1,
  bytes: 2,
  samples: 3,
  leaderCpu: 4,
  followerCpu: 5,
  batch: 6,
  inPlace: 7,
  wait: 8,
  form: 9,
  payload: 10,
} as const

/** Positions in the arguments of bench-ring; the first three are the plan's. */
export const BenchArg = {
  role: 3,
  mode: 4,
  cpu: 5,
  slots: 6,
  bytes: 7,
  samples: 8,
  batch: 9,
  inPlace: 10,
  wait: 11,
  form: 12,
  payload: 13,
} as const

export const BenchRole = { leader: 0, follower: 1 } as const

/** Messages there and back; the leader sends without pause and the follower receives; signals there and back. */
export const BenchMode = { "ping-pong": 1, stream: 2, signals: 3 } as const
export type BenchModeName = keyof typeof BenchMode

/** Both ends spin without end; both park at once; both as a component does that chose nothing. */
export const BenchWait = { spin: 0, park: 1, default: 2 } as const
export type BenchWaitName = keyof typeof BenchWait

/** Where a slot's news stands: in an index word, or in the slot itself. */
export const BenchForm = { index: 0, slot: 1 } as const
export type BenchFormName = keyof typeof BenchForm

/**
 * What the ends of a stream do with each message. Stamped: the first and the last word of a message in private memory are
 * renewed, the ring copies all of it, there and back, and both words are checked. Filled: JavaScript writes and checks every
 * word. Block: copied into the slot in one go and compared there in one go, every byte of it.
 */
export const BenchPayload = { stamped: 0, filled: 1, block: 2 } as const
export type BenchPayloadName = keyof typeof BenchPayload

/** One trial of one pair of processes. Figures that the mode does not have are null. */
export interface BenchReport {
  readonly hz: number
  /** Cache-line probe, ns; null where both ends share a processor. */
  readonly probeNs: { readonly before: number; readonly after: number } | null
  readonly rttNs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number } | null
  /** Pairs [b, count]: round trips of 2^(b/8) up to 2^((b+1)/8) ns. */
  readonly histogram: readonly (readonly [number, number])[] | null
  readonly onewayCyclesP50: number | null
  readonly messagesPerSecond: number | null
  /** A signal while nobody sleeps, ns. */
  readonly signalNs: number | null
}
