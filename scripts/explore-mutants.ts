// explore-mutants.ts: would the explorer see it? Each mutant of the ring is explored in the small cases, until one fails.

import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import { FOR_MUTANTS } from "../src/explorer/cases/all.ts"
import { SMALL_SHAPES } from "../src/explorer/cases/shapes.ts"
import { EQUIVALENT } from "../src/explorer/equivalent-mutants.ts"
import { MUTANTS } from "../src/explorer/mutants.ts"
import { SHAPE_MUTANTS } from "../src/explorer/shape-mutants.ts"
import { bundleWorker } from "./explore-bundle.ts"
import { AT_ONCE, Worker } from "./explore-jobs.ts"
import type { Job } from "./explore-worker.ts"
import { type RingMutant, ringMutantsOf } from "./ring-mutants.ts"
import { makeWorkingCopy } from "./working-copy.ts"

const root = join(import.meta.dirname, "..")
export const HOT = [
  "producer",
  "consumer",
  "record-producer",
  "record-consumer",
  "record",
  "signaller",
  "waiter",
  "sleep",
  "slot",
].map(name => `src/ring/wasm/${name}.ts`)
/** Of wait.ts the functions that an end waits in and is woken by; the others check arguments and read status words. */
const WAIT = { path: "src/ring/wait.ts", within: ["until", "wakeSleeper", "wake"] }
/** Whose code no other cases run. */
const RUN_BY: Readonly<Record<string, RegExp>> = {
  signaller: /notification/,
  waiter: /notification/,
  "record-producer": /record/,
  "record-consumer": /record/,
  record: /record/,
}
/**
 * Without a word: a layer of a small case takes less than a second, the compiler three when all is cold. A mutant that computes for
 * longer goes round without an access.
 */
const MOST_CPU_MS = 15_000

export interface Verdict {
  readonly what: string
  /** The case that failed, and why. */
  readonly by: string | undefined
  /** Why nothing should fail. */
  readonly equivalent: string | undefined
}

interface Fault {
  readonly path: string
  readonly what: string
  readonly text: string
  readonly equivalent: string | undefined
  /** As that of a Mutant. */
  readonly cases?: string | undefined
}

/** All of them: those by rule, then those by hand. @throws {Error} a reason that is for no mutant */
export function faults(): Fault[] {
  const read = (path: string): string => readFileSync(join(root, path), "utf8")
  const byRule = [
    ...HOT.flatMap(path => ringMutantsOf(path, read(path))),
    ...ringMutantsOf(WAIT.path, read(WAIT.path), WAIT.within),
  ]
  const used = new Set<object>()
  const reasonFor = ({ path, within, from, to, nth }: RingMutant): string | undefined => {
    const name = path.slice(path.lastIndexOf("/") + 1)
    for (const { file, within: place, changes, reason } of EQUIVALENT) {
      if (file !== name || place !== within) continue
      const change = changes.find(([a, b, c = 1]) => a === from && b === to && c === nth)
      if (change === undefined) continue
      used.add(change)
      return reason
    }
    return undefined
  }
  const rules = byRule.map(mutant => ({
    path: mutant.path,
    what: `${mutant.within}: ${mutant.from} => ${mutant.to}`,
    text: mutant.text,
    equivalent: reasonFor(mutant),
  }))
  const stale = EQUIVALENT.flatMap(({ changes }) => changes).find(change => !used.has(change))
  if (stale !== undefined) throw new Error(`There is no mutant "${stale.join(" => ")}"`)
  const byHand = [...MUTANTS, ...SHAPE_MUTANTS].map(({ path, from, to, what, equivalent, cases }) => {
    const source = read(path)
    if (source.split(from).length !== 2) throw new Error(`"${what}": its text must occur once in ${path}`)
    return { path, what, text: source.replace(from, () => to), equivalent, cases }
  })
  return [...rules, ...byHand]
}

/**
 * Explores the mutants that have `only` in their name, two at a time. `tell` is called for each as it is done.
 * @param shipped the module that ships, rewritten: what those of its callers are explored with
 */
export async function exploreMutants(
  shipped: Uint8Array<ArrayBuffer>,
  tell: (verdict: Verdict) => void,
  only: string,
): Promise<Verdict[]> {
  const waiting = faults().filter(fault => nameOf(fault).includes(only))
  const verdicts: Verdict[] = []
  const work = async (): Promise<void> => {
    const explorer = new MutantExplorer(shipped)
    try {
      for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) {
        const by = await explorer.failed(fault)
        const verdict = { what: nameOf(fault), by, equivalent: fault.equivalent }
        verdicts.push(verdict)
        tell(verdict)
      }
    } finally {
      explorer.close()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return verdicts
}

function nameOf({ path, what }: Fault): string {
  return `${path}: ${what}`
}

/** @param cases of shapes.ts, those whose name has this in it */
function namesFor(path: string, cases?: string): string[] {
  if (cases !== undefined) return SMALL_SHAPES.map(({ name }) => name).filter(name => name.includes(cases))
  const runBy = RUN_BY[basename(path, ".ts")] ?? /^/
  return FOR_MUTANTS.map(({ name }) => name).filter(name => runBy.test(name))
}

/** What is WebAssembly is compiled in a worker that stays; the rest needs a new one, of changed sources. */
class MutantExplorer {
  readonly #shipped: Uint8Array<ArrayBuffer>
  readonly #copy = makeWorkingCopy([])
  /** By source file, the case that caught its last mutant: most often it catches the next one too. */
  readonly #catchers = new Map<string, string>()
  #worker: Worker | undefined

  constructor(shipped: Uint8Array<ArrayBuffer>) {
    this.#shipped = shipped
  }

  /** @returns which case failed, and why */
  async failed({ path, text, cases }: Fault): Promise<string | undefined> {
    const names = this.#inOrder(path, namesFor(path, cases))
    const by = await this.#run(names, path, text)
    const catcher = names.find(name => by?.startsWith(`${name}: `))
    if (catcher !== undefined) this.#catchers.set(path, catcher)
    return by
  }

  #inOrder(path: string, names: readonly string[]): string[] {
    const first = this.#catchers.get(path)
    return [...names.filter(name => name === first), ...names.filter(name => name !== first)]
  }

  async #run(names: readonly string[], path: string, text: string): Promise<string | undefined> {
    if (path.includes("/wasm/")) {
      this.#worker ??= new Worker()
      return await this.#untilFailure(this.#worker, { names, of: { path, text } })
    }
    const worker = new Worker(await bundleWorker(join(this.#copy, "scripts"), { path, text }))
    try {
      return await this.#untilFailure(worker, { names, of: this.#shipped })
    } finally {
      worker.close()
    }
  }

  async #untilFailure(
    worker: Worker,
    job: Pick<Job & { kind: "untilFailure" }, "names" | "of">,
  ): Promise<string | undefined> {
    const result = await worker.run({ kind: "untilFailure", ...job }, MOST_CPU_MS)
    if (result === "hangs") {
      if (worker === this.#worker) this.#worker = undefined
      return `no progress: it computes for ${MOST_CPU_MS / 1000} s without an end or a shared access`
    }
    if (result.kind !== "failed") throw new Error(`An explorer answered "${result.kind}"`)
    return result.by
  }

  close(): void {
    this.#worker?.close()
  }
}
