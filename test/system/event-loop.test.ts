// event-loop.test.ts: components that wait for each other on their event loops: no wake-up lost, every end told, no end shared.

import t, { type Test } from "tap"
import { LoopMode } from "../fixtures/components/loop-end/modes.ts"
import { bundleFixtures, descendants, eventually, runFixture, startKaal } from "../helpers/system.ts"

const NOTICE_LIMIT_MS = 50
const ROUNDS = 20_000

interface ChildReport {
  readonly kind: string
  readonly detail?: string
  readonly report: Record<string, unknown>
}

async function runPair(t: Test, mode: number, ...args: number[]): Promise<[ChildReport, ChildReport]> {
  const { code, stderr, reports } = await runFixture(t, "loop-root", ["loop-end"], [mode, ...args])
  t.equal(code, 0, stderr)
  return reports[0] as [ChildReport, ChildReport]
}

for (const [what, mode, checkNs] of [
  ["both on the event loop, asleep at once", LoopMode.pingPong, 0],
  ["both on the event loop, looking for 3 us", LoopMode.pingPong, 3_000],
  ["both on the event loop, looking for 50 us", LoopMode.pingPong, 50_000],
  ["one on the event loop, one blocking, asleep at once", LoopMode.pingPongWithSync, 0],
  ["one on the event loop, one blocking, looking for 3 us", LoopMode.pingPongWithSync, 3_000],
] as const) {
  t.test(`no wake-up is lost in ${ROUNDS} questions and answers with random delays: ${what}`, async t => {
    const [first, second] = await runPair(t, mode, ROUNDS, checkNs)
    t.match(first, { kind: "reported", report: { rounds: ROUNDS, wrong: 0 } })
    t.match(second, { kind: "reported", report: { rounds: ROUNDS } })
    t.ok((first.report.wakes as number) <= ROUNDS, "one wake for a message at most")
    if (checkNs === 0) t.ok((first.report.sleeps as number) > 100, `it slept ${first.report.sleeps} times`)
  })
}

t.test("a second producer of a ring is refused, and let in when the first has closed its end", async t => {
  const [, second] = await runPair(t, LoopMode.exclusive)
  t.match(second, { report: { first: true, second: false, code: "IllegalOperation", third: true } })
})

t.test("streams carry every message through a small ring, and end when the writer does", async t => {
  const [first, second] = await runPair(t, LoopMode.stream, 3_000, 0)
  t.match(first, { report: { count: 3_000 } })
  t.match(second, { report: { count: 3_000, wrong: 0 } })
})

t.test("Web streams do so as well", async t => {
  const [first, second] = await runPair(t, LoopMode.webStream, 3_000, 0)
  t.match(first, { report: { count: 3_000 } })
  t.match(second, { report: { count: 3_000, wrong: 0 } })
})

for (const [what, mode] of [
  ["by both", LoopMode.records],
  ["by one, while the other blocks", LoopMode.recordsBlocking],
] as const) {
  t.test(`records of all lengths are awaited ${what}, and none is lost`, async t => {
    const [first, second] = await runPair(t, mode, 5_000)
    t.match(first, { kind: "reported", report: { count: 5_000 } })
    const ended = /closed|peer-gone/
    t.match(second, { kind: "reported", report: { count: 5_000, wrong: 0, batch: [1, 2], ended } })
    t.ok((first.report.sleeps as number) + (second.report.sleeps as number) > 100)
  })
}

for (const [what, mode] of [
  ["Node", LoopMode.recordStream],
  ["Web", LoopMode.recordWebStream],
] as const) {
  t.test(`${what} streams of records carry each whole, and end`, async t => {
    const [first, second] = await runPair(t, mode, 3_000)
    t.match(first, { report: { count: 3_000 } })
    t.match(second, { report: { count: 3_000, wrong: 0 } })
  })
}

t.test("a revocation ends waits on the event loop", async t => {
  const [first, second] = await runPair(t, LoopMode.revoked)
  t.match(first, { kind: "reported", report: { outcome: "revoked", pushed: "revoked" } })
  t.match(second, { kind: "reported", report: { outcome: "revoked", pushed: "revoked" } })
  t.ok((second.report.turns as number) > 0, "the loop went on meanwhile")
})

t.test("who keeps a descriptor of a bell that was revoked is killed", async t => {
  const [first, second] = await runPair(t, LoopMode.keepsBell)
  t.match(first, { kind: "reported", report: { outcome: /^(revoked|peer-gone)$/ } })
  t.match(second, {
    kind: "killed",
    detail: /keeps memory \d+ that was revoked: 0 bytes mapped, .*0 descriptors, 2 of its bells/,
  })
})

t.test(
  `a component that waits on its event loop is told within ${NOTICE_LIMIT_MS} ms that its peer was killed`,
  async t => {
    const folder = await bundleFixtures(t, ["loop-root", "loop-end"])
    const { child, done } = startKaal(t, [
      "run",
      "loop-root",
      String(LoopMode.bereaved),
      "--components",
      folder,
      "--timeout",
      "30",
    ])
    let output = ""
    child.stdout?.on("data", text => {
      output += text
    })
    const [, victim] = await eventually("both wait", 10_000, () => {
      const ends = descendants(child.pid ?? 0).filter(
        info => info.command.endsWith("/loop-end.cjs") && !info.command.includes("launcher"),
      )
      return output.split("waiting").length > 2 && ends.length === 2 ? ends : undefined
    })
    await new Promise(resolve => setTimeout(resolve, 200))
    const [seconds, nanoseconds] = process.hrtime()
    process.kill(victim?.pid ?? 0, "SIGKILL")
    const { code, stdout, stderr } = await done
    t.equal(code, 0, stderr)
    const ends = JSON.parse(stdout.split("\n").find(line => line.startsWith("[")) ?? "[]") as ChildReport[]
    const told = ends.find(end => end.kind === "reported")
    t.match(told, { report: { outcome: "peer-gone" } })
    const noticeMs = ((told?.report.atNs as number) - seconds * 1e9 - nanoseconds) / 1e6
    t.ok(noticeMs >= 0 && noticeMs < NOTICE_LIMIT_MS, `told after ${noticeMs.toFixed(2)} ms`)
  },
)
