// sleep.ts: does the peer sleep? Its sleep number is odd while it does, and differs from one sleep to the next.

/**
 * To be called after whatever the peer waits for has been stored. True when the peer sleeps, or is about to, and has
 * not been woken from that sleep yet: so a burst to a peer that is still waking costs one system call.
 *
 * @param sleepWord address of the peer's sleep number
 * @param woken private address of the number that the peer was last woken for
 */
export function mustWake(sleepWord: usize, woken: usize): bool {
  // ORDER sleep: this load comes after the store of the index or lane; the sleeper stores its number, then looks at
  // those once more (Waiting.until, LoopWaiting.wait), so one of the two sees the other.
  const sleep = atomic.load<u32>(sleepWord)
  if ((sleep & 1) == 0 || sleep == load<u32>(woken)) return false
  store<u32>(woken, sleep)
  return true
}
