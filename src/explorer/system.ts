// system.ts: a few processes and the memory they share: what a step is, what must hold in every state, how a schedule reads.
// A step is an atomic access or a system call, with the plain accesses that follow it: where no plain access races, no other
// order of those shows anything new (decision 0024).

import { collected, isReady, listenedTo, rung } from "./event-loop.ts"
import { SHARED_START } from "./instrument.ts"
import { type Access, type Point, Process, type Program } from "./process.ts"

export interface Case {
  readonly name: string
  readonly programs: readonly Program[]
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
  readonly from: State | undefined
  readonly by: number
}

export interface Failure {
  readonly why: string
  readonly schedule: readonly number[]
  readonly trace: readonly string[]
}

/** Something that must not be, in the case and not in the explorer. */
export class Violation extends Error {}

/** Shared words, from SHARED_START on: each state has its own. */
const WORDS = 512
const NOBODY = -1
export const DROPPED = new Uint32Array(0)

export class System {
  readonly initial: State
  /** Indices of the words that more than one process stores. Grows while they are found. */
  readonly contended = new Set<number>()
  readonly #case: Case
  readonly #processes: readonly Process[]
  /** Who stores each word. */
  readonly #writers = new Int8Array(WORDS).fill(NOBODY)
  #forgotten = 0

