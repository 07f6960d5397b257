// suite.ts: what every suite is given, and what it is.

import type { Row } from "./row.ts"

export interface Run {
  /** Pairs of fresh processes that each figure rests on. */
  readonly pairs: number
  /** One pair, a fiftieth of the samples, no verdicts: it shows that everything runs. */
  readonly quick: boolean
  readonly cpus: readonly [number, number]
  readonly tell: (row: Row) => void
  readonly progress: (text: string) => void
  /** By `performance.now()`: no new trial begins after that. */
  readonly deadlineMs: number
}

export type Suite = (run: Run) => Promise<void>

/** @returns as many samples as the run wants, at least one */
export function samplesFor({ quick }: Run, samples: number): number {
  return quick ? Math.ceil(samples / 50) : samples
}
