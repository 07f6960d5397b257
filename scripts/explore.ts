// explore.ts: `npm run explore [-- --json]`: what ships, under every schedule of small cases; then faulty copies of it, each of
// which must be found. `--small`: the smaller cases. `--cases`: no mutants. `--mutants`: nothing else. `--only TEXT`: those of any kind
// that have this in their name. `--seed S [--runs N]`: random schedules of larger cases instead, N of each. `--replay FILE`: the schedule that the output of a
// failed run ends with.

import { readFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { CASES, LARGE, SMALL } from "../src/explorer/cases/all.ts"
import { SMALL_SHAPES } from "../src/explorer/cases/shapes.ts"
import { type Case, type Exploration, replay, type Sample } from "../src/explorer/explore.ts"
import { takeOverKernel } from "../src/explorer/process.ts"
import type { Failure } from "../src/explorer/system.ts"
import { caseNamed } from "./explore-case.ts"
import { runJobs } from "./explore-jobs.ts"
import { shippedBinary } from "./explore-module.ts"
import { exploreMutants, type Verdict } from "./explore-mutants.ts"
import type { Job } from "./explore-worker.ts"
import { numberOption, refuse } from "./options.ts"

const SCHEDULE = "schedule "
const MAX_SEED = 2 ** 32 - 1
const MAX_RUNS = 1e6

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    small: { type: "boolean", default: false },
    cases: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    seed: { type: "string" },
    runs: { type: "string", default: "100" },
    replay: { type: "string" },
  },
})
const seed = values.seed === undefined ? undefined : numberOption("seed", values.seed, 0, MAX_SEED)
const runs = numberOption("runs", values.runs, 1, MAX_RUNS)

function printFailure(name: string, { why, trace, ...schedule }: Failure): void {
  for (const line of trace) console.log(`  ${line}`)
  console.log(`${name}: ${why}`)
  console.log(SCHEDULE + JSON.stringify({ name, ...schedule }))
}

function lineOf(outcome: Exploration | Sample): string {
  const { name, failure: _, ...counts } = outcome
  if ("runs" in counts) return `${name}: ${counts.runs} random schedules, ${counts.steps} steps`
  const bound = counts.mostSwitches === undefined ? "NOT complete" : `all of at most ${counts.mostSwitches} switches`
  const extent = counts.complete ? "complete" : bound
  return `${name}: ${counts.schedules} schedules, ${counts.states} states, at most ${counts.longest} steps; ${extent}`
}

function printVerdict({ what, by, equivalent }: Verdict): void {
  if (equivalent === undefined) console.log(by === undefined ? `NOT CAUGHT: ${what}` : `caught: ${what}\n  ${by}`)
  else console.log(by === undefined ? `equivalent: ${what}\n  ${equivalent}` : `NOT EQUIVALENT: ${what}\n  ${by}`)
}

function replayFile(file: string): void {
  const line = readFileSync(file, "utf8")
    .split("\n")
    .find(text => text.startsWith(SCHEDULE))
  if (line === undefined) refuse(`${file} holds no line that begins with "${SCHEDULE}"`)
  const { name, ...schedule } = JSON.parse(line.slice(SCHEDULE.length)) as { name: string } & Failure
  takeOverKernel()
  printFailure(name, replay(new WebAssembly.Module(shippedBinary()), caseNamed(name), schedule))
}

async function exploreCases(jobs: readonly Job[]): Promise<{ ok: boolean; cases: object[] }> {
  const cases: object[] = []
  let ok = true
  await runJobs(jobs, result => {
    if (result.kind !== "explored" && result.kind !== "sampled")
      throw new Error(`An explorer answered "${result.kind}"`)
    const { outcome } = result
    const { failure, ...counts } = outcome
    if (failure !== undefined) printFailure(outcome.name, failure)
    else console.log(lineOf(outcome))
    ok &&= failure === undefined && (!("complete" in outcome) || outcome.complete || outcome.mostSwitches !== undefined)
    cases.push(JSON.parse(JSON.stringify(counts, (_, value) => (typeof value === "bigint" ? String(value) : value))))
  })
  return { ok, cases }
}

function namesOf(cases: readonly Case[]): string[] {
  return cases.map(({ name }) => name).filter(name => name.includes(values.only))
}

async function exploreAll(): Promise<{ ok: boolean; cases: object[]; seed?: number; mutants?: object }> {
  const binary = shippedBinary()
  if (seed !== undefined) {
    const jobs = namesOf(LARGE).map((name): Job => ({ kind: "sample", name, binary, seed, runs }))
    return { seed, ...(await exploreCases(jobs)) }
  }
  const chosen = values.mutants ? [] : values.small ? [...SMALL, ...SMALL_SHAPES] : CASES
  const outcome = await exploreCases(namesOf(chosen).map((name): Job => ({ kind: "explore", name, binary })))
  if (!outcome.ok || values.cases) return outcome
  const verdicts = await exploreMutants(binary, printVerdict, values.only)
  const expected = verdicts.filter(({ equivalent }) => equivalent === undefined)
  const mutants = {
    caught: expected.filter(({ by }) => by !== undefined).length,
    of: expected.length,
    equivalent: verdicts.length - expected.length,
  }
  console.log(`${mutants.caught} of ${mutants.of} mutants are caught; ${mutants.equivalent} are equivalent`)
  const ok = verdicts.every(({ by, equivalent }) => (by === undefined) === (equivalent !== undefined))
  return { ...outcome, ok, mutants }
}

if (values.replay !== undefined) replayFile(values.replay)
else {
  const result = await exploreAll()
  if (values.json) console.log(JSON.stringify(result))
  if (!result.ok) process.exitCode = 1
}
