// probe.ts: the bare cache-line round trip between the two processes, which says what the host allows just now.

import { tsc, type VSpace } from "../runtime/index.ts"
import { PROBE_BLOCKS, PROBE_ROUNDS } from "./latency-steps.ts"

/**
 * Plays the probe; both sides must call it. The leader gets the median round trip in time stamp counter cycles.
 * @returns 0 for the follower
 * @throws {Error} the other side is missing
 */
export function probeCycles(vspace: VSpace, leaderWord: number, followerWord: number, leader: boolean): number {
  const blocks: number[] = []
  for (let block = 0; block < PROBE_BLOCKS; block++) {
    const begun = tsc()
    if (vspace.hot.bounce(leaderWord, followerWord, PROBE_ROUNDS, leader ? 1 : 0) !== PROBE_ROUNDS) {
      throw new Error("Cache-line probe: the other side does not answer")
    }
    blocks.push((tsc() - begun) / PROBE_ROUNDS)
  }
  blocks.sort((a, b) => a - b)
  return leader ? (blocks[PROBE_BLOCKS >> 1] ?? 0) : 0
}

/** Median cost of the time stamp itself: two stamps with nothing between them. */
export function timerCycles(): number {
  const samples = new Float64Array(10_000)
  for (let index = 0; index < samples.length; index++) {
    const begun = tsc()
    samples[index] = tsc() - begun
  }
  samples.sort()
  return samples[samples.length >> 1] ?? 0
}
