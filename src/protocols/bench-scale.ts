// bench-scale.ts: what `bench scale`, its root task and its nodes tell each other. Plain data; imports nothing.

/** Positions in the arguments of bench-scale, the root task. */
export const BenchScaleArg = { components: 0, rounds: 1 } as const
/** Positions in the arguments of bench-scale-node. */
export const ScaleNodeArg = { number: 0, components: 1, rounds: 2 } as const

/** Where a node's channel ends stand, two slots each, and the frame on which it says how far it is. */
export const ScaleSlot = { board: 100, out: [102, 104], in: [106, 108] } as const
/** A node sends to the nodes that follow it by so many. */
export const SCALE_STEPS = [1, 2] as const
/**
 * Messages that a node sends on each of its channels before it receives as many on each: what it does each time that it has
 * a processor. By it the processors are full with messages, or with changes of process, which cost more the more processes
 * there are: beside 10 components a message among 200 took 2 to 5 times as long with 32, 1.3 to 1.6 with 64, 1.0 with 128.
 */
export const SCALE_BATCH = 128
export const SCALE_SLOT_BYTES = 64

/** A node's line on the board: words of 8 bytes, which it alone writes. `done` comes last. */
export const SCALE_LINE_WORDS = 8
export const ScaleWord = { begunNs: 0, endedNs: 1, checked: 2, done: 3 } as const

export interface ScaleReport {
  /** Messages of which every word was checked. */
  readonly checked: number
  /**
   * Median over the nodes of the time for their rounds, and the messages of all in as many: distant nodes may be many
   * rounds apart, so the time from the first one's begin to the last one's end would count the start as well.
   */
  readonly elapsedNs: number
  readonly messages: number
}
