// signalling-steps.ts: the constants that both sides of Test 1 walk through in step.

export const ALL_BITS = 0xffff_ffff_ffff_ffffn
export const PING_PONG_ROUNDS = 10_000

/** Several signals, one of them twice, and what a single wait must return of them. */
export const Merge = { signals: [0x1n, 0x4n, 0x4n, 1n << 63n], merged: 0x5n | (1n << 63n) } as const

/** How long one step may take before it counts as failed. A watchdog, far above what any step needs. */
export const STEP_TIMEOUT_NS = 5e9

/** How long the wait with a deadline is told to wait when nobody signals. */
export const DEADLINE_NS = 20e6

/** The bits of one round: never none, and all 64 positions occur. */
export function roundBits(round: number): bigint {
  return BigInt.asUintN(64, (BigInt(round) * 0x9e37_79b9_7f4a_7c15n) ^ (1n << BigInt(round % 64))) || 1n
}
