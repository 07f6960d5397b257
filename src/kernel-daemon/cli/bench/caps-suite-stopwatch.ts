// caps-suite-stopwatch.ts: time as this thread spent it: without the time in which others had its processor.

import { readFileSync } from "node:fs"

/**
 * Starts to measure. Returns a function that gives the milliseconds since, less those in which this thread was ready to
 * run and did not: they belong to whatever else the machine does. Cost: 20 us, not counted.
 */
export function stopwatch(): () => number {
  const waited = waitedMs()
  const begun = performance.now()
  return () => {
    const passed = performance.now() - begun
    return passed - (waitedMs() - waited)
  }
}

/** So far, by /proc/[pid]/schedstat: nanoseconds on a processor, then waiting for one. */
function waitedMs(): number {
  const [, waitedNs] = readFileSync("/proc/thread-self/schedstat", "latin1").split(" ")
  return Number(waitedNs) / 1e6
}
