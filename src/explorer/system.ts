// system.ts: a few processes and the memory they share: what a step is, what must hold in every state, how a schedule reads.
// A step is an atomic access or a system call, with what follows it that no other order would show anew: plain accesses, which
// race with none, and loads of words that nobody else stores (decision 0024).

import { isReady } from "./event-loop.ts"
import { isSame, type Look, looksBefore, repeatedRound } from "./looks.ts"
import {
  conflict,
  isAtomicLoad,
  isCall,
  isInside,
  isUnchanged,
  perform,
  sharedWords,
  Violation,
  WORDS,
} from "./memory.ts"
import { type Access, type Point, Process, type Program } from "./process.ts"
import { StoredWords, type Writers } from "./writers.ts"

export interface Case {
  readonly name: string
  readonly programs: readonly Program[]
  /** Only schedules that switch so often at most away from a process that could go on: for what is too large otherwise. */
  readonly mostSwitches?: number
  /** Makes what is shared, before anybody attaches. */
  readonly create: Program
  /** A shared word by its address. */
  nameOf(address: number): string
}

export interface State {
  readonly points: readonly Point[]
  /** Who sleeps, on the words of its wait or in its event loop. */
  readonly asleep: readonly boolean[]
  /** Shared with the state before where the step stored nothing. Dropped when all steps from here were made. */
  memory: Uint32Array
  /** What event-loop.ts says of each. */
  readonly bells: readonly number[]
  schedules: bigint
  /** So far, away from processes that could have gone on. */
  switches: number
  readonly from: State | undefined
  readonly by: number
}

export interface Failure {
  readonly why: string
  /** Who made each step; and what was known of the writers, by which the steps are told. */
  readonly schedule: readonly number[]
  readonly writers?: Writers | undefined
  readonly trace: readonly string[]
}

const NOBODY = -1
export const DROPPED = new Uint32Array(0)

export class System {
  readonly #case: Case
  readonly #processes: readonly Process[]
  readonly #stored: StoredWords
  /** As the creator and the attaching left it. */
  readonly #memory = new Uint32Array(WORDS)
  readonly #attached: readonly Point[]
  /** What was wrong before anybody had made a step. */
  #atOnce: unknown
  #forgotten = 0

