// explore.ts: every schedule of a few processes, breadth first; or as many random ones as are asked for.

import { Violation } from "./memory.ts"
import { Random } from "./random.ts"
import { type Case, DROPPED, type Failure, type State, System } from "./system.ts"

export type { Case } from "./system.ts"

export interface Exploration {
  readonly name: string
  /** Different orders of the steps, all of which were covered. */
  readonly schedules: bigint
  readonly states: number
  /** Steps of the longest schedule. */
  readonly longest: number
  readonly complete: boolean
  /** Where only schedules of so many switches were explored. */
  readonly mostSwitches?: number
  readonly failure?: Failure
}

export interface Sample {
  readonly name: string
  readonly runs: number
  readonly steps: number
  readonly failure?: Failure
}

const MAX_STATES = 4_000_000
/** Steps of one random schedule after which it is said to have no end. */
const MAX_STEPS = 20_000
/** Histories of a process that are kept from one random schedule to the next. */
const KEPT_POINTS = 200_000
/** How likely it is that the same process goes on: one for each schedule, so that some switch often and some hardly. */
const STAYS = [0, 0.5, 0.9, 0.98]

export interface Bounds {
  /** States after which it is given up, by default 4,000,000. */
  readonly mostStates?: number
  /** Steps of a schedule after which it is given up, by default none. */
  readonly mostSteps?: number
  /** Called whenever one step more was made from every state. */
  readonly onLayer?: () => void
}

/** Explores all of it, or until the first violation. */
export function explore(module: WebAssembly.Module, explored: Case, bounds: Bounds = {}): Exploration {
  const system = new System(module, explored, {})
  let outcome = pass(system, explored, bounds)
  while (outcome === undefined) outcome = pass(system, explored, bounds)
  return outcome
}

/** @returns undefined when it turned out that other accesses are steps, or that states must be told apart by more */
function pass(
  system: System,
  { name, mostSwitches }: Case,
  { mostStates = MAX_STATES, mostSteps = Number.POSITIVE_INFINITY, onLayer }: Bounds,
): Exploration | undefined {
  const { learnt } = system
  let layer = new Map<string, State>([["", system.begin()]])
  let states = 0
  let schedules = 0n
  let longest = 0
  for (; layer.size > 0; longest++) {
    const next = new Map<string, State>()
    for (const state of layer.values()) {
      states++
      const enabled = system.enabled(state)
      const failure = checkAll(system, state, enabled, next, mostSwitches)
      if (system.learnt > learnt) return undefined
      if (failure !== undefined) return { name, schedules: 0n, states, longest, complete: false, failure }
      if (enabled.length === 0) schedules += state.schedules
      state.memory = DROPPED
    }
    if (states > mostStates || longest >= mostSteps) return { name, schedules, states, longest, complete: false }
    layer = next
    onLayer?.()
  }
  const counts = { name, schedules, states, longest: longest - 1 }
  return mostSwitches === undefined ? { ...counts, complete: true } : { ...counts, complete: false, mostSwitches }
}

/** Checks the state, and adds all those that are a step behind it. */
function checkAll(
  system: System,
  state: State,
  enabled: readonly number[],
  next: Map<string, State>,
  mostSwitches: number | undefined,
): Failure | undefined {
  const made: number[] = []
  try {
    system.check(state, enabled.length === 0)
    for (const by of enabled) {
      made[0] = by
      const switches = state.switches + (by !== state.by && enabled.includes(state.by) ? 1 : 0)
      if (switches > (mostSwitches ?? switches)) continue
      const reached = system.step(state, by)
      reached.switches = switches
      const key = system.keyOf(reached)
      add(next, reached, mostSwitches === undefined ? key : `${key};${by},${switches}`)
    }
  } catch (error) {
    return system.failureIn(state, error, made)
  }
}

function add(next: Map<string, State>, reached: State, key: string): void {
  const known = next.get(key)
  if (known === undefined) next.set(key, reached)
  else known.schedules += reached.schedules
}

/** One schedule, as a failure gives it, with its trace. */
export function replay(
  module: WebAssembly.Module,
  explored: Case,
  { schedule, writers }: Pick<Failure, "schedule" | "writers">,
): Failure {
  const system = new System(module, explored, writers)
  let state = system.begin()
  const made: number[] = []
  try {
    for (const by of schedule) {
      made[0] = by
      state = system.step(state, by)
    }
    made.length = 0
    system.check(state, system.enabled(state).length === 0)
  } catch (error) {
    return system.failureIn(state, error, made)
  }
  return system.outcome(state, "nothing is wrong with this schedule")
}

/**
 * Random schedules, until the first violation. The same seed gives the same ones.
 * @param runs how many, 1 or more
 */
export function sample(module: WebAssembly.Module, explored: Case, seed: number, runs: number): Sample {
  const { name } = explored
  const system = new System(module, explored, undefined)
  const random = new Random(seed)
  let steps = 0
  for (let run = 1; run <= runs; run++) {
    system.forget(KEPT_POINTS)
    const { state, failure } = runOnce(system, random)
    for (let at: State | undefined = state; at.from !== undefined; at = at.from) steps++
    if (failure !== undefined) return { name, runs: run, steps, failure }
  }
  return { name, runs, steps }
}

function runOnce(system: System, random: Random): { state: State; failure?: Failure } {
  const stays = STAYS[random.below(STAYS.length)] as number
  let state = system.begin()
  const made: number[] = []
  try {
    for (let left = MAX_STEPS; ; left--) {
      const enabled = system.enabled(state)
      made.length = 0
      system.check(state, enabled.length === 0)
      if (enabled.length === 0) return { state }
      if (left === 0) throw new Violation(`no end within ${MAX_STEPS} steps`)
      const goesOn = enabled.includes(state.by) && random.fraction() < stays
      made[0] = goesOn ? state.by : (enabled[random.below(enabled.length)] as number)
      state = system.step(state, made[0])
    }
  } catch (error) {
    return { state, failure: system.failureIn(state, error, made) }
  }
}
