// merge-options.ts: what a merge is made of, and what it tells of its producers.

import { RingError } from "../errors.ts"
import type { RingFrames } from "../ring-place.ts"
import type { EndOptions, Interruption, WaitStrategy } from "../wait.ts"
import { MAX_MERGED } from "./words.ts"

/** One producer's ring as it is mapped here, and what an end of it is given; a merge waits in its own way. */
export interface MergeSource extends Omit<EndOptions, "wait"> {
  /** The producer's part readable, the consumer's writable. */
  readonly frames: RingFrames
}

export interface MergeOptions {
  /** Messages that one producer may deliver in a row while others wait: 1 to 65,536, by default 16. */
  readonly budget?: number
  readonly wait?: WaitStrategy
}

/** What is known of a producer. After "misbehaved" and "page-fault" its ring is never looked at again. */
export type ProducerState = "live" | Interruption | "misbehaved" | "page-fault"

/** How much has come from whom. */
export interface MergeStats {
  readonly received: number
  readonly producers: readonly { readonly state: ProducerState; readonly received: number }[]
}

/** What a merge's stream gives: a message, a copy, and the position of its producer. */
export interface MergedMessage {
  readonly source: number
  readonly message: Uint8Array
}

/** A producer has gone: `source` says which, `state` why. Said once for each, after its last message. */
export type Departure = "producer-gone"

const DEFAULT_BUDGET = 16
const MAX_BUDGET = 65_536

/** @returns the budget @throws {RingError} RangeError, InvalidArgument: as MergeConsumer */
export function checkMerge(sources: readonly MergeSource[], options: MergeOptions): number {
  const { budget = DEFAULT_BUDGET } = options
  if (sources.length < 1 || sources.length > MAX_MERGED) {
    throw new RingError(
      "RangeError",
      `producers are ${sources.length}, which must be 1 to ${MAX_MERGED}: a thread sleeps on 128 words, three for each; merge in two steps`,
    )
  }
  if (!Number.isInteger(budget) || budget < 1 || budget > MAX_BUDGET) {
    throw new RingError("InvalidArgument", `budget is ${budget}, which must be an integer, 1 to ${MAX_BUDGET}`)
  }
  return budget
}
