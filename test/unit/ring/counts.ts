// counts.ts: how much the two processes of a test exchange; both must agree.

export const itemCount = 100_000
/** Rounds of one question and one answer, in each of four tests. */
export const roundCount = 12_500
export const burstCount = 100_000
/**
 * A record of the merging test: one word on each of so many lines, so that it takes a while to leave the writer's core.
 */
export const recordLines = 24
export const recordLineBytes = 128

/** Messages under strace: first those in which V8 optimises, then those that are counted. */
export const awakeWarmUp = 50_000
export const awakeCount = 50_000
/** Paths that nobody has; looking for them marks the trace. */
export const AWAKE_BEGIN = "/kaal-awake-begin"
export const AWAKE_END = "/kaal-awake-end"
