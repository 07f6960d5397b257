// trials.ts: a process is ended, or stopped for longer than its peers wait, at each shared access of each operation; and
// what the others then see is judged.

import { spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import {
  BATCH,
  HEIRS_MESSAGE,
  HOW,
  interrupted,
  joinsLate,
  MESSAGES,
  NAMES,
  type Operation,
  ROOM,
  STOP_ME,
} from "../../fixtures/components/step-end/operations.ts"
import { bundleComponents, descendants, processes, root } from "../../helpers/system.ts"
import { instrument } from "./instrument.ts"

type How = (typeof HOW)[number]

interface Seen {
  readonly values: readonly number[]
  readonly toldNs: number
  /** undefined: the shape takes messages only as copies, of which none comes again. */
  readonly redelivered?: number
}

interface Report {
  readonly victim: { readonly report?: number; readonly detail: string }
  readonly heir: Seen
  readonly survivor: Seen
  /** The first of what the victim's interrupted operation gave it, 0 if nothing, and how many it had taken before. */
  readonly returned: number
  readonly before: number
  readonly died: boolean
}

/** A trial's outcome as its driver sees it. */
interface Trial {
  readonly report: Report
  readonly leftovers: number
  /** Processes that were seen stopped, and continued. */
  readonly continued: number
}

/** One row of the matrix. */
export interface Row {
  readonly operation: Operation
  readonly how: How
  readonly step: number
  /** In words; "ok: ..." or what is wrong. */
  readonly outcome: string
  readonly lost: number
  readonly duplicates: number
  readonly leftovers: number
  /** Whether the message or bit at which the victim was came to another. */
  readonly came: boolean
  /** From the victim's end to its peer's notice; 0 where nobody waits. */
  readonly toldMs: number
}

/** Most steps that an operation may take: more is a loop. */
const MOST_STEPS = 300
/** Where the peer is at work meanwhile, an operation may take fewer steps than it took the first time. */
const TRIES = 5
const NOT_REACHED = "the step was not reached"
const RUN_MS = 30_000
/** Longer than the waits of the others. */
const STOPPED_MS = 300

/** Bundles the components with the instrumented WebAssembly. The folder is the caller's to remove. */
export function bundle(): Promise<string> {
  const wasm = instrument(readFileSync(join(root, "dist/ring.wasm")))
  const INSTRUMENTED_WASM = JSON.stringify(Buffer.from(wasm).toString("base64"))
  return bundleComponents(["step-root", "step-end"], { INSTRUMENTED_WASM })
}

/**
 * The steps of the operations, one trial each; calls `onRow` after each. A trial that does not come to its end, and an
 * operation that publishes at no step, or at several, are wrong rows: the other trials are not lost with them.
 * @param toldLimitMs how long after the victim's death its peer may still wait for it
 * @param which steps: all, or the first and the last, between which the operation takes effect
 * @throws {Error} an operation that nobody interrupts does not come to its end, or takes no steps, or too many
 */
export async function runTrials(
  operations: readonly Operation[],
  hows: readonly How[],
  toldLimitMs: number,
  onRow: (row: Row) => void,
  which: "all" | "ends" = "all",
): Promise<Row[]> {
  const folder = await bundle()
  const rows: Row[] = []
  const take = (row: Row): void => {
    rows.push(row)
    onRow(row)
  }
  try {
    for (const operation of operations) {
      const steps = (await trial(folder, operation, 0, "SIGKILL")).report.victim.report ?? 0
      if (steps < 1 || steps > MOST_STEPS)
        throw new Error(`${operation} takes ${steps} steps: 1 to ${MOST_STEPS} expected`)
      for (const how of hows) {
        const first = rows.length
        for (let step = 1; step <= steps; step += which === "all" ? 1 : Math.max(1, steps - 1)) {
          take(await row(folder, operation, how, step, toldLimitMs))
        }
        // It may take more than it took the first time: where its peer makes it sleep, for one.
        for (let step = steps + 1; which === "all" && step <= MOST_STEPS; step++) {
          const further = await row(folder, operation, how, step, toldLimitMs)
          if (further.outcome !== NOT_REACHED) take(further)
          if (!isRight(further)) break
        }
        // What went wrong otherwise says nothing about where it publishes.
        const made = rows.slice(first)
        const wrong = how === "SIGKILL" && made.every(isRight) ? checkTurn(made) : undefined
        if (wrong !== undefined) take(wrongRow(operation, how, 0, wrong))
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return rows
}

async function row(folder: string, operation: Operation, how: How, step: number, toldLimitMs: number): Promise<Row> {
  try {
    const made = await reached(folder, operation, step, how)
    return made.report.died
      ? judge(operation, how, step, toldLimitMs, made)
      : wrongRow(operation, how, step, NOT_REACHED)
  } catch (error) {
    return wrongRow(operation, how, step, String(error))
  }
}

function isRight({ outcome }: Row): boolean {
  return outcome.startsWith("ok")
}

function wrongRow(operation: Operation, how: How, step: number, outcome: string): Row {
  return { operation, how, step, outcome, lost: 0, duplicates: 0, leftovers: 0, came: false, toldMs: 0 }
}

/** A trial in which the victim came to that step. */
async function reached(folder: string, operation: Operation, step: number, how: How): Promise<Trial> {
  for (let left = TRIES; ; left--) {
    const made = await trial(folder, operation, step, how)
    if (made.report.died || left === 1) return made
  }
}

async function trial(folder: string, operation: Operation, step: number, how: How): Promise<Trial> {
  const numbers = [NAMES.indexOf(operation), step, HOW.indexOf(how)].map(String)
  const args = ["-u", "NODE_OPTIONS", process.execPath, join(root, "dist/kaal.cjs"), "run", "step-root", ...numbers]
  const child = spawn("/usr/bin/env", [...args, "--components", folder, "--timeout", "25"], {
    stdio: ["ignore", "pipe", "pipe"],
  })
  let text = ""
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", chunk => {
      text += chunk
    })
  }
  const killer = setTimeout(() => child.kill("SIGKILL"), RUN_MS)
  let continued = 0
  const look = (): void => {
    continued += continueStopped(child.pid ?? 0)
  }
  const waker = how === "SIGSTOP" && step > 0 ? setInterval(look, STOPPED_MS) : undefined
  await new Promise(resolve => child.once("close", resolve))
  clearTimeout(killer)
  clearInterval(waker)
  const line = text.split("\n").find(each => each.startsWith('{"victim"'))
  if (line === undefined) throw new Error(`${operation}, step ${step}, ${how}: no report\n${text}`)
  const leftovers = processes().filter(({ command }) => command.includes(folder)).length
  return { report: JSON.parse(line) as Report, leftovers, continued }
}

const seenStopped = new Set<number>()

/**
 * Stops who asks for it, being deaf to its own SIGSTOP, and continues who was found stopped the last time already.
 * @returns how many were continued
 */
function continueStopped(kaal: number): number {
  let continued = 0
  for (const { pid, state, command } of descendants(kaal)) {
    if (state !== "T") {
      if (command.startsWith(STOP_ME)) process.kill(pid, "SIGSTOP")
    } else if (seenStopped.delete(pid)) {
      process.kill(pid, "SIGCONT")
      continued++
    } else seenStopped.add(pid)
  }
  return continued
}

/** Which values have to arrive at whom; what is missing or comes twice; whether the peer was told in time. */
function judge(
  operation: Operation,
  how: How,
  step: number,
  toldLimitMs: number,
  { report, leftovers, continued }: Trial,
): Row {
  const { survivor, heir, victim } = report
  const { role } = interrupted(operation)
  const isSender = role === "producer" || role === "signaller"
  const seen = isSender ? survivor.values : seenByTakers(operation, report)
  const { wanted, wrong } = isSender
    ? wantedOfSender(operation, how, seen)
    : wantedOfTaker(operation, how, report, seen)
  const lost = wanted.filter(value => !seen.includes(value)).length
  const duplicates = seen.length - new Set(seen).size
  if (lost + duplicates > 0 || String(seen) !== String(wanted)) wrong.push(`saw ${seen} instead of ${wanted}`)
  if (how === "SIGSTOP" && continued === 0) wrong.push("nobody was stopped")
  const ending = how === "SIGKILL" ? /^killed|SIG/ : /^exited with 0/
  if (!ending.test(victim.detail)) wrong.push(`the victim ${victim.detail}`)
  if (leftovers > 0) wrong.push(`${leftovers} processes are left`)
  const came = (isSender ? survivor.values : heir.values).includes(turnsAt(operation))
  const toldMs = how === "SIGKILL" ? survivor.toldNs / 1e6 : 0
  if (toldMs > toldLimitMs) wrong.push(`told after ${toldMs.toFixed(1)} ms`)
  const marked = (heir.redelivered ?? 0) > 0 ? ", marked" : ""
  const outcome = wrong.length > 0 ? wrong.join("; ") : `ok: ${seen.join(" ")}${marked}`
  return { operation, how, step, outcome, lost, duplicates, leftovers, came, toldMs }
}

interface Wanted {
  readonly wanted: readonly number[]
  readonly wrong: string[]
}

/** What was sent before; what was being sent, all of it or nothing, since who was killed cannot say; and the heir's. */
function wantedOfSender(operation: Operation, how: How, seen: readonly number[]): Wanted {
  const { shape, role, act } = interrupted(operation)
  if (role === "signaller") return { wanted: [1, ...(how === "SIGSTOP" || seen.includes(2) ? [2] : []), 8], wrong: [] }
  const before = act === "full" ? Array.from({ length: ROOM }, (_, at) => at + 1) : [1, 2]
  const next = before.length + 1
  const under = shape === "batches" ? [next, next + 1] : [next]
  // One that found no room was not sent; stopped meanwhile, it may find some.
  const isThere = seen.includes(next) || (how === "SIGSTOP" && act !== "full")
  return { wanted: [...before, ...(isThere ? under : []), HEIRS_MESSAGE], wrong: [] }
}

/** The bits that the victim was given count as seen; of messages it has taken some, and the heir sees the others. */
function seenByTakers(operation: Operation, { heir, returned }: Report): readonly number[] {
  const { role, shape } = interrupted(operation)
  if (role === "waiter") return [...(returned > 0 ? [returned] : []), ...heir.values]
  // A call that its server's death has ended is made once more.
  if (shape === "service") return heir.values.filter((value, at) => value !== heir.values[at - 1])
  return heir.values
}

function wantedOfTaker(operation: Operation, how: How, report: Report, seen: readonly number[]): Wanted {
  const { role, shape } = interrupted(operation)
  const { heir, survivor, returned, before } = report
  const wrong: string[] = []
  if (role === "waiter") {
    const second = seen.includes(2) || how === "SIGKILL" ? seen.filter(bit => bit === 2).slice(0, 1) : [2]
    return { wanted: [...second, 8], wrong }
  }
  const last = MESSAGES + Number(joinsLate(shape))
  if (survivor.values.length !== last) wrong.push(`${survivor.values.length} of ${last} were sent`)
  const first = heir.values[0] ?? 0
  const again = returned > 0 && first <= returned
  if (again && !((heir.redelivered ?? 0) > 0)) wrong.push("comes again unmarked")
  const atMost = before + 1 + (shape === "batches" ? BATCH : 1)
  const isWithin = first > before && (joinsLate(shape) || first <= atMost)
  if (!isWithin || (how === "SIGSTOP" && again)) wrong.push(`begins with ${first}`)
  return { wanted: Array.from({ length: last - first + 1 }, (_, at) => first + at), wrong }
}

/** The value that is there, or gone, from one step on. */
function turnsAt(operation: Operation): number {
  const { shape, role } = interrupted(operation)
  if (role === "producer") return 3
  return shape === "batches" ? BATCH + 1 : 2
}

/** What is published, or released, at one of the steps, is so from there on; and neither at the first nor only after the last. */
function checkTurn(rows: readonly Row[]): string | undefined {
  const { operation } = rows[0] as Row
  const { act, role, shape } = interrupted(operation)
  if (act === "sleep" || act === "full" || (role === "consumer" && (joinsLate(shape) || shape === "service")))
    return undefined
  const turns = rows.filter(({ came }, at) => at > 0 && came !== rows[at - 1]?.came).length
  const sends = role === "producer" || role === "signaller"
  if (turns === 1 && rows.at(-1)?.came === sends) return undefined
  return `${operation}: came ${rows.map(({ came }) => (came ? "yes" : "no")).join(" ")}, of which one turn is expected`
}
