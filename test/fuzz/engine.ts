// engine.ts: runs a target on mutated inputs for a time, keeps those that run something new, and stops at the first finding.

import vm from "node:vm"
import { Coverage } from "./coverage.ts"
import { mutate, Random } from "./mutate.ts"
import { Finding, type Target } from "./target.ts"

export interface Outcome {
  readonly target: string
  readonly runs: number
  /** Inputs, each of which runs something that those before it do not. */
  readonly corpus: readonly Uint8Array[]
  /** Characters of source that were run. */
  readonly covered: number
  /** The longest that one input took. */
  readonly longestMs: number
  readonly finding?: { readonly input: Uint8Array; readonly error: unknown }
}

/** Inputs between two looks at the coverage. */
const BATCH = 128
/** An input that takes longer, twice, is a finding: once it may have been others who had the processor. */
const LONG_MS = 1_000
/** A batch that takes longer has hung. */
const HANG_MS = 20_000

/**
 * @param known the corpus so far
 * @param until by performance.now()
 */
export function fuzz(target: Target, known: readonly Uint8Array[], seed: number, until: number): Outcome {
  const coverage = new Coverage(target.sources)
  const random = new Random(seed)
  const corpus: Uint8Array[] = []
  let runs = 0
  let longestMs = 0
  let finding: Outcome["finding"]
  const run = (inputs: readonly Uint8Array[]): boolean => {
    let at = 0
    try {
      inTime(() => {
        for (; at < inputs.length; at++) {
          const begun = performance.now()
          target.run(inputs[at] as Uint8Array)
          const ms = performance.now() - begun
          longestMs = Math.max(longestMs, ms)
          if (ms > LONG_MS && isLong(target, inputs[at] as Uint8Array)) throw new Finding(`it takes ${ms} ms`)
        }
      })
    } catch (error) {
      finding = { input: inputs[at] as Uint8Array, error }
    }
    runs += inputs.length
    return finding === undefined
  }
  /** Those that add something, the shortest first. */
  const keep = (inputs: readonly Uint8Array[]): void => {
    for (const input of [...inputs].sort((a, b) => a.length - b.length)) {
      if (!run([input])) return
      if (coverage.grew(true)) corpus.push(input)
    }
  }
  const seeds = target.seeds()
  // Seeds differ in what a table says as well, which no coverage shows.
  const any = (): Uint8Array => random.one(corpus.length === 0 || random.below(2) === 0 ? seeds : corpus)
  keep([...known, ...seeds])
  while (finding === undefined && performance.now() < until) {
    const inputs = Array.from({ length: BATCH }, () => mutate(any(), any(), random))
    if (run(inputs) && coverage.grew(false)) keep(inputs)
  }
  const covered = coverage.size
  coverage.stop()
  return { target: target.name, runs, corpus, covered, longestMs, ...(finding === undefined ? {} : { finding }) }
}

function isLong(target: Target, input: Uint8Array): boolean {
  const begun = performance.now()
  target.run(input)
  return performance.now() - begun > LONG_MS
}

const holder = globalThis as unknown as { kaalFuzz: () => void }
const script = new vm.Script("kaalFuzz()")

/** @throws {Finding} it takes longer; or what `action` throws */
export function inTime(action: () => void, limitMs = HANG_MS): void {
  holder.kaalFuzz = action
  try {
    script.runInThisContext({ timeout: limitMs })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error
    throw new Finding(`it takes more than ${limitMs} ms`)
  }
}
