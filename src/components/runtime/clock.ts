// clock.ts: CLOCK_MONOTONIC, the one clock that all processes of the machine share.

/** Nanoseconds since some fixed moment, exact as a double for a hundred days of uptime. Cost: about 40 ns. */
export function monotonicNs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e9 + nanoseconds
}
