// soak.test.ts: a short soak comes clean, and what one does wrong on purpose is noticed; the long one is `npm run soak`.

import t, { type Test } from "tap"
import { MOST_PLACES } from "../fixtures/components/soak-root/board.ts"
import { type Operation, plan } from "../fixtures/components/soak-root/plan.ts"
import { judge } from "./judge.ts"
import { soak } from "./soak.ts"
import { drift, theilSen } from "./trend.ts"

/** Of which all kinds occur among the first 40. */
const SEED = 3

t.test("a few seconds of spawn, transfer, revoke, kill and restart lose nothing and leave nothing", async t => {
  const run = await soak({ seed: SEED, seconds: 1, places: 4, every: 1, leastOperations: 40 })
  const { wrong, leftovers } = judge(run)
  t.same(wrong, [], run.output)
  t.equal(leftovers, 0)
  t.notMatch(
    run.output,
    /sent nonsense|did not map|did not let go/,
    "who kills itself is not blamed for what that closes",
  )
  t.ok(run.books.messages > 1_000, `${run.books.messages} messages`)
  const kinds = ["open", "kill", "leave", "restart", "close", "revoke", "lend", "pass", "take"]
  for (const kind of kinds) t.ok(run.operations[kind], kind)
  t.ok(run.samples[0]?.held.capabilities, "the kernel says what it holds")
})

t.test("a message that is never sent, though its number is used, is noticed", async t => {
  const run = await soak({ seed: SEED, seconds: 30, places: 2, every: 1, fault: "skip" })
  const { ok, wrong, lost } = judge(run)
  t.match(wrong.join("\n"), /has found something wrong/, run.output)
  t.match([ok, lost], [false, 1])
})

t.test("plan() gives the same operations for the same seed, and others for another", async t => {
  const first = operations(1, 1_000)
  const text = JSON.stringify(first)
  t.ok(text === JSON.stringify(operations(1, 1_000)))
  t.ok(text !== JSON.stringify(operations(2, 1_000)))
  t.equal(new Set(first.map(({ kind }) => kind)).size, 10, "all kinds occur")
})

t.test("plan() names only components that are there", async t => {
  for (let seed = 0; seed < 20; seed++) checkPlan(t, operations(seed, 2_000))
})

function operations(seed: number, count: number): Operation[] {
  const all = plan(seed, MOST_PLACES / 2)
  return Array.from({ length: count }, () => all.next().value)
}

/** Walks through it with nothing but sets. */
function checkPlan(t: Test, list: readonly Operation[]): void {
  const there = new Set<string>()
  const tokens = new Set<number>()
  const wrong = list.filter(operation => {
    switch (operation.kind) {
      case "open": {
        const ends = [`${operation.place} producer`, `${operation.place} consumer`]
        const isFree = ends.every(end => !there.has(end))
        for (const end of ends) there.add(end)
        return !isFree
      }
      case "kill":
      case "leave":
        return !there.delete(`${operation.who.place} ${operation.who.end}`)
      case "restart": {
        const name = `${operation.who.place} ${operation.who.end}`
        const wasThere = there.has(name)
        there.add(name)
        return wasThere
      }
      case "close":
      case "revoke":
        return ![" producer", " consumer"].every(end => there.delete(operation.place + end))
      case "lend":
        tokens.add(operation.token)
        return !there.has(`${operation.who.place} ${operation.who.end}`)
      case "pass":
        return [operation.from, operation.to].some(({ place, end }) => !there.has(`${place} ${end}`))
      case "take":
        return !tokens.delete(operation.token)
      default:
        there.clear()
        tokens.clear()
        return false
    }
  })
  t.same(wrong, [])
}

t.test("theilSen() finds a slope under noise, and none where there is none", async t => {
  const noise = (at: number): number => ((at * 7919) % 101) - 50
  const series = (slope: number) => Array.from({ length: 60 }, (_, at) => [at, 1_000 + slope * at + noise(at)] as const)
  const rising = theilSen(series(3))
  t.ok(rising.low > 2 && rising.low < 3 && rising.high > 3 && rising.high < 4, JSON.stringify(rising))
  const flat = theilSen(series(0))
  t.ok(flat.low < 0 && flat.high > 0, JSON.stringify(flat))
  // One wild sample moves nothing.
  t.equal(
    theilSen([
      [0, 0],
      [1, 1],
      [2, 900],
      [3, 3],
      [4, 4],
      [5, 5],
      [6, 6],
    ]).slope,
    1,
  )
  t.equal(
    theilSen([
      [0, 0],
      [1, 5],
    ]).low,
    Number.NEGATIVE_INFINITY,
  )
})

t.test("drift() compares the last third with the first", async t => {
  t.equal(drift([1, 1, 1, 5, 5, 5, 2, 2, 2]), 2)
  t.equal(drift([1, 2]), 1)
})
