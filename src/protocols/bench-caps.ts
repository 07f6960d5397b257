// bench-caps.ts: what `bench caps` and its component tell each other. Plain data; imports nothing.

/** Positions in the arguments of bench-caps, whichever role it plays. */
export const BenchCapsArg = { role: 0, cpu: 1, size: 2, isDeep: 3, daemonCpu: 4 } as const

/**
 * calls: root task, measures null syscalls alone; `size` is their number.
 * latency: root task, measures calls with nobody else at work; `size` is the number of null syscalls.
 * crowd: root task, revokes `size` capabilities while a bystander makes null syscalls: all children of one, or where `isDeep`
 *   is 1 each derived from the one before. They are made on `daemonCpu`, where a call needs no wake-up from sleep.
 * target: has frames mapped into it and sleeps. bystander: makes null syscalls until it is told to stop.
 */
export const BenchCapsRole = { latency: 0, crowd: 1, target: 2, bystander: 3, calls: 4 } as const

/** What the latency role prints, on a line of its own, when its boot is over and the measurement begins. */
export const MEASURING = "measuring"

/** How many frames the target has mapped while one of them is revoked. */
export const FRAME_COUNTS = [1, 10, 100] as const

/** Order statistics of one trial, in microseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

export interface LatencyReport {
  readonly nullSyscall: Latency
  /** Sixteen one behind the other, then as many null syscalls, in turns; by FRAME_COUNTS. */
  readonly mapInto: readonly Latency[]
  readonly nullBeside: readonly Latency[]
  /** Each after a revoke, for which the daemon reads /proc: it finds cold caches. By FRAME_COUNTS. */
  readonly mapIntoAfterRevoke: readonly Latency[]
  /** From cap_revoke of one mapped frame's capability to its answer, by FRAME_COUNTS. */
  readonly revoke: readonly Latency[]
}

export interface CrowdReport {
  readonly revokeMs: number
  /** The bystander's null syscalls during the revoke, and in some time before and after it. */
  readonly before: Calls
  readonly during: Calls
  readonly after: Calls
}

export interface Calls extends Latency {
  readonly calls: number
}
