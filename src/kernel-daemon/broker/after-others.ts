// after-others.ts: how the daemon gives others their turn between two pieces of long works, however many are under way.

/**
 * How long, at least, it leaves its processor to those that it has answered, where all share one: Linux looks there for
 * somebody else by itself every 4 ms only, and then perhaps takes one of V8's threads. Measured with a revoke of a million, in
 * alternating trials: the longest call of another component takes 6 to 10 ms instead of 13 to 23; the revoke takes half as
 * long again.
 */
const STAND_BACK_MS = 0.1

const word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

interface Work {
  readonly worked: boolean
  readonly run: () => void
}

/** In the order in which they came: one in each turn of the event loop, so that a turn takes one piece's time. */
const waiting: Work[] = []

/**
 * Calls `run` in a later turn of the event loop, which serves the calls that are there before.
 * @param worked others have waited for a piece of work: then the daemon stands still for STAND_BACK_MS and what Linux takes to
 *   wake it, some 0.15 ms
 */
export function afterOthers(worked: boolean, run: () => void): void {
  waiting.push({ worked, run })
  if (waiting.length === 1) setImmediate(next)
}

function next(): void {
  const { worked, run } = waiting[0] as Work
  if (worked) Atomics.wait(word, 0, 0, STAND_BACK_MS)
  try {
    run()
  } finally {
    waiting.shift()
    if (waiting.length > 0) setImmediate(next)
  }
}
