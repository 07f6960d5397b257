// explore-worker.ts: a process that explores what it is told to, one job after the other. Started by explore-jobs.ts.

import { SMALL } from "../src/explorer/cases/all.ts"
import { SMALL_SHAPES } from "../src/explorer/cases/shapes.ts"
import { type Exploration, explore, type Sample, sample } from "../src/explorer/explore.ts"
import { takeOverKernel } from "../src/explorer/process.ts"
import { Violation } from "../src/explorer/system.ts"
import { caseNamed, compiled, shippedModule } from "./explore-case.ts"

export type Job =
  | { readonly kind: "explore"; readonly name: string }
  | { readonly kind: "sample"; readonly name: string; readonly seed: number; readonly runs: number }
  /**
   * All small cases, until one fails; `cases`: those of shapes.ts whose name has this in it, instead of all others. `changed`:
   * with this text of a source file of src/ring/wasm.
   */
  | {
      readonly kind: "small"
      readonly changed: { readonly path: string; readonly text: string } | undefined
      readonly cases: string | undefined
    }

export type JobResult =
  | { readonly kind: "explored"; readonly outcome: Exploration }
  | { readonly kind: "sampled"; readonly outcome: Sample }
  /** A small case is done, and the next one is begun. */
  | { readonly kind: "goes on" }
  /** The small case that failed, and why; or none. */
  | { readonly kind: "small"; readonly failed: string | undefined }
  | { readonly kind: "error"; readonly message: string }

async function run(job: Job): Promise<JobResult> {
  if (job.kind === "explore") return { kind: "explored", outcome: explore(shippedModule(), caseNamed(job.name)) }
  if (job.kind === "sample") {
    return { kind: "sampled", outcome: sample(shippedModule(), caseNamed(job.name), job.seed, job.runs) }
  }
  return { kind: "small", failed: await failedSmall(job) }
}

async function failedSmall({ changed, cases }: Job & { kind: "small" }): Promise<string | undefined> {
  const chosen = cases === undefined ? SMALL : SMALL_SHAPES.filter(({ name }) => name.includes(cases))
  const module = changed === undefined ? shippedModule() : compiled(await (await compiler()).compileWasm(changed))
  for (const explored of chosen) {
    try {
      const { complete, failure } = explore(module, explored)
      if (failure !== undefined) return `${explored.name}: ${failure.why}`
      if (!complete) throw new Error(`"${explored.name}" has too many states`)
    } catch (error) {
      if (error instanceof Violation) return `${explored.name}: ${error.message}`
      throw error
    }
    process.send?.({ kind: "goes on" } satisfies JobResult)
  }
  return undefined
}

/** Only who needs the compiler loads it: that takes seconds. */
function compiler(): Promise<typeof import("./build-wasm.ts")> {
  return import("./build-wasm.ts")
}

takeOverKernel()
process.on("message", async (job: Job) => {
  try {
    process.send?.(await run(job))
  } catch (error) {
    process.send?.({ kind: "error", message: String(error) } satisfies JobResult)
  }
})
