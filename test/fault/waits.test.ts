// waits.test.ts: a system that has come to a standstill says who waits on what instead of hanging silently.

import { spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import t, { type Test } from "tap"
import { MODES, type Mode } from "../fixtures/components/waits-end/modes.ts"
import { bundleComponents, descendants, eventually, root, runFixture } from "../helpers/system.ts"

const LONG_MS = 60_000
const ASK_MS = 200

interface Until {
  readonly timeoutSeconds?: number
  /** Ends it when it has said so; without, its time does. */
  readonly wanted?: RegExp
  readonly ask?: boolean
}

/** Runs waits-root and returns what it said of its waits. */
async function said(t: Test, mode: Mode, { timeoutSeconds = LONG_MS / 1000, wanted, ask = false }: Until) {
  const folder = await bundleComponents(["waits-root", "waits-end"])
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const number = String(MODES.indexOf(mode))
  const args = ["run", "waits-root", number, "--components", folder, "--timeout", String(timeoutSeconds)]
  const kaal = spawn(process.execPath, [join(root, "dist/kaal.cjs"), ...args], { stdio: ["ignore", "ignore", "pipe"] })
  let text = ""
  kaal.stderr.setEncoding("utf8").on("data", chunk => {
    text += chunk
  })
  const closed = new Promise(resolve => kaal.once("close", resolve))
  if (wanted !== undefined) {
    const ends = () => descendants(kaal.pid as number).filter(({ command }) => command.includes("waits-end"))
    await eventually("both children", LONG_MS, () => ends()[1])
    const asking = ask ? setInterval(() => kaal.kill("SIGUSR2"), ASK_MS) : undefined
    await eventually(String(wanted), LONG_MS, () => wanted.exec(text) ?? undefined)
    clearInterval(asking)
    kaal.kill("SIGTERM")
  }
  await closed
  return text
}

const first = /component 2 "waits-end" sleeps on notification \d+, to be woken by .*component 3 "waits-end"/m

const standstill = /wait for each other and for nobody else: .*1 "waits-root".*2 "waits-end".*3 "waits-end"$/m

t.test("asked by SIGUSR2, a session says who waits on what, and that they wait for each other", async t => {
  const text = await said(t, "signals", { wanted: standstill, ask: true })
  t.match(text, first)
  t.match(text, /component 3 "waits-end" sleeps on notification \d+, to be woken by .*component 2 "waits-end"/m)
  t.match(text, /component 1 "waits-root" waits for a report or the end of component 2 "waits-end"$/m)
})

t.test("where one of them works it is no standstill", async t => {
  const text = await said(t, "busy", { wanted: first, ask: true })
  t.match(text, first)
  t.notMatch(text, /wait for each other/)
})

t.test("a session that is ended by its time says it too", async t => {
  const text = await said(t, "signals", { timeoutSeconds: 3 })
  t.match(text, /component 1 "waits-root"|nobody sleeps/)
  t.match(text, /not finished within 3 s/)
})

t.test("two that wait for each other's message are told of unasked, with what happened last", async t => {
  const text = await said(t, "messages", { wanted: /what happened last:[\s\S]*called process_wait$/m })
  t.match(text, /component 2 "waits-end" sleeps on frame \d+, to be woken by .*component 3 "waits-end"/m)
  t.match(text, /component 3 "waits-end" sleeps on frame \d+, to be woken by .*component 2 "waits-end"/m)
  t.match(text, standstill)
  t.match(text, / s ago component 3 "waits-end" called object_attach$/m)
})

t.test("who waits as long, but not for each other alone, is not told of", async t => {
  const modes: readonly Mode[] = ["deadline", "timer", "worker"]
  await Promise.all(
    modes.map(async mode => {
      const { code, stderr } = await runFixture(t, "waits-root", ["waits-end"], [MODES.indexOf(mode)])
      t.equal(code, 0, `${mode} ${stderr}`)
      t.notMatch(stderr, /wait for each other/, mode)
    }),
  )
})
