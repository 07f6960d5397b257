// word.ts: single shared words, so that a fault on one is an exception and not the process's death.

export function loadWord(address: usize): u32 {
  return atomic.load<u32>(address)
}

export function storeWord(address: usize, value: u32): void {
  atomic.store<u32>(address, value)
}

export function exchangeWord(address: usize, value: u32): u32 {
  return atomic.xchg<u32>(address, value)
}

/** Returns what the word held; `value` was stored if that is `expected`. */
export function compareExchangeWord(address: usize, expected: u32, value: u32): u32 {
  return atomic.cmpxchg<u32>(address, expected, value)
}

export function loadLane(address: usize): u64 {
  return atomic.load<u64>(address)
}
