// trials.ts: a process is ended, or stopped for longer than its peers wait, at each shared access of each operation; and
// what the others then see is judged.

import { spawn } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import {
  HEIRS_MESSAGE,
  HOW,
  MESSAGES,
  OPERATIONS,
  type Operation,
  STOP_ME,
} from "../../fixtures/components/step-end/operations.ts"
import { bundleComponents, descendants, processes, root } from "../../helpers/system.ts"
import { instrument } from "./instrument.ts"

type How = (typeof HOW)[number]

interface Seen {
  readonly values: readonly number[]
  readonly toldNs: number
  readonly redelivered: number
}

interface Report {
  readonly victim: { readonly report?: number; readonly detail: string }
  readonly heir: Seen
  readonly survivor: Seen
  readonly returned: number
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
const MOST_STEPS = 100
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
 * All steps of the operations, one trial each; calls `onRow` after each.
 * @param toldLimitMs how long after the victim's death its peer may still wait for it
 * @throws {Error} a trial did not come to its end, or an operation publishes at no step, or at several
 */
export async function runTrials(
  operations: readonly Operation[],
  hows: readonly How[],
  toldLimitMs: number,
  onRow: (row: Row) => void,
): Promise<Row[]> {
  const folder = await bundle()
  const rows: Row[] = []
  try {
    for (const operation of operations) {
      for (const how of hows) {
        const steps = (await trial(folder, operation, 0, how)).report.victim.report ?? 0
        if (steps < 1 || steps > MOST_STEPS)
          throw new Error(`${operation} takes ${steps} steps: 1 to ${MOST_STEPS} expected`)
        const first = rows.length
        for (let step = 1; step <= steps; step++) {
          const row = judge(operation, how, step, toldLimitMs, await trial(folder, operation, step, how))
          rows.push(row)
          onRow(row)
        }
        const wrong = how === "SIGKILL" ? checkTurn(rows.slice(first)) : undefined
        if (wrong !== undefined) throw new Error(wrong)
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return rows
}

async function trial(folder: string, operation: Operation, step: number, how: How): Promise<Trial> {
  const numbers = [Object.keys(OPERATIONS).indexOf(operation), step, HOW.indexOf(how)].map(String)
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
  const { survivor, heir, returned, victim, died } = report
  const wrong: string[] = []
  let seen: readonly number[]
  let wanted: readonly number[]
  const role = OPERATIONS[operation]
  if (role === "producer") {
    seen = survivor.values
    // The third message is there or it is not: whoever was killed cannot say.
    wanted = [1, 2, ...(how === "SIGSTOP" || seen.includes(3) ? [3] : []), HEIRS_MESSAGE]
  } else if (role === "signaller") {
    seen = survivor.values
    wanted = [1, ...(how === "SIGSTOP" || seen.includes(2) ? [2] : []), 8]
  } else if (role === "waiter") {
    seen = [...(returned > 0 ? [returned] : []), ...heir.values]
    wanted = [...(seen.includes(2) || how === "SIGKILL" ? seen.filter(bit => bit === 2).slice(0, 1) : [2]), 8]
  } else {
    // What the victim took before: one message, unless it only went to sleep. Then the one that it was at.
    const before = operation === "sleep" ? 0 : 1
    const first = heir.values[0] ?? 0
    const again = returned > 0 && first === returned
    if (again && heir.redelivered === 0) wrong.push("comes again unmarked")
    if (first > before + 2 || (how === "SIGSTOP" && again)) wrong.push(`begins with ${first}`)
    seen = heir.values
    wanted = Array.from({ length: MESSAGES - first + 1 }, (_, at) => first + at)
    if (survivor.values.length !== MESSAGES) wrong.push(`${survivor.values.length} of ${MESSAGES} were sent`)
  }
  const lost = wanted.filter(value => !seen.includes(value)).length
  const duplicates = seen.length - new Set(seen).size
  if (lost + duplicates > 0 || String(seen) !== String(wanted)) wrong.push(`saw ${seen} instead of ${wanted}`)
  if (!died) wrong.push("the step was not reached")
  if (how === "SIGSTOP" && continued === 0) wrong.push("nobody was stopped")
  const ending = how === "SIGKILL" ? /^killed|SIG/ : /^exited with 0/
  if (!ending.test(victim.detail)) wrong.push(`the victim ${victim.detail}`)
  if (leftovers > 0) wrong.push(`${leftovers} processes are left`)
  const at = { producer: 3, consumer: 2, signaller: 2, waiter: 2 }[role]
  const came = (role === "producer" || role === "signaller" ? survivor.values : heir.values).includes(at)
  const toldMs = how === "SIGKILL" ? survivor.toldNs / 1e6 : 0
  if (toldMs > toldLimitMs) wrong.push(`told after ${toldMs.toFixed(1)} ms`)
  const outcome = wrong.length > 0 ? wrong.join("; ") : `ok: ${seen.join(" ")}${heir.redelivered > 0 ? ", marked" : ""}`
  return { operation, how, step, outcome, lost, duplicates, leftovers, came, toldMs }
}

/** What is published, or released, at one of the steps, is so from there on; and neither at the first nor only after the last. */
function checkTurn(rows: readonly Row[]): string | undefined {
  const { operation } = rows[0] as Row
  if (operation === "sleep") return undefined
  const turns = rows.filter(({ came }, at) => at > 0 && came !== rows[at - 1]?.came).length
  const sends = OPERATIONS[operation] === "producer" || OPERATIONS[operation] === "signaller"
  if (turns === 1 && rows.at(-1)?.came === sends) return undefined
  return `${operation}: came ${rows.map(({ came }) => (came ? "yes" : "no")).join(" ")}, of which one turn is expected`
}
