// reporter.mjs: tap's output for people: a line for each file, each failure in full, and at last "N passed, N failed".
// It counts tests, not assertions: a test is a block of t.test() with no block inside, or a file with no block at all.
// A file in which nothing ran counts as failed, so that a run of nothing never looks green. tap loads this file itself,
// in a process without a TypeScript loader, hence plain JavaScript.

import { Transform } from "node:stream"
import { Parser } from "tap-parser"

const DETAILS = ["tapError", "diff", "found", "wanted", "error", "exitCode", "signal", "expired", "stack"]

export default class Reporter extends Transform {
  #passed = 0
  #failed = 0
  #skipped = 0
  #root = new Parser()

  constructor() {
    super()
    this.#watch(this.#root, [])
    this.#root.on("bailout", reason => this.#failWith(`bail out: ${reason}`))
  }

  _transform(chunk, _encoding, done) {
    this.#root.write(chunk)
    done()
  }

  _flush(done) {
    this.#root.end()
    if (this.#passed + this.#failed === 0) this.#failWith("no test was run")
    if (this.#failed > 0) process.exitCode ||= 1
    if (this.#skipped > 0) this.push(`${this.#skipped} skipped\n`)
    this.push(`${this.#passed} passed, ${this.#failed} failed\n`)
    done()
  }

  /** Returns the tally of the block that `parser` reads: tests inside it, failures counted, failed assertions shown. */
  #watch(parser, path) {
    const tally = { name: parser.name, tests: 0, failures: 0, shown: 0 }
    let child
    parser.on("child", block => {
      child = this.#watch(block, [...path, block.name])
    })
    parser.on("assert", point => {
      if (point.closingTestPoint) this.#close(path, point, tally, child)
      else if (point.skip || point.todo) this.#skipped++
      else if (!point.ok) {
        tally.shown++
        this.#explain([...path, point.name], point)
      }
    })
    parser.on("extra", text => this.push(text))
    return tally
  }

  #close(path, point, outer, inner) {
    const isFile = path.length === 0
    const ranNothing = isFile && inner.tests === 0 && point.skip === "no tests found"
    const ok = point.ok && !ranNothing
    // What is wrong with a block whose tests are all well is its own: an assertion beside them, its exit, its time.
    if (!ok && inner.failures === 0 && !point.todo) {
      this.#failed++
      inner.failures++
      if (inner.shown === 0)
        this.#explain([...path, inner.name], ranNothing ? { diag: { error: "ran no test" } } : point)
    } else if (point.skip || point.todo) this.#skipped++
    else if (ok && inner.tests === 0) this.#passed++
    outer.tests += Math.max(inner.tests, 1)
    outer.failures += inner.failures
    if (isFile) this.push(`${ok ? "ok    " : "FAILED"} ${inner.name}  ${Math.round(point.time ?? 0)} ms\n`)
  }

  #failWith(what) {
    this.#failed++
    this.push(`\nFAILED ${what}\n`)
  }

  #explain(path, point) {
    const details = DETAILS.map(key => [key, point.diag?.[key]]).filter(([, value]) => (value ?? null) !== null)
    const lines = details.map(([key, value]) => `  ${key}: ${readable(value)}\n`)
    this.push(`\nFAILED ${path.join(" > ")}${where(point)}\n${lines.join("")}`)
  }
}

function where(point) {
  const at = point.diag?.at
  return at?.fileName ? ` (${at.fileName}:${at.lineNumber})` : ""
}

function readable(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text.includes("\n") ? `\n${text.trimEnd().replace(/^/gm, "    ")}` : text
}
