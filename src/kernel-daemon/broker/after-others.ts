// after-others.ts: how the daemon gives others their turn between two pieces of a long work.

/**
 * How long it leaves its processor to those that it has answered, where all share one: Linux looks there for somebody else by
 * itself every 4 ms only, and then perhaps takes one of V8's threads. Measured with a revoke of a million, in alternating
 * trials: the longest call of another component takes 6 to 10 ms instead of 13 to 23; the revoke takes half as long again.
 */
const STAND_BACK_MS = 0.1

const word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

/**
 * Calls `work` when the calls that are there have been served.
 * @param worked others have waited for a piece of work: then the daemon stands still for STAND_BACK_MS and what Linux takes to
 *   wake it, some 0.15 ms
 */
export function afterOthers(worked: boolean, work: () => void): void {
  setImmediate(() => {
    if (worked) Atomics.wait(word, 0, 0, STAND_BACK_MS)
    work()
  })
}