  /** @param known of the writers; undefined: every atomic access is a step */
  constructor(module: WebAssembly.Module, explored: Case, known: Writers | undefined) {
    this.#case = explored
    this.#stored = new StoredWords(known)
    const creator = new Process(module, explored.create)
    this.#processes = explored.programs.map(program => new Process(module, program))
    let created = creator.start
    while (created.access !== undefined) created = creator.after(created, perform(this.#memory, [], created.access))
    if (created.error !== undefined) throw created.error
    this.#attached = this.#processes.map(process => {
      let point = process.start
      while (point.access?.operations === 0) point = process.after(point, perform(this.#memory, [], point.access))
      return point
    })
  }

  /** The state in which all have attached: by what is known now, which decides how far the first steps go. */
  begin(): State {
    const points = [...this.#attached]
    const asleep = points.map(() => false)
    const hung = this.#case.programs.flatMap(({ bells = [] }) =>
      bells.flatMap(({ own, peers }) => [own ?? -1, peers ?? -1]),
    )
    const bells = Array<number>(Math.max(-1, ...hung) + 1).fill(0)
    const memory = this.#memory.slice()
    const initial = { points, asleep, memory, bells, schedules: 1n, switches: 0, from: undefined, by: NOBODY }
    this.#atOnce = undefined
    try {
      for (const who of points.keys()) this.#toNextStep(initial, points, who)
    } catch (error) {
      this.#atOnce = error
    }
    return initial
  }

  /** Changes when what was explored so far may have to be explored once more. */
  get learnt(): number {
    return this.#stored.learnt
  }

  /** Forgets what is known of the processes once it is more than `most` points. Of use then is only `begin()`. */
  forget(most: number): void {
    const points = this.#processes.reduce((sum, process) => sum + process.points, 0)
    if (points - this.#forgotten <= most) return
    this.#forgotten = points
    for (const { next } of this.#attached) next.clear()
  }

  /**
   * What tells this state from others. A word that one process stores follows from how far that one is; the others are part of
   * the key, and so are the bells.
   */
  keyOf({ points, asleep, memory, bells }: State): string {
    const key = points.map(({ id }, who) => (asleep[who] ? `${id}z` : id))
    return `${key};${bells};${this.#stored.contended.map(index => memory[index])}`
  }

  enabled(state: State): number[] {
    return state.points.flatMap(({ access }, who) => {
      const goesOn = access !== undefined && !state.asleep[who] && !this.#spins(state, who)
      return goesOn && !(access.kind === "watch" && isUnchanged(state.memory, access)) ? [who] : []
    })
  }

  /** The state behind the next step of `by`. @throws {Violation} */
  step(state: State, by: number): State {
    const { access } = state.points[by] as Point
    const points = [...state.points]
    const asleep = [...state.asleep]
    const bells = [...state.bells]
    // Each by its name: a spread takes a sixth of the whole exploration.
    const reached: State = {
      points,
      asleep,
      memory: state.memory,
      bells,
      schedules: state.schedules,
      switches: state.switches,
      from: state,
      by,
    }
    if (access === undefined || asleep[by]) throw new Violation("The schedule names a process that cannot go on")
    this.#refuseRace(state.points, by, access)
    if (access.kind === "wait" && isUnchanged(reached.memory, access)) {
      // The kernel compares and falls asleep in one step: who changes a word later finds this sleeper there.
      asleep[by] = true
      return reached
    }
    if (access.kind === "poll" && !access.bells?.some(bell => isReady(bells[bell] ?? 0))) {
      asleep[by] = true
      return reached
    }
    const woken = access.kind === "wake" ? sleepersOn(state, access.address) : []
    const result = access.kind === "wake" ? BigInt(woken.length) : this.#perform(reached, bells, access, by)
    // Who polls is awake from here on, and finds the bell when it goes on.
    if (access.kind === "ring" && isReady(bells[access.address] ?? 0)) {
      for (const [who, point] of points.entries()) if (hears(point, access.address)) asleep[who] = false
    }
    // That a wait ended because of a changed word, and not of a wake-up, is one step more for who looks: told apart.
    points[by] = this.#after(reached, points[by] as Point, by, access.kind === "wait" ? 1n : result)
    this.#toNextStep(reached, points, by)
    for (const who of woken) {
      asleep[who] = false
      points[who] = this.#after(reached, points[who] as Point, who, 0n)
      this.#toNextStep(reached, points, who)
    }
    return reached
  }

  /** What must hold in every state. @throws {Violation} */
  check(state: State, isEnded: boolean): void {
    if (state.from === undefined && this.#atOnce !== undefined) throw this.#atOnce
    if (isEnded) this.#refuseDeadlock(state)
    this.#refuseLostWake(state)
  }

  /**
   * @param by who made the step from `state` that failed, if it was a step
   * @throws the error, when it is no violation
   */
  failureIn(state: State, error: unknown, by: readonly number[] = []): Failure {
    if (!(error instanceof Violation)) throw error
    return this.outcome(state, error.message, by)
  }

  outcome(state: State, why: string, by: readonly number[] = []): Failure {
    const { writers } = this.#stored
    const schedule = [...pathTo(state).map(step => step.by), ...by]
    return { why, schedule, ...(writers === undefined ? {} : { writers }), trace: this.trace(state) }
  }

  /** Everything that was accessed on the way to `state`, and what everybody would do next. */
  trace(state: State): string[] {
    const lines: string[] = []
    for (const { from, by, points, asleep } of pathTo(state)) {
      const made: Point[] = []
      for (let at = points[by]; at !== undefined && at !== from?.points[by]; at = at.parent) made.unshift(at)
      if (asleep[by]) lines.push(this.#line(by, from?.points[by]?.access, "falls asleep"))
      for (const { parent, result } of made) lines.push(this.#line(by, parent?.access, `${result}`))
    }
    state.points.forEach(({ access }, who) => {
      if (access !== undefined) lines.push(this.#line(who, access, state.asleep[who] ? "asleep" : "next"))
    })
    // A spin is one line.
    return lines.filter((line, at) => line !== lines[at - 1])
  }

  /**
   * The point behind `point`. A round of looks that found what the round before it found may be repeated any number of times
   * before something else is done: once here, and all others with it in one step. Where a change comes in between two of
   * those, it comes before the second round or after the last.
   */
  #after(state: State, point: Point, who: number, result: bigint): Point {
    const process = this.#processes[who] as Process
    const { access } = point
    let round: readonly Look[] = []
    if (isAtomicLoad(access) && process.program.neverSleeps !== true)
      round = repeatedRound([{ access, result }, ...looksBefore(point, look => this.#isQuiet(look, who))])
    // What was looked at first may have changed since.
    if (!round.every(look => perform(state.memory, [], look.access) === look.result)) round = []
    const foresee = this.#foresight(state, who, round)
    let next = process.after(point, result, this.#foresightWithPlain(state, who, round))
    for (let found = foresee(next.access); found !== undefined; found = foresee(next.access))
      next = process.after(next, found)
    return next
  }

  /** What the loads return that are no steps of their own: those of words that nobody else stores, and those of further rounds. */
  #foresight(state: State, who: number, round: readonly Look[]): (access: Access | undefined) => bigint | undefined {
    let at = round.length
    return access => {
      if (access === undefined) return undefined
      if (this.#isQuiet(access, who)) {
        this.#stored.trust(access, who)
        return perform(state.memory, [], access)
      }
      const look = round[at - 1]
      if (!isAtomicLoad(access) || access.address !== look?.access.address) return undefined
      at = at === 1 ? round.length : at - 1
      return look.result
    }
  }

  /**
   * The same and, up to the next step, what the plain accesses will come to when they are made: nobody else does anything before.
   * Whether they race is seen when they are made; the process has gone on by then.
   */
  #foresightWithPlain(state: State, who: number, round: readonly Look[]): (access: Access) => bigint | undefined {
    const foresee = this.#foresight(state, who, round)
    let ahead: Uint32Array | undefined
    return access => {
      if (access.atomic && ahead === undefined) return foresee(access)
      // One that cannot be made is the process's next: it fails there, and not in the midst of the code that asks for it.
      if (!this.#isNoStep(access, who) || !isInside(access.address)) return undefined
      if (access.kind === "store") ahead ??= state.memory.slice()
      return perform(ahead ?? state.memory, [], access)
    }
  }

  /** Whoever never sleeps may look for ever: then each look is a step. */
  #isQuiet(access: Access | undefined, who: number): boolean {
    return this.#processes[who]?.program.neverSleeps !== true && this.#stored.isQuiet(access, who)
  }

  /** Whether a process that never sleeps would only find once more what it has found. */
  #spins({ points, memory }: State, who: number): boolean {
    const point = points[who] as Point
    const { access } = point
    if (this.#processes[who]?.program.neverSleeps !== true || !isAtomicLoad(access)) return false
    // After the one look that tells of a change there is one more, which reads what has come.
    const now = { access, result: perform(memory, [], access) }
    const [last, before] = looksBefore(point, () => false)
    return isSame(now, last) && isSame(now, before)
  }

  #perform(state: State, bells: number[], access: Access, by: number): bigint {
    if (access.kind === "load" || isCall(access)) return perform(state.memory, bells, access)
    if (state.memory === state.from?.memory) state.memory = state.memory.slice()
    this.#stored.stored(access, by)
    return perform(state.memory, bells, access)
  }

  /** What belongs to the step before: up to the next one. */
  #toNextStep(state: State, points: Point[], who: number): void {
    const process = this.#processes[who] as Process
    for (let { access } = points[who] as Point; access !== undefined; access = points[who]?.access) {
      if (!this.#isNoStep(access, who)) break
      if (access.atomic) this.#stored.trust(access, who)
      else this.#refuseRace(points, who, access)
      const result = this.#perform(state, [], access, who)
      points[who] = process.after(points[who] as Point, result, this.#foresightWithPlain(state, who, []))
    }
    const { error } = points[who] as Point
    if (error !== undefined) throw new Violation(`${process.program.name}: ${error.message}`)
  }

  #isNoStep(access: Access | undefined, who: number): boolean {
    return access?.atomic === false || this.#isQuiet(access, who)
  }

  /**
   * An access races with a plain one that another process made after its last step: since then that process has done
   * nothing that orders the two.
   */
  #refuseRace(points: readonly Point[], by: number, made: Access): void {
    points.forEach((point, who) => {
      if (who === by) return
      const plain = this.#plainBefore(point, who).find(access => conflict(made, access))
      if (plain === undefined) return
      const [first, second] = [this.#processes[by], this.#processes[who]].map(process => process?.program.name)
      throw new Violation(
        `race at ${this.#case.nameOf(made.address)}: ${first}'s ${made.kind} in ${made.operation}, ${second}'s plain ${plain.kind} in ${plain.operation}`,
      )
    })
  }

  #plainBefore(point: Point, who: number): Access[] {
    const made: Access[] = []
    for (let at = point.parent; this.#isNoStep(at?.access, who); at = at?.parent) {
      if (at?.access?.atomic === false) made.push(at.access)
    }
    return made
  }

  /** Between two operations: its next step is the first of one. */
  #isAtRest({ access, parent }: Point, who: number): boolean {
    let before = parent
    while (this.#isNoStep(before?.access, who) && before?.access?.operations === access?.operations)
      before = before?.parent
    return before?.access?.operations !== access?.operations
  }

  #refuseDeadlock(state: State): void {
    const left = state.points.flatMap(({ access }, who) => (access === undefined ? [] : [this.#waiter(state, who)]))
    if (left.length > 0) throw new Violation(`deadlock: ${left.join("; ")}`)
  }

  /** Nobody may sleep while what it sleeps on has changed and nobody is left who is about to wake it. */
  #refuseLostWake(state: State): void {
    const isBusy = state.points.some(
      (point, who) => !state.asleep[who] && point.access !== undefined && !this.#isAtRest(point, who),
    )
    if (isBusy) return
    state.points.forEach(({ access }, who) => {
      if (!state.asleep[who] || access === undefined || isUnchanged(state.memory, access)) return
      throw new Violation(`asleep while there is work: ${this.#waiter(state, who)}`)
    })
  }

  #waiter({ points, asleep }: State, who: number): string {
    const { access } = points[who] as Point
    const how = asleep[who] ? "sleeps" : "spins"
    const on =
      access?.words !== undefined
        ? sharedWords(access).map(this.#case.nameOf).join(", ")
        : this.#where(access as Access)
    return `${this.#processes[who]?.program.name} ${how} in ${access?.operation} on ${on}`
  }

  #where({ kind, address, bells }: Access): string {
    if (kind === "wait") return ""
    if (bells !== undefined) return `bells ${bells.join(" and ")}`
    return kind === "ring" || kind === "listen" ? `bell ${address}` : this.#case.nameOf(address)
  }

  #line(who: number, access: Access | undefined, result: string): string {
    const name = this.#processes[who]?.program.name ?? ""
    if (access === undefined) return `${name} ends`
    const how = access.kind === "wait" || access.atomic ? access.kind : `plain ${access.kind}`
    const value = access.kind === "store" ? access.value : result
    return `${name.padEnd(9)} ${access.operation.padEnd(9)} ${how.padEnd(12)} ${this.#where(access)} ${value}`
  }
}

function hears({ access }: Point, bell: number): boolean {
  return access?.kind === "poll" && access.bells?.includes(bell) === true
}

function pathTo(state: State): State[] {
  const path: State[] = []
  for (let at = state; at.from !== undefined; at = at.from) path.unshift(at)
  return path
}

function sleepersOn({ points, asleep }: State, address: number): number[] {
  return points.flatMap(({ access }, who) => (asleep[who] && sharedWords(access).includes(address) ? [who] : []))
}
