// soak.ts: runs soak-root in a system of its own, looks at its processes every few seconds, and judges the whole at its end.

import { type ChildProcess, spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import { type Census, censusOf } from "../../src/kernel-daemon/broker/census.ts"
import { FAULTS } from "../fixtures/components/soak-root/board.ts"
import type { Books } from "../fixtures/components/soak-root/channels.ts"
import type { Latencies, Report } from "../fixtures/components/soak-root/main.ts"
import { bundleComponents, descendants, processes, root } from "../helpers/system.ts"

export interface SoakOptions {
  readonly seed: number
  readonly seconds: number
  /** Channels at a time; twice as many components. */
  readonly places: number
  /** Seconds between samples. */
  readonly every: number
  /** So many operations are done at least, however slow the host is. */
  readonly leastOperations?: number
  /** What it is to do wrong, to see that it is noticed. */
  readonly fault?: (typeof FAULTS)[number]
  readonly onSample?: (sample: Sample) => void
}

/** The kernel's holdings by name: see describeHoldings. */
export type Held = Readonly<Record<string, number>>

interface Holdings {
  readonly held: Held
  readonly daemon: Census
}

/** What there was when everything was closed and taken back. */
export interface Ebb extends Holdings {
  /** Since the first operation. */
  readonly seconds: number
  /** Of soak-root, the one component that lives all the time; undefined where nobody may look. */
  readonly rootTask: Census | undefined
  readonly processes: number
}

export interface Sample extends Ebb {
  readonly latencies: Latencies
  readonly books: Books
}

/** What a run left to be judged. */
export interface SoakRun {
  readonly samples: readonly Sample[]
  readonly ebbs: readonly Ebb[]
  readonly operations: Readonly<Record<string, number>>
  readonly books: Books
  /** The last thing that it said; undefined: it was ended before it came to an end. */
  readonly last: Report | undefined
  readonly exitCode: number | null
  /** Processes that are left afterwards. */
  readonly processesLeft: number
  /** Everything that was printed and is no report. */
  readonly output: string
}

const NO_BOOKS: Books = { messages: 0, lost: 0, duplicated: 0, garbled: 0, redelivered: 0 }
/** What an orderly end may take beyond the plan's time: one answer that does not come, and the last ebb. */
const END_SECONDS = 90
/** Into the second in which nothing happens at an ebb. */
const EBB_LOOK_MS = 400
const HOLDINGS_MS = 2_000
const HOLDINGS = /the (kernel|daemon) holds: (.+)$/

export async function soak(options: SoakOptions): Promise<SoakRun> {
  const folder = await bundleComponents(["soak-root", "soak-end"])
  try {
    return await new Watch(folder, options).finished()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

class Watch {
  readonly #options: SoakOptions
  readonly #folder: string
  readonly #kaal: ChildProcess
  readonly #samples: Sample[] = []
  readonly #ebbs: Ebb[] = []
  #work: Promise<void> = Promise.resolve()
  #begunMs = 0
  #rootTask = 0
  #last: Report | undefined
  #output = ""
  #held: Held = {}
  #onHeld: ((holdings: Holdings) => void) | undefined

  constructor(folder: string, options: SoakOptions) {
    const { seed, seconds, places, every, fault = "none", leastOperations = 0 } = options
    this.#options = options
    this.#folder = folder
    const numbers = [seed, seconds, places, every, FAULTS.indexOf(fault), leastOperations].map(String)
    const kaal = [process.execPath, join(root, "dist/kaal.cjs"), "run", "soak-root", ...numbers]
    const timeout = String(Math.ceil(seconds) + END_SECONDS)
    // Without the test runner's options, which would only slow it.
    this.#kaal = spawn("/usr/bin/env", ["-u", "NODE_OPTIONS", ...kaal, "--components", folder, "--timeout", timeout], {
      stdio: ["ignore", "pipe", "pipe"],
    })
    for (const stream of [this.#kaal.stdout, this.#kaal.stderr]) {
      let rest = ""
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        const lines = (rest + chunk).split("\n")
        rest = lines.pop() ?? ""
        for (const line of lines) this.#read(line)
      })
    }
  }

  async finished(): Promise<SoakRun> {
    const exitCode = await new Promise<number | null>(resolve => this.#kaal.once("close", resolve))
    await this.#work
    const last = this.#last
    const told = last?.kind === "done" || last?.kind === "sample" ? last.operations : {}
    return {
      samples: this.#samples,
      ebbs: this.#ebbs,
      operations: told,
      books: last === undefined || last.kind === "ebb" ? NO_BOOKS : last.books,
      last,
      exitCode,
      processesLeft: processes().filter(({ command }) => command.includes(this.#folder)).length,
      output: this.#output,
    }
  }

  #read(line: string): void {
    const [, whose, holdings] = HOLDINGS.exec(line) ?? []
    if (holdings !== undefined) {
      const counts = parseCounts(holdings)
      // The daemon's come last.
      if (whose === "kernel") this.#held = counts
      else this.#onHeld?.({ held: this.#held, daemon: counts as unknown as Census })
      return
    }
    if (!line.startsWith('{"kind"')) {
      if (!line.startsWith("kaal run:")) this.#output += `${line}\n`
      return
    }
    const report = JSON.parse(line) as Report
    this.#last = report
    // One look after another.
    if (report.kind === "ebb") this.#work = this.#work.then(() => this.#lookAtEbb())
    if (report.kind === "sample") this.#work = this.#work.then(() => this.#lookAt(report))
  }

  async #lookAtEbb(): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, EBB_LOOK_MS))
    if (this.#begunMs === 0) this.#begunMs = performance.now()
    const seen = await this.#look()
    if (seen !== undefined) this.#ebbs.push(seen)
  }

  async #lookAt({ latencies, books }: Extract<Report, { kind: "sample" }>): Promise<void> {
    const seen = await this.#look()
    if (seen === undefined) return
    const sample = { ...seen, latencies, books }
    this.#samples.push(sample)
    this.#options.onSample?.(sample)
  }

  async #look(): Promise<Ebb | undefined> {
    const tree = descendants(this.#kaal.pid ?? 0)
    this.#rootTask ||= tree.find(({ command }) => command.endsWith("/soak-root.cjs"))?.pid ?? 0
    const holdings = await this.#holdings()
    if (holdings === undefined) return undefined
    const seconds = (performance.now() - this.#begunMs) / 1_000
    return { seconds, ...holdings, rootTask: censusOrNone(this.#rootTask), processes: tree.length }
  }

  #holdings(): Promise<Holdings | undefined> {
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(undefined), HOLDINGS_MS)
      this.#onHeld = holdings => {
        clearTimeout(timer)
        resolve(holdings)
      }
      this.#kaal.kill("SIGUSR2")
    })
  }
}

function censusOrNone(pid: number): Census | undefined {
  try {
    return censusOf(pid)
  } catch {
    return undefined
  }
}

/** "components 3, bells 2" */
function parseCounts(text: string): Held {
  return Object.fromEntries(
    text
      .split(", ")
      .map(part => part.split(" "))
      .map(([what, count]) => [what, Number(count)]),
  )
}
