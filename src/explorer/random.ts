// random.ts: random numbers that follow from a seed: a counter of 32 bits, mixed by a hash (splitmix's way).

export class Random {
  #state: number

  /** @param seed an integer, 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below 1. */
  fraction(): number {
    this.#state = (this.#state + 0x9e37_79b9) >>> 0
    let bits = this.#state
    bits = Math.imul(bits ^ (bits >>> 16), 0x21f0_aaad)
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a_2d97)
    return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
  }

  /** A whole number, 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor(this.fraction() * limit)
  }
}
