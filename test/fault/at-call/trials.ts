// trials.ts: a component is killed, or stopped, right before and right after each system call of mapping, unmapping,
// revoking and spawning; and what the others then see is judged.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { HEIRS_MESSAGE, NAMES, OPERATIONS, type Operation } from "../../fixtures/components/call-end/operations.ts"
import { root } from "../../helpers/system.ts"
import type { Halt, Halted } from "../resources/plan-file.ts"
import { type AnyRound, Running, Workshop } from "../resources/running.ts"
import { Symbols } from "../resources/symbols.ts"

export const HOW = ["SIGKILL", "SIGSTOP"] as const
export type How = (typeof HOW)[number]

interface End {
  readonly report?: unknown
  readonly detail: string
}

/** What call-root prints. */
interface Seen extends AnyRound {
  readonly answer: string
  readonly victim: End
  readonly endedNs: string
  readonly heir: End
  readonly survivor: End & { readonly report: { readonly values: readonly number[]; readonly toldNs: string } }
}

/** One row of the matrix. */
export interface Row {
  readonly operation: Operation
  readonly how: How
  /** The `k`th call of that role and whether before it or after it. */
  readonly step: string
  /** Whose call: the victim's main thread or its mapper, the launcher, or "cloned", which is not the launcher yet. */
  readonly where: string
  /** In words; "ok: ..." or what is wrong. */
  readonly outcome: string
  /** From the victim's death to its peer's notice; 0 where none was needed. */
  readonly toldMs: number
  readonly lost: number
  readonly duplicates: number
  /** Differences between what the system held before and after. */
  readonly leftovers: number
}

/** Whose calls they are: the component's own, its mapper's; before it is the component, the daemon's and the launcher's. */
const MAIN = { role: "call-victim", thread: "main", name: "main thread" } as const
const MAPPER = { role: "call-victim", thread: "other", name: "mapper" } as const
const WHOSE = {
  caller: [MAIN, MAPPER],
  target: [MAIN, MAPPER],
  child: [
    { role: "cloned", thread: "any", name: "cloned" },
    { role: "launcher", thread: "any", name: "launcher" },
    MAIN,
    MAPPER,
  ],
} as const
type Whose = (typeof WHOSE)[keyof typeof WHOSE][number]

/** Rounds without a fault until what a system holds is steady. */
const WARM_UP = 2
/** Longer than a revoke waits, and a ring's end sleeps. The mapper's deadline of a second is for what takes descriptors. */
const STOPPED_MS = 300
const STOPPED_FOR_MAP_MS = 1_300
const SIGNAL_SHOWS_MS = 5_000
const SETTLE_MS = 2_000
/** Most calls that an operation may take: more is a loop. */
const MOST_CALLS = 200
/** Why the daemon ends one that stands still; its memory has to be let go. */
const LATE = /mapper has not answered within|keeps memory|did not let go/
const HAS_ENDED = /^(PeerGone|FailedLookup): .* ended/
const STUMBLED = /^killed|SIG/

/** @param next the k after this one, or nothing more of this operation */
export interface Choice {
  readonly operations: readonly Operation[]
  readonly hows: readonly How[]
  readonly toldLimitMs: number
  readonly next: (k: number) => number
  readonly onRow: (row: Row) => void
}

export class CallTrials {
  readonly #workshop: Workshop
  readonly #running: Running<Seen>
  readonly #choice: Choice
  readonly #addon = new Symbols(join(root, "build/Release/kaal.node"))
  readonly #launcher = new Symbols(join(root, "build/Release/kaal-launcher"))
  #count = 1
  #census = ""
  #left = ""

