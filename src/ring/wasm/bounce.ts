// bounce.ts: the bare cache-line probe that brackets measurements: two processes pass one number back and forth.

/** Looks at the peer's word before the probe gives up: about two seconds. */
const PATIENCE: u32 = 1 << 31

function awaitValue(address: usize, value: u32): bool {
  for (let looks: u32 = 0; looks < PATIENCE; looks++) {
    if (atomic.load<u32>(address) == value) return true
  }
  return false
}

/**
 * Plays `rounds` round trips: the leader writes `addressA` and waits for `addressB` to follow, the other way round for
 * the follower. Both words must be equal at the start; they stay so. Returns the rounds played: fewer when the peer is
 * missing.
 */
export function bounce(addressA: usize, addressB: usize, rounds: u32, leader: bool): u32 {
  let value = atomic.load<u32>(leader ? addressA : addressB)
  for (let round: u32 = 0; round < rounds; round++) {
    value++
    if (leader) {
      atomic.store<u32>(addressA, value)
      if (!awaitValue(addressB, value)) return round
    } else {
      if (!awaitValue(addressA, value)) return round
      atomic.store<u32>(addressB, value)
    }
  }
  return rounds
}
