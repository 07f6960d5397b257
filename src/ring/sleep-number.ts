// sleep-number.ts: how an end tells its peer that it sleeps: a shared number, odd while it does, else even.

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

  announce(): void {
    // The next odd number, also after one whose owner died asleep.
    this.#number = (this.#number + 1) | 1
    this.#vspace.storeWord(this.#address, this.#number)
  }

  retract(): void {
    this.#number = (this.#number + 1) | 0
    this.#vspace.storeWord(this.#address, this.#number)
  }
}
