// sleep-number.ts: how an end tells its peer that it sleeps, and where: a shared number, odd while it does, whose bits
// above the lowest two differ from one sleep to the next.

import { ASLEEP, SLEEP_BITS } from "./layout.ts"
import type { VSpace } from "./vspace.ts"

/** In the place of the number that the peer was last woken for: no sleeper has it, for it is even. */
export const NEVER_WOKEN = 0

export class SleepNumber {
  readonly #vspace: VSpace
  readonly #address: number
  #number: number

  /** Goes on from the number in memory: the peer may remember one that an earlier process used. */
  constructor(vspace: VSpace, address: number) {
    this.#vspace = vspace
    this.#address = address
    this.#number = vspace.loadWord(address)
  }

  /** @param how ASLEEP: on the words, to be woken by futex; ASLEEP_IN_LOOP: by the bell */
  announce(how: number = ASLEEP): void {
    // A new number, also after one whose owner died asleep.
    this.#number = ((this.#number | SLEEP_BITS) + 1) | how
    this.#vspace.storeWord(this.#address, this.#number)
  }

  retract(): void {
    this.#number &= ~SLEEP_BITS
    this.#vspace.storeWord(this.#address, this.#number)
  }
}
