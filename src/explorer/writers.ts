// writers.ts: who stores which shared word, as far as it has been seen. It decides what is a step and what tells states apart, and
// only ever grows: when it has, in a way that matters, the exploration begins again.

import { indexOf, isAtomicLoad } from "./memory.ts"
import type { Access } from "./process.ts"

/** For each word that is stored, by its index: the one process that stores it, or SEVERAL. */
export type Writers = Readonly<Record<number, number>>

const SEVERAL = -1

export class StoredWords {
  /** Goes up when something was learnt that changes what a step is, or what tells states apart. */
  learnt = 0
  /** Indices of the words that more than one process stores. */
  readonly contended: number[] = []
  readonly #writers = new Map<number, number>()
  /** Who has loaded a word as if nobody else stored it: a bit for each process. */
  readonly #trusted = new Map<number, number>()
  readonly #trusts: boolean

  /** @param known from an earlier exploration; undefined: every atomic access is a step */
  constructor(known: Writers | undefined) {
    this.#trusts = known !== undefined
    for (const [index, who] of Object.entries(known ?? {})) {
      this.#writers.set(Number(index), who)
      if (who === SEVERAL) this.contended.push(Number(index))
    }
  }

  /** Undefined where every access is a step. */
  get writers(): Writers | undefined {
    return this.#trusts ? Object.fromEntries(this.#writers) : undefined
  }

  /** An atomic load of what no other process stores: it is no step, for it finds the same whenever it is made. */
  isQuiet(access: Access | undefined, who: number): boolean {
    return (
      this.#trusts &&
      isAtomicLoad(access) &&
      indicesOf(access).every(index => (this.#writers.get(index) ?? who) === who)
    )
  }

  /** Remembers that such a load was made. */
  trust(access: Access, who: number): void {
    for (const index of indicesOf(access)) this.#trusted.set(index, (this.#trusted.get(index) ?? 0) | (1 << who))
  }

  stored(access: Access, who: number): void {
    for (const index of indicesOf(access)) {
      const writer = this.#writers.get(index)
      if (writer === who || writer === SEVERAL) continue
      this.#writers.set(index, writer === undefined ? who : SEVERAL)
      if (writer !== undefined) this.contended.push(index)
      const others = (this.#trusted.get(index) ?? 0) & ~(1 << who)
      if (writer !== undefined || others !== 0) this.learnt++
    }
  }
}

function indicesOf({ address, bytes }: Access): number[] {
  const first = indexOf(address)
  return bytes === 8 ? [first, first + 1] : [first]
}
