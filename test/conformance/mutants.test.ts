// mutants.test.ts: which checks check-mutants.ts finds, and what the sources do when one is switched off.

import { transformSync } from "esbuild"
import t from "tap"
import { mutantsOf } from "../../scripts/mutants.ts"

const SOURCE = `
function check(low, high, right, tools) {
  const { KernelError, Right, isSubset, lookupCNode, ensureRights } = tools
  if (low < 0 || high > 9) throw new KernelError("range")
  if (right) ensureRights(1)
  else ensureRights(2)
  ensureRights(lookupCNode(3, Right.read | Right.write))
  return inner(low, high)
  function inner() {
    if (low <= 5 && isSubset(low, high)) return "within"
    throw new KernelError("excess")
  }
}
`

interface World {
  readonly demanded: number[]
}

/** Runs the source with one mutant, or with none: what it returns or throws, and what its checks were told. */
function run(number: number, low: number, high: number, right = true): World & { outcome: unknown } {
  const { text } = mutantsOf("check.ts", SOURCE, 10)
  const demanded: number[] = []
  const tools = {
    KernelError: Error,
    Right: { read: 1, write: 2 },
    isSubset: (a: number, b: number) => a <= b,
    lookupCNode: (_slot: number, needed: number) => needed,
    ensureRights: (needed: number) => demanded.push(needed),
  }
  const globals = globalThis as { kaalMutant?: number }
  globals.kaalMutant = number
  try {
    const check = new Function(`${transformSync(text, { loader: "ts" }).code}\nreturn check`)()
    return { demanded, outcome: check(low, high, right, tools) }
  } catch (error) {
    return { demanded, outcome: (error as Error).message }
  } finally {
    delete globals.kaalMutant
  }
}

t.test("mutantsOf() finds each check, and each part of one that can be missing alone", async t => {
  const { mutants } = mutantsOf("check.ts", SOURCE, 10)
  const found = mutants.map(({ line, text }) => `${line} ${text}`)
  t.same(
    new Set(found),
    new Set([
      "4 low < 0",
      "4 high > 9",
      "5 ensureRights(1)",
      "6 ensureRights(2)",
      "7 ensureRights(lookupCNode(3, Right.read | Right.write))",
      "7 Right.read",
      "7 Right.write",
      "10 low <= 5",
      "10 isSubset(low, high)",
      '11 throw new KernelError("excess")',
    ]),
  )
  t.equal(found.length, 10, "each once")
})

t.test("a mutant's text does the same as the source until it is switched on", async t => {
  t.same(run(-1, 1, 2), { outcome: "within", demanded: [1, 3] })
  t.same(run(-1, 1, 2, false), { outcome: "within", demanded: [2, 3] })
  t.equal(run(-1, -1, 2).outcome, "range")
  t.equal(run(-1, 1, 10).outcome, "range")
  t.equal(run(-1, 6, 7).outcome, "excess")
  t.equal(run(-1, 2, 1).outcome, "excess")
})

t.test("a mutant that is switched on lacks its check and no other", async t => {
  const numberOf = (wanted: string): number =>
    10 + mutantsOf("check.ts", SOURCE, 10).mutants.findIndex(({ text }) => text === wanted)
  t.equal(run(numberOf("low < 0"), -1, 2).outcome, "within")
  t.equal(run(numberOf("low < 0"), 1, 10).outcome, "range")
  t.equal(run(numberOf("high > 9"), 1, 10).outcome, "within")
  t.same(run(numberOf("ensureRights(1)"), 1, 2).demanded, [3])
  t.same(run(numberOf("ensureRights(1)"), 1, 2, false).demanded, [2, 3], "an else stays with its if")
  t.same(run(numberOf("Right.read"), 1, 2).demanded, [1, 2])
  t.same(run(numberOf("Right.write"), 1, 2).demanded, [1, 1])
  t.equal(run(numberOf("isSubset(low, high)"), 2, 1).outcome, "within")
  t.equal(run(numberOf("low <= 5"), 6, 7).outcome, "within")
  t.equal(run(numberOf('throw new KernelError("excess")'), 2, 1).outcome, undefined)
})
