// explore.ts: runs what ships under every schedule of small cases; then faulty copies of it, each of which must be found.
// Options: --json; --small, the smaller cases; --cases, no mutants; --replay FILE, which holds a failed run's output.

import { spawnSync } from "node:child_process"
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { notificationCase } from "../src/explorer/cases/notification.ts"
import { ringCase } from "../src/explorer/cases/ring.ts"
import { ALL_SHAPES, SMALL_SHAPES } from "../src/explorer/cases/shapes.ts"
import { type Exploration, explore } from "../src/explorer/explore.ts"
import { instrument } from "../src/explorer/instrument.ts"
import { MUTANTS, type Mutant } from "../src/explorer/mutants.ts"
import { takeOverFutexes } from "../src/explorer/process.ts"
import { makeWorkingCopy } from "./working-copy.ts"

const root = join(import.meta.dirname, "..")
const MUTANT_DEADLINE_MS = 60_000
const SCHEDULE = "schedule "
const FORMS = ["index", "slot"] as const
const small = [
  ...FORMS.flatMap(form => [ringCase(form, 1, 2), ringCase(form, 2, 2)]),
  notificationCase([1, 1]),
  notificationCase([2, 0]),
  ...SMALL_SHAPES,
]
const cases = [
  ...small,
  ...ALL_SHAPES.filter(explored => !SMALL_SHAPES.includes(explored)),
  ...FORMS.flatMap(form => [1, 2, 4].map(capacity => ringCase(form, capacity, 3))),
  notificationCase([2, 1]),
]

const has = (option: string): boolean => process.argv.includes(option)

function report({ name, schedules, states, longest, complete, failure }: Exploration): void {
  const extent = complete ? "complete" : "NOT complete"
  if (failure === undefined)
    return console.log(`${name}: ${schedules} schedules, ${states} states, at most ${longest} steps; ${extent}`)
  for (const line of failure.trace) console.log(`  ${line}`)
  console.log(`${name}: ${failure.why}`)
  console.log(SCHEDULE + JSON.stringify({ name, schedule: failure.schedule }))
}

/** The module is that of dist/, compiled for as many cases as there are. */
function load(): WebAssembly.Module {
  takeOverFutexes()
  return new WebAssembly.Module(instrument(readFileSync(join(root, "dist", "ring.wasm"))) as Uint8Array<ArrayBuffer>)
}

function replay(file: string): void {
  const lines = readFileSync(file, "utf8").split("\n")
  const line = lines.find(text => text.startsWith(SCHEDULE))
  if (line === undefined) throw new Error(`${file} holds no line that begins with "${SCHEDULE}"`)
  const { name, schedule } = JSON.parse(line.slice(SCHEDULE.length)) as { name: string; schedule: number[] }
  const explored = cases.find(other => other.name === name)
  if (explored === undefined) throw new Error(`There is no case "${name}"`)
  report(explore(load(), explored, schedule))
}

/** Makes the change in `copy`, builds, explores the small cases, and undoes it. True when they fail. */
function isCaught(copy: string, { path, from, to, what }: Mutant): boolean {
  const file = join(copy, path)
  const source = readFileSync(file, "utf8")
  if (source.split(from).length !== 2) throw new Error(`"${what}": its text must occur once in ${path}`)
  const run = (script: string, ...args: string[]) =>
    spawnSync(process.execPath, ["--import", "./scripts/load-ts.mjs", script, ...args], {
      cwd: copy,
      encoding: "utf8",
      timeout: MUTANT_DEADLINE_MS,
    })
  writeFileSync(
    file,
    source.replace(from, () => to),
  )
  try {
    cpSync(join(root, "dist/ring.wasm"), join(copy, "dist/ring.wasm"))
    if (path.includes("/wasm/")) {
      const { status, stderr } = run("scripts/build-wasm.ts", join(copy, "dist/ring.wasm"))
      if (status !== 0) throw new Error(`"${what}" does not compile: ${stderr}`)
    }
    // Caught is what a case found: that says with which schedule. Anything else that goes wrong is not.
    const { status, stdout } = run("scripts/explore.ts", "--cases", "--small")
    return status === 1 && stdout.includes(`\n${SCHEDULE}`)
  } finally {
    writeFileSync(file, source)
  }
}

function exploreMutants(): { caught: number; of: number; list: { what: string; caught: boolean }[] } {
  const copy = makeWorkingCopy(["src", "native", "scripts"])
  try {
    const list = MUTANTS.filter(mutant => mutant.equivalent === undefined).map(mutant => {
      const caught = isCaught(copy, mutant)
      console.log(`${caught ? "caught" : "NOT CAUGHT"}: ${mutant.what} (${mutant.path})`)
      return { what: mutant.what, caught }
    })
    for (const mutant of MUTANTS) {
      if (mutant.equivalent === undefined) continue
      if (isCaught(copy, mutant)) throw new Error(`"${mutant.what}" is listed as equivalent, and is caught`)
      console.log(`equivalent: ${mutant.what} (${mutant.path}): ${mutant.equivalent}`)
    }
    return { caught: list.filter(({ caught }) => caught).length, of: list.length, list }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function main(): void {
  const module = load()
  const outcomes: Exploration[] = []
  for (const explored of has("--small") ? small : cases) {
    const outcome = explore(module, explored)
    report(outcome)
    outcomes.push(outcome)
    if (outcome.failure !== undefined) break
  }
  let ok = outcomes.every(({ complete }) => complete)
  const mutants = ok && !has("--cases") ? exploreMutants() : { caught: 0, of: 0, list: [] }
  if (mutants.of > 0) console.log(`${mutants.caught} of ${mutants.of} mutants are caught`)
  ok &&= mutants.caught === mutants.of
  if (has("--json")) {
    const short = outcomes.map(({ name, schedules, states, complete }) => ({
      ...{ name, schedules: String(schedules), states, complete },
    }))
    console.log(JSON.stringify({ ok, cases: short, mutants }))
  }
  if (!ok) process.exitCode = 1
}

const replayed = process.argv.indexOf("--replay")
if (replayed > 0) replay(process.argv[replayed + 1] ?? "")
else main()
