// standstill.ts: looks from time to time whether components wait for each other and for nobody else, and says so unasked, once.

import type { Sights } from "./unmap-proof.ts"
import {
  callWaits,
  describeStandstill,
  describeWait,
  sleepingWaits,
  type Wait,
  waitingForEachOther,
} from "./wait-graph.ts"

/** From the last call of anybody to the first look, and between two looks of which the second confirms the first. */
const LOOK_MS = 2_000
/** Looks that find nothing become rarer up to this, while nobody calls. */
const SELDOM_MS = 64_000
/** With many components looks are rarer still: 0.5 % of a processor. */
const EACH_MS = 20

/**
 * A look is at one component in each turn of the event loop, so that nobody's call waits for more than that one. Two looks
 * that find the same components asleep on the same words with the same values tell that nothing has come meanwhile: each
 * message and signal changes the word that its receiver sleeps on.
 *
 * Not seen: who waits on an event loop, spins, or has a time-out of its own. It may go on by itself.
 * Cost: a timer, and about 100 us a component for each look.
 */
export class StandstillWatch {
  readonly #sights: Sights
  readonly #onStandstill: (lines: string[]) => void
  #delayMs = LOOK_MS
  #timer: NodeJS.Timeout | undefined
  #before = ""
  #told = ""

  /** `onStandstill` is given lines: each wait of those who stand still, and who they are. */
  constructor(sights: Sights, onStandstill: (lines: string[]) => void) {
    this.#sights = sights
    this.#onStandstill = onStandstill
    this.#lookLater()
  }

  /** Somebody has called: things may have changed. */
  note(): void {
    if (this.#delayMs === LOOK_MS) return
    this.#delayMs = LOOK_MS
    this.#lookLater()
  }

  #lookLater(): void {
    const { processes } = this.#sights
    const delayMs = Math.max(this.#delayMs, processes.size * EACH_MS)
    // One may be on its way already: a call came while we looked.
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#look([...processes.keys()], []), delayMs).unref()
  }

  #look(left: number[], waits: Wait[]): void {
    const component = left.shift()
    if (component === undefined) return this.#judge([...callWaits(this.#sights), ...waits])
    try {
      waits.push(...sleepingWaits(this.#sights, component))
    } catch {
      // Who cannot be looked at may be at work.
    }
    setImmediate(() => this.#look(left, waits))
  }

  #judge(waits: readonly Wait[]): void {
    const stuck = waitingForEachOther(waits)
    const seen = stuck.map(({ component, what, seen }) => `${component} ${what} ${seen}`).join("; ")
    if (seen !== "" && seen === this.#before && seen !== this.#told) {
      this.#told = seen
      this.#onStandstill([
        ...stuck.map(wait => describeWait(this.#sights, wait)),
        describeStandstill(this.#sights, stuck),
      ])
    }
    const isNew = seen !== "" && seen !== this.#before
    this.#before = seen
    this.#delayMs = isNew ? LOOK_MS : Math.min(2 * this.#delayMs, SELDOM_MS)
    this.#lookLater()
  }
}
