// coverage.ts: which parts of which sources have been run, by V8's block coverage: what guides the fuzzer.

import { type Profiler, Session } from "node:inspector"

export class Coverage {
  readonly #session = new Session()
  readonly #files: RegExp
  /** By script: 1 for each character that has been run. */
  readonly #seen = new Map<string, Uint8Array>()

  /** @param files the scripts that count, by their URL */
  constructor(files: RegExp) {
    this.#files = files
    this.#session.connect()
    this.#session.post("Profiler.enable")
    this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true })
  }

  /** Whether anything was run since the last look that never was before. `remember` takes it down as seen. */
  grew(remember: boolean): boolean {
    let grew = false
    for (const script of this.#take()) {
      const run = painted(script)
      const seen = this.#seenOf(script.url, run.length)
      for (let at = 0; at < run.length; at++) {
        if (run[at] === 0 || seen[at] === 1) continue
        grew = true
        if (!remember) break
        seen[at] = 1
      }
    }
    return grew
  }

  /** At least so long: only functions that were run are reported. */
  #seenOf(url: string, length: number): Uint8Array {
    let seen = this.#seen.get(url) ?? new Uint8Array(0)
    if (seen.length < length) {
      const longer = new Uint8Array(length)
      longer.set(seen)
      seen = longer
      this.#seen.set(url, seen)
    }
    return seen
  }

  /** Characters of source that have been run. */
  get size(): number {
    let size = 0
    for (const seen of this.#seen.values()) size += seen.reduce((sum, one) => sum + one, 0)
    return size
  }

  stop(): void {
    this.#session.post("Profiler.stopPreciseCoverage")
    this.#session.disconnect()
  }

  #take(): Profiler.ScriptCoverage[] {
    let taken: Profiler.ScriptCoverage[] = []
    // Within one thread the answer is there when the call returns.
    this.#session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error
      taken = result
    })
    return taken.filter(({ url }) => this.#files.test(url))
  }
}

/** Ranges come from the outside in: what is inside another says more. */
function painted({ functions }: Profiler.ScriptCoverage): Uint8Array {
  const end = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map(range => range.endOffset)))
  const run = new Uint8Array(end)
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) run.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  }
  return run
}
