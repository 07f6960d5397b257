// explore-worker.ts: a process that explores what it is told to, one job after the other. Started by explore-jobs.ts.

import { type Exploration, explore, type Sample, sample } from "../src/explorer/explore.ts"
import { Violation } from "../src/explorer/memory.ts"
import { takeOverKernel } from "../src/explorer/process.ts"
import { caseNamed } from "./explore-case.ts"

/** As explore-module.ts makes it. */
type Binary = Uint8Array<ArrayBuffer>

export type Job =
  | { readonly kind: "explore"; readonly name: string; readonly binary: Binary }
  | {
      readonly kind: "sample"
      readonly name: string
      readonly binary: Binary
      readonly seed: number
      readonly runs: number
    }
  /** These cases, until one fails, of this module or of one that is compiled with this text of a file of src/ring/wasm. */
  | {
      readonly kind: "untilFailure"
      readonly names: readonly string[]
      readonly of: Binary | { readonly path: string; readonly text: string }
    }

export type JobResult =
  | { readonly kind: "explored"; readonly outcome: Exploration }
  | { readonly kind: "sampled"; readonly outcome: Sample }
  /** It is compiled, or one step more was made from each state, or one of the cases is done. */
  | { readonly kind: "goes on" }
  /** The case that failed, and why; or none. */
  | { readonly kind: "failed"; readonly by: string | undefined }
  | { readonly kind: "error"; readonly message: string }

/** Of a small case, which has at most 51,000 states and 150 steps as it ships: with more, it goes round and counts as it does. */
const END = { mostStates: 400_000, mostSteps: 500 } as const

async function run(job: Job): Promise<JobResult> {
  if (job.kind === "untilFailure") return { kind: "failed", by: await firstFailure(job) }
  const module = new WebAssembly.Module(job.binary)
  const explored = caseNamed(job.name)
  if (job.kind === "explore") return { kind: "explored", outcome: explore(module, explored) }
  return { kind: "sampled", outcome: sample(module, explored, job.seed, job.runs) }
}

async function firstFailure({ names, of }: Job & { kind: "untilFailure" }): Promise<string | undefined> {
  const binary = of instanceof Uint8Array ? of : await (await compiler()).changedBinary(of)
  const module = new WebAssembly.Module(binary)
  goOn()
  for (const explored of names.map(caseNamed)) {
    try {
      const { complete, failure, states, longest } = explore(module, explored, { ...END, onLayer: goOn })
      if (failure !== undefined) return `${explored.name}: ${failure.why}`
      if (!complete) return `${explored.name}: no end within ${states} states and ${longest} steps`
    } catch (error) {
      if (error instanceof Violation) return `${explored.name}: ${error.message}`
      throw error
    }
    goOn()
  }
  return undefined
}

function goOn(): void {
  process.send?.({ kind: "goes on" } satisfies JobResult)
}

/** Only who needs the compiler loads it: that takes a second. */
function compiler(): Promise<typeof import("./explore-module.ts")> {
  return import("./explore-module.ts")
}

takeOverKernel()
process.on("message", async (job: Job) => {
  try {
    process.send?.(await run(job))
  } catch (error) {
    process.send?.({ kind: "error", message: String(error) } satisfies JobResult)
  }
})
