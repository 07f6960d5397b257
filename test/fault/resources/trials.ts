// trials.ts: lets each call fail once, and judges what came of it: a typed error at the caller or none, nothing left over,
// and a second whole scenario in the same system that knows nothing of it.

import { join } from "node:path"
import { type ProcessInfo, processes, root } from "../../helpers/system.ts"
import { CALLS, errnoNumber } from "./calls.ts"
import type { CallSite, Injection } from "./plan-file.ts"
import { type Round, Running, Workshop } from "./running.ts"
import { callSites, Symbols } from "./symbols.ts"

/** Whose calls fail while the system runs, while it boots, and when its daemon has died and the guard has to end it. */
const ROLES_WHEN = {
  running: ["daemon", "launcher", "resources-root", "resources-end"],
  booting: ["guard", "daemon", "launcher", "resources-root"],
  ending: ["guard"],
} as const
export type When = keyof typeof ROLES_WHEN
export const WHEN = Object.keys(ROLES_WHEN) as When[]
export const ROLES: readonly string[] = [...new Set(Object.values(ROLES_WHEN).flat())]

/** One row of the matrix. */
export interface Row {
  readonly when: When
  readonly role: string
  readonly call: string
  /** The `k`th of its name from there, by that role. */
  readonly k: number
  readonly errno: string
  /** The function it was made from. */
  readonly site: string
  /** In words; "ok: ..." or what is wrong. */
  readonly outcome: string
  readonly ms: number
}

export interface Matrix {
  readonly rows: readonly Row[]
  /** Places in the addon and the launcher from which the scenario makes a call that can fail. */
  readonly sites: readonly string[]
  /** Places in the addon that make one as well, and at which the scenario does not come by. */
  readonly unreached: readonly string[]
  /** Of each running system: the daemon's own memory at rest, before and after its trials. Told, not judged. */
  readonly daemonKiB: readonly (readonly [before: number, after: number])[]
}

export interface Choice {
  readonly when: readonly When[]
  readonly roles: readonly string[]
  readonly calls: readonly string[]
  /** Every errno at every k, instead of one at each in turn. */
  readonly full: boolean
  /** How many fail from the kth on; 1 when not given. */
  readonly times?: number
  /** The k after this one, or nothing more of this call. */
  readonly next: (k: number) => number | undefined
  readonly onRow: (row: Row) => void
}

/** Rounds without a fault until what a system holds is steady. */
const WARM_UP = 2
const SETTLE_MS = 1_000
/** A caller is told at once, or at a deadline of the system's own: 10 s to boot is the longest. */
const MOST_MS = 15_000
/** Outcomes of waits, which an end in a child throws as they are. */
const INTERRUPTION = /(peer-gone|revoked|closed)$/

export class Trials {
  readonly #workshop: Workshop
  readonly #choice: Choice
  readonly #addon = new Symbols(join(root, "build/Release/kaal.node"))
  readonly #launcher = new Symbols(join(root, "build/Release/kaal-launcher"))
  readonly #rows: Row[] = []
  #running: Running | undefined
  /** The one that is tried. */
  #injection: Injection | undefined
  readonly #daemonKiB: [before: number, after: number][] = []
  #round = 0
  #census = ""
  #left: Round["left"] | undefined

  private constructor(workshop: Workshop, choice: Choice) {
    this.#workshop = workshop
    this.#choice = choice
  }

  /** All that the choice names, one after the other. */
  static async run(choice: Choice): Promise<Matrix> {
    const workshop = await Workshop.open("resources-root", ["resources-end"])
    const trials = new Trials(workshop, choice)
    try {
      await trials.#all()
      const sites = workshop.plan.sites()
      return {
        rows: trials.#rows,
        sites: trials.#named(sites),
        unreached: trials.#unreached(sites),
        daemonKiB: trials.#daemonKiB,
      }
    } finally {
      trials.#running?.kill()
      workshop.remove()
    }
  }

