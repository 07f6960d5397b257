// trouble.test.ts: a component that stops, spawns on, maps without end or floods costs nobody else anything.

import t, { type Test } from "tap"
import { bundleFixtures, descendants, startKaal } from "../helpers/system.ts"

const COMPONENTS = ["trouble", "idle", "is-stopped", "spawns-on", "maps-often", "floods"]

async function run(t: Test, trouble: number) {
  const folder = await bundleFixtures(t, COMPONENTS)
  const begun = performance.now()
  const { child, done } = startKaal(t, [
    ...["run", "trouble", String(trouble)],
    ...["--components", folder, "--timeout", "30"],
  ])
  child.stdout?.on("data", text => {
    if (/^is-stopped: stop me$/m.test(text)) process.kill(componentOf(child.pid, "is-stopped"), "SIGSTOP")
  })
  const { code, stdout, stderr } = await done
  const reports = stdout.split("\n").filter(line => /^[{"]/.test(line))
  return { code, stderr, reports: reports.map(line => JSON.parse(line)), ms: performance.now() - begun }
}

function componentOf(kaal: number | undefined, name: string): number {
  const found = descendants(kaal ?? 0).find(({ command }) => command.endsWith(`/${name}.cjs`))
  if (found === undefined) throw new Error(`${name} does not run`)
  return found.pid
}

t.test("revoking from a component that is stopped kills it at the deadline, and the revoke is answered", async t => {
  const { code, reports, stderr } = await run(t, 0)
  t.equal(code, 0, stderr)
  t.match(reports[0]?.child, { kind: "killed", detail: /mapper has not answered within 100 ms/ })
  t.ok(reports[0]?.ms < 10_000, `answered after ${reports[0]?.ms} ms`)
})

t.test("the system ends though a component goes on spawning", async t => {
  const { code, reports, ms } = await run(t, 1)
  t.equal(code, 0)
  t.same(reports, ["leaving"])
  t.ok(ms < 10_000, `ended after ${ms} ms, not by the time-out`)
})

t.test("a component that was mapped into a thousand times survives the death of who did it", async t => {
  const { code, reports, stderr } = await run(t, 2)
  t.equal(code, 0, stderr)
  t.type(reports[0]?.address, "number", stderr)
  t.notMatch(stderr, /idle killed by SIGKILL: its mapper/)
})

t.test("a component that prints without end does not keep the kernel from others", async t => {
  const { code, reports, stderr } = await run(t, 3)
  t.equal(code, 0, stderr.slice(-500))
  t.ok(reports.at(-1)?.maxMs < 1_000, `slowest map and unmap ${reports.at(-1)?.maxMs} ms`)
})
