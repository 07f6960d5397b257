// explore.ts: every schedule of a few processes, breadth first. A step is an atomic access or a futex call, with the plain
// accesses that follow it: where no plain access races, no other order of those shows anything new (decision 0024).

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

export interface Exploration {
  readonly name: string
  /** Different orders of the steps, all of which were covered. */
  readonly schedules: bigint
  readonly states: number
  /** Steps of the longest schedule. */
  readonly longest: number
  readonly complete: boolean
  readonly failure?: { readonly why: string; readonly schedule: readonly number[]; readonly trace: readonly string[] }
}

interface State {
  readonly points: readonly Point[]
  /** Who sleeps, on the words of its wait or in its event loop. */
  readonly asleep: readonly boolean[]
  readonly memory: Uint32Array
  /** What event-loop.ts says of each. */
  readonly bells: readonly number[]
  schedules: bigint
  readonly from: State | undefined
  readonly by: number
}

class Violation extends Error {}

const MAX_STATES = 4_000_000
/** Shared words, from SHARED_START on: each state has its own. */
const WORDS = 512
function indexOf(address: number): number {
  const index = (address - SHARED_START) / 4
  if (index >= WORDS) throw new Error(`The case needs more than ${WORDS} shared words: raise WORDS`)
  return index
}

/** Explores all of it, or until the first violation. `schedule`: only that one, with its trace. */
export function explore(module: WebAssembly.Module, explored: Case, schedule?: readonly number[]): Exploration {
  const explorer = new Explorer(module, explored)
  return schedule === undefined ? explorer.all() : explorer.one(schedule)
}

