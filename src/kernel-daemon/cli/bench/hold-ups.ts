// hold-ups.ts: what others take of the processors, the host of a virtual machine among them: loops that do nothing but look at
// the clock, one on each. Nothing measured beside it can be quicker than its longest pause.

import { native } from "../../../../native/index.ts"
import { measureInPart } from "./caps-suite-part.ts"

export interface HoldUps {
  /** The part of the time that the loop that lost most did not run, 0 to 1. */
  readonly share: number
  /** The longest pause of any of them, ms. */
  readonly longestMs: number
}

/** A host that gives less than whole processors mostly takes its part within each 0.1 s. */
const WATCH_MS = 1_000
/** A look at the clock takes a thousandth of it; an interrupt is shorter too. */
const PAUSE_MS = 0.05

/** Cost: 1.1 s in which `cpus`, one or two, are busy. */
export async function holdUps(cpus: readonly number[]): Promise<HoldUps> {
  const watched = [...new Set(cpus)].map(cpu => measureInPart<HoldUps>("hold-ups", [cpu, WATCH_MS]))
  return worstOf(await Promise.all(watched))
}

/** @param seen at least one */
export function worstOf(seen: readonly HoldUps[]): HoldUps {
  return {
    share: Math.max(...seen.map(({ share }) => share)),
    longestMs: Math.max(...seen.map(({ longestMs }) => longestMs)),
  }
}

/** The body of one loop's process. */
export function watchHoldUps(cpu: number, ms: number): HoldUps {
  native.setAffinity([cpu])
  const start = performance.now()
  let last = start
  let lost = 0
  let longestMs = 0
  while (last < start + ms) {
    const now = performance.now()
    const pause = now - last
    last = now
    if (pause > longestMs) longestMs = pause
    if (pause > PAUSE_MS) lost += pause
  }
  return { share: lost / (last - start), longestMs }
}

/** For people. */
export function tellHoldUps({ share, longestMs }: HoldUps): string {
  return `others take ${(share * 100).toFixed(0)} % of busy processors, up to ${longestMs.toFixed(1)} ms at a time`
}