  private constructor(workshop: Workshop, choice: Choice) {
    this.#workshop = workshop
    this.#choice = choice
    workshop.plan.setRound(this.#roundOf("map"))
    this.#running = new Running<Seen>(workshop)
  }

  /** All that the choice names, one after the other, in one system. @throws {Error} a trial did not come to its end */
  static async run(choice: Choice): Promise<Row[]> {
    const workshop = await Workshop.open("call-root", ["call-end", "call-victim"])
    const trials = new CallTrials(workshop, choice)
    try {
      return await trials.#all()
    } finally {
      trials.#running.kill()
      workshop.remove()
    }
  }

  async #all(): Promise<Row[]> {
    const rows: Row[] = []
    for (const operation of this.#choice.operations) {
      await this.#warmUp(operation)
      for (const how of this.#choice.hows) {
        for (const whose of WHOSE[OPERATIONS[operation]]) {
          for (const after of [false, true]) rows.push(...(await this.#allOf(operation, how, whose, after)))
        }
      }
    }
    const code = await this.#running.end()
    if (code !== 0) throw new Error(`The system ended with ${code}:\n${this.#running.output.slice(-2_000)}`)
    return rows
  }

  #roundOf(operation: Operation): number {
    return this.#count++ * NAMES.length + NAMES.indexOf(operation)
  }

  /** Each operation does all it has to, and leaves the system as it was. */
  async #warmUp(operation: Operation): Promise<void> {
    this.#workshop.plan.disarm()
    for (let warm = 0; warm < WARM_UP; warm++) {
      const seen = await this.#running.round(this.#roundOf(operation))
      if (seen === undefined) throw new Error(`The system ended:\n${this.#running.output.slice(-2_000)}`)
      const whole = String([1, 2, 3, 100])
      if (String(seen.survivor.report.values) !== whole) throw new Error(`${operation} alone: ${JSON.stringify(seen)}`)
      this.#left = JSON.stringify(seen.left)
    }
    await new Promise(resolve => setTimeout(resolve, STOPPED_MS))
    this.#census = this.#running.census()
  }