  constructor(module: WebAssembly.Module, explored: Case) {
    this.#case = explored
    const creator = new Process(module, explored.create)
    this.#processes = explored.programs.map(program => new Process(module, program))
    const memory = new Uint32Array(WORDS)
    let created = creator.start
    while (created.access !== undefined) created = creator.after(created, perform(memory, [], created.access))
    if (created.error !== undefined) throw created.error
    const points = this.#processes.map(process => {
      let point = process.start
      while (point.access?.operations === 0) point = process.after(point, perform(memory, [], point.access))
      return point
    })
    const asleep = points.map(() => false)
    const hung = explored.programs.flatMap(({ bells = [] }) =>
      bells.flatMap(({ own, peers }) => [own ?? -1, peers ?? -1]),
    )
    const bells = Array<number>(Math.max(-1, ...hung) + 1).fill(0)
    this.initial = { points, asleep, memory, bells, schedules: 1n, from: undefined, by: NOBODY }
    points.forEach((_, who) => {
      this.#plain(this.initial, points, who)
    })
  }

  /** Forgets what is known of the processes once it is more than `most` points. Of use then is only `initial`. */
  forget(most: number): void {
    const points = this.#processes.reduce((sum, process) => sum + process.points, 0)
    if (points - this.#forgotten <= most) return
    this.#forgotten = points
    for (const { next } of this.initial.points) next.clear()
  }

  /**
   * What tells this state from others. A word that one process stores follows from how far that one is; the others are part of
   * the key, and so are the bells.
   */
  keyOf({ points, asleep, memory, bells }: State): string {
    const key = points.map(({ id }, who) => (asleep[who] ? `${id}z` : id))
    return `${key};${bells};${[...this.contended].map(index => memory[index])}`
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
    const reached: State = { points, asleep, memory: state.memory, bells, schedules: state.schedules, from: state, by }
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
    points[by] = this.#after(points[by] as Point, by, access.kind === "wait" ? 1n : result)
    this.#plain(reached, points, by)
    for (const who of woken) {
      asleep[who] = false
      points[who] = this.#after(points[who] as Point, who, 0n)
      this.#plain(reached, points, who)
    }
    return reached
  }

  /** What must hold in every state. @throws {Violation} */
  check(state: State, isEnded: boolean): void {
    if (isEnded) this.#refuseDeadlock(state)
    this.#refuseLostWake(state)
  }

  /**
   * @param by who made the step from `state` that failed, if it was a step
   * @throws the error, when it is no violation
   */
  failureIn(state: State, error: unknown, by: readonly number[] = []): Failure {
    if (!(error instanceof Violation)) throw error
    return { why: error.message, schedule: [...pathTo(state).map(step => step.by), ...by], trace: this.trace(state) }
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
   * The point behind `point`. A look that found what the look before it found may be repeated any number of times before
   * something else is done: once here, and all others with it in one step. Where a change comes in between two of those, it
   * comes before the second look or after the last.
   */
  #after(point: Point, who: number, result: bigint): Point {
    const process = this.#processes[who] as Process
    let next = process.after(point, result)
    if (process.program.neverSleeps === true || !looksAgain(point) || point.result !== result) return next
    while (looksAgain(next)) next = process.after(next, result)
    return next
  }

  /** Whether a process that never sleeps would only find once more what it has found. */
  #spins({ points, memory }: State, who: number): boolean {
    const point = points[who] as Point
    if (this.#processes[who]?.program.neverSleeps !== true || !looksAgain(point)) return false
    // After the one look that tells of a change there is one more, which reads what has come.
    const before = point.parent as Point
    const isStuck = looksAgain(before) && before.result === point.result
    return isStuck && perform(memory, [], point.access as Access) === point.result
  }

  #perform(state: State, bells: number[], access: Access, by: number): bigint {
    if (access.kind === "load" || isCall(access)) return perform(state.memory, bells, access)
    if (state.memory === state.from?.memory) state.memory = state.memory.slice()
    for (let index = indexOf(access.address); index < indexOf(access.address) + access.bytes / 4; index++) {
      if (this.#writers[index] === NOBODY) this.#writers[index] = by
      else if (this.#writers[index] !== by) this.contended.add(index)
    }
    return perform(state.memory, bells, access)
  }

  /** The plain accesses up to the next step. */
  #plain(state: State, points: Point[], who: number): void {
    const process = this.#processes[who] as Process
    for (let point = points[who] as Point; point.access?.atomic === false; point = points[who] as Point) {
      this.#refuseRace(points, who, point.access)
      points[who] = process.after(point, this.#perform(state, [], point.access, who))
    }
    const { error } = points[who] as Point
    if (error !== undefined) throw new Violation(`${process.program.name}: ${error.message}`)
  }

  /**
   * An access races with a plain one that another process made after its last step: since then that process has done
   * nothing that orders the two.
   */
  #refuseRace(points: readonly Point[], by: number, made: Access): void {
    points.forEach((point, who) => {
      if (who === by) return
      const plain = plainBefore(point).find(access => conflict(made, access))
      if (plain === undefined) return
      const [first, second] = [this.#processes[by], this.#processes[who]].map(process => process?.program.name)
      throw new Violation(
        `race at ${this.#case.nameOf(made.address)}: ${first}'s ${made.kind} in ${made.operation}, ${second}'s plain ${plain.kind} in ${plain.operation}`,
      )
    })
  }

  #refuseDeadlock(state: State): void {
    const left = state.points.flatMap(({ access }, who) => (access === undefined ? [] : [this.#waiter(state, who)]))
    if (left.length > 0) throw new Violation(`deadlock: ${left.join("; ")}`)
  }

  /** Nobody may sleep while what it sleeps on has changed and nobody is left who is about to wake it. */
  #refuseLostWake(state: State): void {
    const isBusy = state.points.some(
      (point, who) => !state.asleep[who] && point.access !== undefined && !isAtRest(point),
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

function indexOf(address: number): number {
  const index = (address - SHARED_START) / 4
  if (Number.isInteger(index) && index < WORDS) return index
  throw new Violation(`an access at ${address}, which is none of the ${WORDS} shared words`)
}

function perform(memory: Uint32Array, bells: number[], access: Access): bigint {
  const { kind, address, bytes, value = 0n, expected } = access
  if (isCall(access)) return performCall(bells, access)
  const index = indexOf(address)
  const [low = 0, high = 0] = memory.subarray(index, index + 2)
  const found = bytes === 8 ? (BigInt(high) << 32n) | BigInt(low) : BigInt(low)
  if (kind === "load" || (kind === "compareExchange" && found !== expected)) return found
  memory[index] = Number(value & 0xffff_ffffn)
  if (bytes === 8) memory[index + 1] = Number(value >> 32n)
  return kind === "store" ? 0n : found
}

/** A system call, which touches no shared memory; or a case's watch of words, which has no result. */
function isCall({ kind }: Access): boolean {
  return !["load", "store", "exchange", "compareExchange"].includes(kind)
}

function performCall(bells: number[], { kind, address, bells: heard = [] }: Access): bigint {
  if (kind === "ring") bells[address] = rung(bells[address] ?? 0)
  if (kind === "listen") bells[address] = listenedTo(bells[address] ?? 0)
  if (kind !== "collect") return 0n
  const ready = heard.filter(bell => isReady(bells[bell] ?? 0))
  for (const bell of ready) bells[bell] = collected(bells[bell] ?? 0)
  return ready.reduce((set, bell) => set | (1n << BigInt(bell)), 0n)
}

function hears({ access }: Point, bell: number): boolean {
  return access?.kind === "poll" && access.bells?.includes(bell) === true
}

function pathTo(state: State): State[] {
  const path: State[] = []
  for (let at = state; at.from !== undefined; at = at.from) path.unshift(at)
  return path
}

/** Shared words that a wait sleeps on. A private one is one that nobody changes. */
function sharedWords(access: Access | undefined): number[] {
  return access?.words?.filter((address, at) => at % 2 === 0 && address >= SHARED_START) ?? []
}

function isUnchanged(memory: Uint32Array, { words = [] }: Access): boolean {
  return words.every((address, at) => {
    return at % 2 === 1 || address < SHARED_START || memory[indexOf(address)] === words[at + 1]
  })
}

function sleepersOn({ points, asleep }: State, address: number): number[] {
  return points.flatMap(({ access }, who) => (asleep[who] && sharedWords(access).includes(address) ? [who] : []))
}

/** Whether the next step looks at what the last one looked at. */
function looksAgain({ access, parent }: Point): boolean {
  const last = parent?.access
  return access?.kind === "load" && access.atomic && last?.kind === "load" && last.address === access.address
}

function plainBefore(point: Point): Access[] {
  const made: Access[] = []
  for (let at = point.parent; at?.access?.atomic === false; at = at.parent) made.push(at.access)
  return made
}

/** Between two operations: its next step is the first of one. */
function isAtRest({ access, parent }: Point): boolean {
  let before = parent
  while (before?.access?.atomic === false && before.access.operations === access?.operations) before = before.parent
  return before?.access?.operations !== access?.operations
}

function conflict(a: Access, b: Access): boolean {
  if (isCall(a) || (a.kind === "load" && b.kind === "load")) return false
  return a.address < b.address + b.bytes && b.address < a.address + a.bytes
}
