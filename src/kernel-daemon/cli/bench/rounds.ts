// rounds.ts: contenders take turns in fresh processes until enough of their trials can be compared.

import type { Placement, Trial } from "./row.ts"
import { placementOf, probeOf, steady } from "./statistics.ts"
import type { Run } from "./suite.ts"

export interface Contender {
  readonly name: string
  readonly run: () => Promise<Trial>
}

/** A trial of each contender, one after the other. */
export type Round = ReadonlyMap<string, Trial>

/** Two trials of one round and one placement. */
export interface Pair {
  readonly ours: Trial
  readonly theirs: Trial
}

/** Rounds beyond those that count, for when the host moves the processors. */
const SPARE_ROUNDS = 3

/**
 * @param ours   the first of them is the one that must be comparable
 * @param theirs may be empty
 * @throws {Error} a trial failed; the message says which
 */
export async function takeTurns(
  run: Run,
  title: string,
  ours: readonly [Contender, ...Contender[]],
  theirs: readonly Contender[],
): Promise<Round[]> {
  const rounds: Round[] = []
  const complete = (): number =>
    Math.min(
      ...(theirs.length === 0 ? ours : theirs).map(({ name }) => pairsOf(rounds, ours[0].name, name, run.quick).length),
    )
  while (complete() < run.pairs && rounds.length < run.pairs * SPARE_ROUNDS) {
    if (performance.now() >= run.deadlineMs && rounds.length > 0) break
    const round = new Map<string, Trial>()
    const order = [...ours, ...theirs]
    // Whoever comes first must not always be the same: the host may be warming up, or tiring.
    if (rounds.length % 2 === 1) order.reverse()
    for (const { name, run: measure } of order) {
      run.progress(`${title}: round ${rounds.length + 1}, ${name}`)
      const trial = await measure()
      run.tell(trial)
      round.set(name, trial)
    }
    rounds.push(round)
  }
  return rounds
}

/**
 * The pairs of two contenders in whichever placement there are most; the same one twice where nobody is beside us.
 * @param anyPlacement takes them all: nobody will judge by them
 */
export function pairsOf(rounds: readonly Round[], ours: string, theirs: string, anyPlacement: boolean): Pair[] {
  const byPlacement = new Map<Placement, Pair[]>()
  for (const round of rounds) {
    const pair = { ours: round.get(ours), theirs: round.get(theirs) }
    if (pair.ours === undefined || pair.theirs === undefined) continue
    if (!anyPlacement && !steady([pair.ours, pair.theirs])) continue
    const placement = anyPlacement
      ? "1"
      : placementOf(probeOf(Number.isNaN(probeOf(pair.ours)) ? pair.theirs : pair.ours))
    byPlacement.set(placement, [...(byPlacement.get(placement) ?? []), pair as Pair])
  }
  return [...byPlacement.values()].reduce((most, pairs) => (pairs.length > most.length ? pairs : most), [])
}
