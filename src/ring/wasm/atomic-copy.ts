// atomic-copy.ts: payload that its writer may overwrite while it is read: moved by atomic words, because the race is meant.

/** Copies `bytes`, a multiple of 8, into shared memory. */
export function copyOut(to: usize, from: usize, bytes: u32): void {
  for (; bytes != 0; bytes -= 8) {
    atomic.store<u64>(to, load<u64>(from))
    to += 8
    from += 8
  }
}

/** Copies `bytes`, a multiple of 8, from shared memory. */
export function copyIn(to: usize, from: usize, bytes: u32): void {
  for (; bytes != 0; bytes -= 8) {
    store<u64>(to, atomic.load<u64>(from))
    to += 8
    from += 8
  }
}
