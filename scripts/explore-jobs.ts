// explore-jobs.ts: jobs for two explorers side by side, each in a process of its own.

import { type ChildProcess, fork } from "node:child_process"
import { join } from "node:path"
import { ticksOf } from "../src/kernel-daemon/cli/bench/processes.ts"
import { atExit } from "./at-exit.ts"
import type { Job, JobResult } from "./explore-worker.ts"

const root = join(import.meta.dirname, "..")
export const AT_ONCE = 2
/** A worker that says nothing for so long hangs: no case takes that long. */
const SILENCE_MS = 300_000
/** How often it is looked at how long a silent one has computed. */
const LOOK_MS = 1_000
/** As processes.ts counts. */
const TICK_MS = 10

export class Worker {
  readonly #child: ChildProcess
  /** It would end at its next message otherwise, and a case takes minutes. */
  readonly #forget = atExit(() => this.close())

  /** @param script explore-worker.ts, or a bundle of it that can reach the addon */
  constructor(script = join(root, "scripts", "explore-worker.ts")) {
    const loader = script.endsWith(".ts") ? ["--import", "./scripts/load-ts.mjs"] : []
    // Most states are short-lived: with V8's own young generation, 16 MiB, a case takes a tenth longer.
    this.#child = fork(script, {
      cwd: root,
      execArgv: [...loader, "--max-old-space-size=8192", "--max-semi-space-size=64"],
      serialization: "advanced",
    })
  }

  /**
   * @param mostCpuMs how long its threads may compute without a word, whatever else the machine does
   * @returns "hangs" when it did, or said nothing for SILENCE_MS; then it is ended
   * @throws {Error} it died, or something else went wrong than what a case looks for
   */
  run(job: Job, mostCpuMs = Number.POSITIVE_INFINITY): Promise<JobResult | "hangs"> {
    const child = this.#child
    const computedMs = (): number => ticksOf(child.pid as number) * TICK_MS
    const ended = child.signalCode ?? child.exitCode
    if (ended !== null) return Promise.reject(new Error(`An explorer ended with ${ended}`))
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        done()
        child.kill("SIGKILL")
        resolve("hangs")
      }
      let atLastWord = computedMs()
      const computes = setInterval(() => {
        if (computedMs() - atLastWord > mostCpuMs) giveUp()
      }, LOOK_MS)
      const hangs = setTimeout(giveUp, SILENCE_MS)
      const done = (): void => {
        clearInterval(computes)
        clearTimeout(hangs)
        child.off("message", onMessage).off("exit", onExit)
      }
      const onMessage = (result: JobResult): void => {
        if (result.kind === "goes on") {
          atLastWord = computedMs()
          hangs.refresh()
          return
        }
        done()
        if (result.kind === "error") reject(new Error(result.message))
        else resolve(result)
      }
      const onExit = (code: number | null, signal: string | null): void => {
        done()
        reject(new Error(`An explorer ended with ${signal ?? code}`))
      }
      child.on("message", onMessage).on("exit", onExit)
      child.send(job)
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  close(): void {
    this.#forget()
    this.#child.kill("SIGKILL")
  }
}

function nameOf(job: Job): string {
  return job.kind === "untilFailure" ? job.names.join(", ") : job.name
}

/** Runs all jobs, AT_ONCE at a time, and tells of each in the order of the list. */
export async function runJobs(jobs: readonly Job[], tell: (result: JobResult) => void): Promise<void> {
  const results: JobResult[] = []
  let told = 0
  let next = 0
  const work = async (): Promise<void> => {
    const worker = new Worker()
    try {
      for (let at = next++; at < jobs.length; at = next++) {
        const result = await worker.run(jobs[at] as Job)
        if (result === "hangs") throw new Error(`No word for ${SILENCE_MS / 1000} s of "${nameOf(jobs[at] as Job)}"`)
        results[at] = result
        for (; results[told] !== undefined; told++) tell(results[told] as JobResult)
      }
    } finally {
      worker.close()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}