  async #all(): Promise<void> {
    const { when, roles, calls } = this.#choice
    for (const time of when) {
      // So that its places are known.
      this.#injection = undefined
      if (time !== "running") await this.#in(time, "", "")
      for (const role of ROLES_WHEN[time]) {
        if (!roles.includes(role)) continue
        for (const call of calls) await this.#allOfCall(time, role, call)
      }
      if (time !== "running" || this.#running === undefined) continue
      const code = await this.#running.end()
      if (code !== 0) throw new Error(`The system ended with ${code}:\n${this.#running.output.slice(-2_000)}`)
      this.#running = undefined
    }
  }

  /** From each place that has made such a call so far. */
  async #allOfCall(when: When, role: string, call: string): Promise<void> {
    if (when === "running") await this.#prepare()
    const sites = this.#workshop.plan.sites().filter(site => site.role === role && site.call === call)
    for (const { offset } of sites) await this.#allOf(when, role, call, offset)
  }

  /** Until there are no more calls from there. */
  async #allOf(when: When, role: string, call: string, offset: number): Promise<void> {
    const site = this.#nameOf(role, offset)
    const errnos = CALLS[call] ?? []
    for (let k: number | undefined = 1; k !== undefined; k = this.#choice.next(k)) {
      for (const errno of this.#choice.full ? errnos : [errnos[(k - 1) % errnos.length] as string]) {
        const { plan } = this.#workshop
        if (when === "running") await this.#prepare()
        this.#injection = { role, call, offset, k, errno: errnoNumber(errno), times: this.#choice.times ?? 1 }
        if (when !== "ending") plan.armError(this.#injection)
        const begun = performance.now()
        const outcome = await this.#in(when, role, errno)
        const ms = Math.round(performance.now() - begun)
        if (!plan.hasFired) return
        const row = { when, role, call, k, errno, site, outcome: ms > MOST_MS ? `slow: ${outcome}` : outcome, ms }
        this.#rows.push(row)
        this.#choice.onRow(row)
      }
    }
  }

  #in(when: When, role: string, errno: string): Promise<string> {
    if (when === "running") return this.#inRunning(role, errno)
    return when === "booting" ? this.#inBooting() : this.#inEnding()
  }

  /** A system that has come to rest. */
  async #prepare(): Promise<void> {
    if (this.#running !== undefined) return
    this.#workshop.plan.disarm()
    this.#workshop.plan.setRound(++this.#round)
    this.#running = new Running(this.#workshop)
    for (let warm = 0; warm < WARM_UP; warm++) {
      const round = await this.#running.round(this.#round++)
      if (round === undefined || round.refused !== undefined) throw new Error(`No scenario: ${this.#running.output}`)
      this.#left = round.left
    }
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
    this.#census = this.#running.census()
    const { daemonKiB } = this.#running
    this.#daemonKiB.push([daemonKiB, daemonKiB])
  }

  async #inRunning(role: string, errno: string): Promise<string> {
    const running = this.#running as Running
    const from = running.output.length
    const wrong: string[] = []
    let said = "went on"
    try {
      const round = await running.round(this.#round++)
      this.#workshop.plan.disarm()
      if (!this.#workshop.plan.hasFired) return said
      if (round === undefined) {
        this.#running = undefined
        // A reply that its socket has no room for is the root task's own fault, to the daemon.
        const killed = /resources-root killed by SIGKILL: it leaves/.test(running.output.slice(from))
        return this.#judgeEnd(running, from, role === "resources-root" || killed)
      }
      if (round.refused !== undefined) {
        const { step, name, code, message, leaked } = round.refused
        said = `${step}: ${code ?? name}: ${message}`
        if (!isTyped(round.refused, running.output.slice(from))) wrong.push("not typed")
        if (errno === "EINTR") wrong.push("not tried again")
        if (leaked !== 0) wrong.push(`${leaked} slots are left of the step`)
      }
      wrong.push(...this.#differences(round))
      const second = await running.round(this.#round++)
      if (second === undefined) wrong.push("the system ended in the second scenario")
      else {
        if (second.refused !== undefined) wrong.push(`then refused ${JSON.stringify(second.refused)}`)
        wrong.push(...this.#differences(second))
        const census = await this.#settled(running)
        if (census !== this.#census) wrong.push(`holds ${census} instead of ${this.#census}`)
        else (this.#daemonKiB.at(-1) as number[])[1] = running.daemonKiB
      }
    } catch (error) {
      wrong.push((error as Error).message)
    }
    if (wrong.length === 0) return `ok: ${said}`
    // The next trial is not to suffer for it.
    running.kill()
    this.#running = undefined
    return `${wrong.join("; ")} (${said}) ${running.output.slice(from).slice(-1_000)}`
  }

  async #inBooting(): Promise<string> {
    this.#workshop.plan.setRound(0)
    const running = new Running(this.#workshop)
    try {
      const code = await running.end()
      return code === 0 ? "ok: went on" : this.#judgeEnd(running, 0, true)
    } catch (error) {
      running.kill()
      return (error as Error).message
    }
  }

  /** A system at rest, whose daemon dies while its root task stands still: the guard alone can end that one. */
  async #inEnding(): Promise<string> {
    const { plan } = this.#workshop
    plan.disarm()
    plan.setRound(++this.#round)
    const running = new Running(this.#workshop, ["--grace", "0"])
    try {
      await running.round(this.#round)
      const daemon = running.pidOf("kernel-daemon.cjs")
      process.kill(running.pidOf("resources-root.cjs"), "SIGSTOP")
      if (this.#injection !== undefined) plan.armError(this.#injection)
      process.kill(daemon, "SIGKILL")
      await running.end()
      return this.#judgeEnd(running, 0, true)
    } catch (error) {
      running.kill()
      return (error as Error).message
    } finally {
      for (const { pid } of this.#stillThere()) process.kill(pid, "SIGKILL")
    }
  }

  /** A root task may end, and a system not boot, if it says why and leaves nothing. */
  #judgeEnd(running: Running, from: number, mayEnd: boolean): string {
    const said = running.output.slice(from).trim()
    const left = this.#stillThere().length
    if (mayEnd && left === 0 && /\bE[A-Z]{3,}|ended|killed|refused|\bkaal-launcher: /.test(said))
      return `ok: ended: ${said.split("\n")[0]}`
    return `the system ended, ${left} processes are left: ${said.slice(-1_000)}`
  }

  /** Components, and who is to become one. */
  #stillThere(): ProcessInfo[] {
    return processes().filter(({ command }) => command.includes(this.#workshop.components))
  }

  #differences({ left }: Round): string[] {
    const same = left.slot === this.#left?.slot && left.freeBytes === this.#left?.freeBytes
    return same ? [] : [`${JSON.stringify(left)} is free instead of ${JSON.stringify(this.#left)}`]
  }

  /** What the system holds, when it has come to hold no more than before. */
  async #settled(running: Running): Promise<string> {
    const deadline = performance.now() + SETTLE_MS
    for (;;) {
      const census = running.census()
      if (census === this.#census || performance.now() > deadline) return census
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  #nameOf(role: string, offset: number): string {
    if (offset === 0) return "Node"
    return (role === "launcher" || role === "guard" ? this.#launcher : this.#addon).nameOf(offset)
  }

  #named(sites: readonly CallSite[]): string[] {
    return sites
      .map(({ role, call, offset, count }) => `${role}: ${call} in ${this.#nameOf(role, offset)}: ${count}`)
      .sort()
  }

  #unreached(sites: readonly CallSite[]): string[] {
    const reached = new Set(sites.map(({ offset }) => offset))
    return callSites(join(root, "build/Release/kaal.node"))
      .filter(({ symbol, offset }) => SYMBOLS.has(symbol) && !reached.has(offset))
      .map(({ symbol, offset }) => `${symbol} in ${this.#addon.nameOf(offset)}`)
      .sort()
  }
}

/** What the C library calls them, where that is not the name in CALLS. */
const SYMBOLS: ReadonlySet<string> = new Set([...Object.keys(CALLS).filter(name => name !== "uv_poll_init"), "fcntl"])

function isTyped({ code, message }: NonNullable<Round["refused"]>, output: string): boolean {
  if (INTERRUPTION.test(message)) return true
  if (code === undefined) return false
  // What happened to a child before it could report stands in its output.
  return !message.endsWith('"code":1}') || /\bE[A-Z]{3,}/.test(output)
}