  /** Until there are no more calls. */
  async #allOf(operation: Operation, how: How, whose: Whose, after: boolean): Promise<Row[]> {
    const rows: Row[] = []
    for (let k = 1; ; k = this.#choice.next(k)) {
      if (k > MOST_CALLS) throw new Error(`${operation}: the ${whose.name} makes more than ${MOST_CALLS} calls`)
      const row = await this.#trial(operation, how, whose, { ...whose, k, after, windowed: true })
      if (row === undefined) return rows
      rows.push(row)
      this.#choice.onRow(row)
    }
  }

  async #trial(operation: Operation, how: How, whose: Whose, halt: Halt): Promise<Row | undefined> {
    const { plan } = this.#workshop
    const from = this.#running.output.length
    plan.armHalt(halt)
    const round = this.#running.round(this.#roundOf(operation))
    const over = new AbortController()
    const struck = this.#strike(how, halt.role, operation, over.signal)
    const seen = await round
    over.abort()
    const strike = await struck
    plan.disarm()
    const step = `${halt.after ? "after" : "before"} call ${halt.k}`
    if (seen === undefined) throw new Error(`${operation}, ${step}: ${this.#running.output.slice(from)}`)
    if (strike === undefined) return undefined
    const { halted, atNs } = strike
    const { wrong, toldMs } = this.#judge(operation, how, seen, atNs)
    const left = await this.#leftovers(seen)
    wrong.push(...left)
    const told = `${seen.survivor.report.values.join(" ")}; ${seen.victim.detail}${seen.answer && `; ${seen.answer}`}`
    const outcome = wrong.length === 0 ? `ok: ${told}` : `${wrong.join("; ")} (${told})`
    const { values } = seen.survivor.report
    return {
      operation,
      how,
      step,
      where: this.#nameOf(whose, halted),
      outcome,
      toldMs,
      lost: lostOf(values),
      duplicates: values.length - new Set(values).size,
      leftovers: left.length,
    }
  }

  /** Kills, or stops and later continues, who stands still; nothing when nobody has until the round was over. */
  async #strike(how: How, role: string, operation: Operation, over: AbortSignal) {
    const { plan } = this.#workshop
    while (plan.halted === undefined) {
      if (over.aborted) return undefined
      await pause(1)
    }
    const halted = plan.halted
    const pid = this.#pidOf(halted, role)
    const atNs = process.hrtime.bigint()
    process.kill(pid, how)
    // Before, it would go on for a moment.
    await inState(pid, how === "SIGKILL" ? "Z" : "T")
    plan.release()
    if (how === "SIGSTOP") {
      await pause(/into/.test(operation) ? STOPPED_FOR_MAP_MS : STOPPED_MS)
      try {
        process.kill(pid, "SIGCONT")
      } catch {
        // It was ended meanwhile.
      }
    }
    return { halted, atNs }
  }

  /** A process in a namespace of its own has another name for itself; its number there is not its alone. */
  #pidOf({ pid }: Halted, role: string): number {
    const of = role === "cloned" ? "kernel-daemon.cjs" : role === "launcher" ? "kaal-launcher" : role
    const found = this.#running
      .processes()
      .find(each => each.command.includes(of) && each.state !== "Z" && ownPid(each.pid) === pid)
    if (found === undefined) throw new Error(`Nobody is ${role} ${pid}`)
    return found.pid
  }

  #judge(operation: Operation, how: How, seen: Seen, atNs: bigint): { wrong: string[]; toldMs: number } {
    const { survivor, victim, heir, answer, endedNs } = seen
    const wrong: string[] = []
    const { values, toldNs } = survivor.report
    const ended = how === "SIGKILL" || STUMBLED.test(victim.detail)
    // Who dies while it is spawned has sent nothing; who dies in a call has sent what came before.
    const sent = OPERATIONS[operation] === "child" ? [[], [1], [1, 2]] : [[1, 2]]
    const whole = [1, 2, 3]
    const wanted = [...(ended ? sent : []), whole].map(each => String([...each, 100]))
    if (!wanted.includes(String(values))) wrong.push(`the survivor has ${values}`)
    if (String(heir.report) !== "pushed") wrong.push(`its heir ${heir.report}, ${heir.detail}`)
    if (how === "SIGKILL" && !STUMBLED.test(victim.detail)) wrong.push(`the victim ${victim.detail}`)
    if (how === "SIGSTOP" && ended && !LATE.test(victim.detail)) wrong.push(`the victim ${victim.detail}`)
    // A revoke cannot fail; whatever else is asked of one who has ended is refused for that.
    const revoked = operation === "revoked" ? answer === "proof 0" : !answer.startsWith("proof")
    if (!revoked || (/^\w+: /.test(answer) && !HAS_ENDED.test(answer))) wrong.push("a wrong answer")
    // Who is to have a child made waits for more than its end.
    const waited = OPERATIONS[operation] === "child" ? [] : [endedNs]
    const notices = how === "SIGSTOP" ? [] : [...waited, ...(toldNs === "0" ? [] : [toldNs])]
    const toldMs = Math.max(0, ...notices.map(ns => Number(BigInt(ns) - atNs) / 1e6))
    if (toldMs > this.#choice.toldLimitMs) wrong.push(`told after ${toldMs.toFixed(1)} ms`)
    return { wrong, toldMs }
  }

  /** What kernel and processes hold that they did not hold before. */
  async #leftovers({ left }: Seen): Promise<string[]> {
    const census = await this.#settled()
    return [
      ...(JSON.stringify(left) === this.#left ? [] : [`${JSON.stringify(left)} is free instead of ${this.#left}`]),
      ...(census === this.#census ? [] : [`then holds ${census} instead of ${this.#census}`]),
    ]
  }

  /** What the system holds, when it has come to hold no more than before. */
  async #settled(): Promise<string> {
    const deadline = performance.now() + SETTLE_MS
    for (;;) {
      const census = this.#running.census()
      if (census === this.#census || performance.now() > deadline) return census
      await pause(5)
    }
  }

  #nameOf({ role, name }: Whose, { call, offset }: Halted): string {
    const symbols = role === "launcher" ? this.#launcher : this.#addon
    return `${name}: ${call} in ${offset === 0 ? "Node" : symbols.nameOf(offset)}`
  }
}

/** Gaps, and the heir's message where it is missing. */
function lostOf(values: readonly number[]): number {
  const sent = values.filter(value => value !== HEIRS_MESSAGE)
  return Math.max(0, ...sent) - new Set(sent).size + (values.includes(HEIRS_MESSAGE) ? 0 : 1)
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Of one that has ended, none any more. */
async function inState(pid: number, wanted: "T" | "Z"): Promise<void> {
  const deadline = performance.now() + SIGNAL_SHOWS_MS
  for (;;) {
    const state = stateOf(pid)
    if (state === wanted || state === undefined) return
    if (performance.now() > deadline) throw new Error(`Process ${pid} is ${state} instead of ${wanted}`)
    await pause(1)
  }
}

function stateOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
    return stat[stat.lastIndexOf(")") + 2]
  } catch {
    return undefined
  }
}

function ownPid(pid: number): number | undefined {
  try {
    const [, numbers = ""] = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
    return Number(numbers.split(/\s+/).at(-1))
  } catch {
    return undefined // It has ended.
  }
}