class Explorer {
  readonly #case: Case
  readonly #processes: readonly Process[]
  readonly #initial: State

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
    this.#initial = { points, asleep, memory, bells, schedules: 1n, from: undefined, by: -1 }
    points.forEach((_, who) => {
      this.#plain(this.#initial, points, who)
    })
  }

  all(): Exploration {
    let layer = new Map<string, State>([["", this.#initial]])
    let states = 0
    let schedules = 0n
    let longest = 0
    for (; layer.size > 0; longest++) {
      const next = new Map<string, State>()
      for (const state of layer.values()) {
        states++
        const who = this.#enabled(state)
        try {
          if (who.length === 0) schedules += this.#ended(state)
          this.#refuseLostWake(state)
          for (const by of who) this.#add(next, state, by)
        } catch (error) {
          return { ...this.#failed(state, error), states, longest }
        }
      }
      if (states > MAX_STATES) return { name: this.#case.name, schedules, states, longest, complete: false }
      layer = next
    }
    return { name: this.#case.name, schedules, states, longest: longest - 1, complete: true }
  }

  one(schedule: readonly number[]): Exploration {
    let state = this.#initial
    try {
      for (const by of schedule) state = this.#step(state, by)
      if (this.#enabled(state).length === 0) this.#ended(state)
      this.#refuseLostWake(state)
    } catch (error) {
      return { ...this.#failed(state, error), states: schedule.length, longest: schedule.length }
    }
    const trace = this.#trace(state)
    const failure = { why: "nothing is wrong with this schedule", schedule, trace }
    return { name: this.#case.name, schedules: 1n, states: schedule.length, longest: 0, complete: true, failure }
  }

  #add(next: Map<string, State>, state: State, by: number): void {
    const reached = this.#step(state, by)
    // Each word has one writer, so what is in memory follows from how far everybody is; not so the bells.
    const key = `${reached.points.map(({ id }, who) => (reached.asleep[who] ? `${id}z` : id)).join()};${reached.bells}`
    const known = next.get(key)
    if (known === undefined) next.set(key, reached)
    else known.schedules += state.schedules
  }

  #enabled({ points, asleep }: State): number[] {
    return points.flatMap(({ access }, who) => (access !== undefined && !asleep[who] ? [who] : []))
  }

  #step(state: State, by: number): State {
    const { access } = state.points[by] as Point
    const points = [...state.points]
    const asleep = [...state.asleep]
    const bells = [...state.bells]
    const reached = { points, asleep, memory: state.memory.slice(), bells, schedules: state.schedules, from: state, by }
    if (access === undefined || asleep[by]) throw new Violation("The schedule names a process that cannot go on")
    this.#refuseRace(state.points, by, [access])
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
    const result = access.kind === "wake" ? BigInt(woken.length) : perform(reached.memory, bells, access)
    // Who polls is awake from here on, and finds the bell when it goes on.
    if (access.kind === "ring" && isReady(bells[access.address] ?? 0)) {
      for (const [who, point] of points.entries()) if (hears(point, access.address)) asleep[who] = false
    }
    // That a wait ended because of a changed word, and not of a wake-up, is one step more for who looks: told apart.
    const process = this.#processes[by] as Process
    points[by] = process.after(points[by] as Point, access.kind === "wait" ? 1n : result)
    this.#plain(reached, points, by)
    for (const who of woken) {
      asleep[who] = false
      points[who] = (this.#processes[who] as Process).after(points[who] as Point, 0n)
      this.#plain(reached, points, who)
    }
    return reached
  }

  /** The plain accesses up to the next step. */
  #plain({ memory }: State, points: Point[], who: number): void {
    const process = this.#processes[who] as Process
    for (let point = points[who] as Point; point.access?.atomic === false; point = points[who] as Point) {
      this.#refuseRace(points, who, [point.access])
      points[who] = process.after(point, perform(memory, [], point.access))
    }
    const { error } = points[who] as Point
    if (error !== undefined) throw new Violation(`${process.program.name}: ${error.message}`)
  }

  /**
   * An access races with a plain one that another process made after its last step: since then that process has done
   * nothing that orders the two.
   */
  #refuseRace(points: readonly Point[], by: number, made: readonly Access[]): void {
    points.forEach((point, who) => {
      if (who === by) return
      for (const plain of plainBefore(point)) {
        const other = made.find(access => conflict(access, plain))
        if (other === undefined) continue
        const [first, second] = [this.#processes[by], this.#processes[who]].map(process => process?.program.name)
        throw new Violation(
          `race at ${this.#case.nameOf(other.address)}: ${first}'s ${other.kind} in ${other.operation}, ${second}'s plain ${plain.kind} in ${plain.operation}`,
        )
      }
    })
  }

  #ended(state: State): bigint {
    const sleepers = state.points.flatMap((_, who) => (state.asleep[who] ? [this.#sleeper(state, who)] : []))
    if (sleepers.length > 0) throw new Violation(`deadlock: ${sleepers.join("; ")}`)
    return state.schedules
  }

  /** Nobody may sleep while what it sleeps on has changed and nobody is left who is about to wake it. */
  #refuseLostWake(state: State): void {
    const isBusy = state.points.some(
      (point, who) => !state.asleep[who] && point.access !== undefined && !isAtRest(point),
    )
    if (isBusy) return
    state.points.forEach(({ access }, who) => {
      if (!state.asleep[who] || access === undefined || isUnchanged(state.memory, access)) return
      throw new Violation(`asleep while there is work: ${this.#sleeper(state, who)}`)
    })
  }

  #sleeper({ points }: State, who: number): string {
    const { access } = points[who] as Point
    const words = access?.words?.filter((_, at) => at % 2 === 0 && (access.words?.[at] ?? 0) >= SHARED_START) ?? []
    const on = access?.bells === undefined ? words.map(this.#case.nameOf).join(", ") : this.#where(access)
    return `${this.#processes[who]?.program.name} sleeps in ${access?.operation} on ${on}`
  }

  #where({ kind, address, bells }: Access): string {
    if (kind === "wait") return ""
    if (bells !== undefined) return `bells ${bells.join(" and ")}`
    return kind === "ring" || kind === "listen" ? `bell ${address}` : this.#case.nameOf(address)
  }

  #failed(state: State, error: unknown): Omit<Exploration, "states" | "longest"> {
    if (!(error instanceof Violation)) throw error
    const schedule: number[] = []
    for (let at = state; at.from !== undefined; at = at.from) schedule.unshift(at.by)
    const failure = { why: error.message, schedule, trace: this.#trace(state) }
    return { name: this.#case.name, schedules: 0n, complete: false, failure }
  }

  /** Everything that was accessed on the way to `state`, and what everybody would do next. */
  #trace(state: State): string[] {
    const path: State[] = []
    for (let at = state; at.from !== undefined; at = at.from) path.unshift(at)
    const lines: string[] = []
    for (const { from, by, points, asleep } of path) {
      const made: Point[] = []
      for (let at = points[by]; at !== undefined && at !== from?.points[by]; at = at.parent) made.unshift(at)
      if (asleep[by]) lines.push(this.#line(by, from?.points[by]?.access, "falls asleep"))
      for (const { parent, result } of made) lines.push(this.#line(by, parent?.access, `${result}`))
    }
    state.points.forEach(({ access }, who) => {
      if (access !== undefined) lines.push(this.#line(who, access, state.asleep[who] ? "asleep" : "next"))
    })
    return lines
  }

  #line(who: number, access: Access | undefined, result: string): string {
    const name = this.#processes[who]?.program.name ?? ""
    if (access === undefined) return `${name} ends`
    const how = access.kind === "wait" || access.atomic ? access.kind : `plain ${access.kind}`
    const where = this.#where(access)
    const value = access.kind === "store" ? access.value : result
    return `${name.padEnd(9)} ${access.operation.padEnd(9)} ${how.padEnd(12)} ${where} ${value}`
  }
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

/** A system call, which touches no shared memory. */
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

function isUnchanged(memory: Uint32Array, { words = [] }: Access): boolean {
  return words.every((address, at) => {
    // A private word is one that nobody changes.
    return at % 2 === 1 || address < SHARED_START || memory[indexOf(address)] === words[at + 1]
  })
}

function sleepersOn({ points, asleep }: State, address: number): number[] {
  return points.flatMap(({ access }, who) =>
    asleep[who] && access?.words?.some((word, at) => at % 2 === 0 && word === address) ? [who] : [],
  )
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
