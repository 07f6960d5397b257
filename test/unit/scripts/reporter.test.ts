// reporter.test.ts: what the reporter counts, and that nothing that went wrong looks green.

import { once } from "node:events"
import type { Transform } from "node:stream"
import t from "tap"

// Plain JavaScript without types, hence imported by a name that the compiler does not follow.
const module = new URL("../../helpers/reporter.mjs", import.meta.url).href
const { default: Reporter } = (await import(module)) as { default: new () => Transform }

/** The reporter's whole output for this TAP. It sets the exit code, which is this test's own: put back. */
async function reportOf(...lines: string[]): Promise<{ output: string; last: string; exitCode: unknown }> {
  const { exitCode } = process
  const reporter = new Reporter()
  let output = ""
  reporter.on("data", chunk => {
    output += chunk
  })
  const ended = once(reporter, "end")
  for (const line of lines) reporter.write(`${line}\n`)
  reporter.end()
  await ended
  const set = process.exitCode
  process.exitCode = exitCode
  return { output, last: output.trimEnd().split("\n").at(-1) ?? "", exitCode: set }
}

function file(name: string, ok: boolean, ...lines: string[]): string[] {
  return [`# Subtest: ${name}`, ...lines.map(line => `    ${line}`), `${ok ? "ok" : "not ok"} 1 - ${name}`, "1..1"]
}

function block(name: string, ok: boolean, ...lines: string[]): string[] {
  return [`# Subtest: ${name}`, ...lines.map(line => `    ${line}`), `${ok ? "ok" : "not ok"} 1 - ${name}`]
}

const good = ["ok 1 - fine", "ok 2 - fine", "1..2"]
const bad = ["ok 1 - fine", "not ok 2 - broken", "  ---", "  diff: |", "    -1", "    +2", "  ...", "1..2"]

t.test("reporter counts innermost blocks, whatever their number of assertions", async t => {
  const inner = [
    ...block("one", true, ...good),
    ...block("two", true, ...good).map(line => line.replace("ok 1", "ok 2")),
  ]
  const { last, exitCode } = await reportOf(
    ...file("a.test.ts", true, ...block("outer", true, ...inner, "1..2"), "1..1"),
  )
  t.equal(last, "2 passed, 0 failed")
  t.equal(exitCode, undefined)
})

t.test("reporter counts a file without blocks as one test", async t => {
  t.equal((await reportOf(...file("a.test.ts", true, ...good))).last, "1 passed, 0 failed")
  t.equal((await reportOf(...file("a.test.ts", false, ...bad))).last, "0 passed, 1 failed")
})

t.test("reporter counts a broken block once, and shows where it is and what differs", async t => {
  const { output, last, exitCode } = await reportOf(
    ...file("a.test.ts", false, ...block("outer", false, ...block("inner", false, ...bad), "1..1"), "1..1"),
  )
  t.equal(last, "0 passed, 1 failed")
  t.equal(exitCode, 1)
  t.match(output, "FAILED a.test.ts > outer > inner > broken")
  t.match(output, "-1\n    +2")
})

t.test("reporter counts a file that fails after its tests have passed", async t => {
  const { output, last } = await reportOf(
    "# Subtest: a.test.ts",
    ...[...block("one", true, ...good), "1..1"].map(line => `    ${line}`),
    "not ok 1 - a.test.ts",
    "  ---",
    "  exitCode: 3",
    "  ...",
    "1..1",
  )
  t.equal(last, "1 passed, 1 failed")
  t.match(output, "exitCode: 3")
})

t.test("reporter takes a file that ran nothing, and a run of nothing, for failures", async t => {
  const empty = ["# Subtest: b.test.ts", "    1..0 # no tests found", "ok 2 - b.test.ts # SKIP no tests found", "1..2"]
  const oneEmpty = await reportOf(...file("a.test.ts", true, ...good).slice(0, -1), ...empty)
  t.equal(oneEmpty.last, "1 passed, 1 failed")
  t.equal(oneEmpty.exitCode, 1)
  const nothing = await reportOf("TAP version 14", "1..0")
  t.equal(nothing.last, "0 passed, 1 failed")
  t.equal(nothing.exitCode, 1)
})

t.test("reporter counts what is skipped as neither", async t => {
  const { output, last } = await reportOf(
    ...file("a.test.ts", true, ...block("one", true, ...good), "ok 2 - two # SKIP one processor only", "1..2"),
  )
  t.equal(last, "1 passed, 0 failed")
  t.match(output, "1 skipped")
})

t.test("reporter takes a bail out for a failure", async t => {
  const { output, last, exitCode } = await reportOf(
    ...file("a.test.ts", true, ...good).slice(0, -1),
    "Bail out! no memory",
  )
  t.equal(last, "1 passed, 1 failed")
  t.match(output, "FAILED bail out: no memory")
  t.equal(exitCode, 1)
})
