// waits.test.ts: a system that has come to a standstill says who waits on what instead of hanging silently.

import { spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { join } from "node:path"
import t, { type Test } from "tap"
import { bundleComponents, descendants, eventually, root } from "../helpers/system.ts"

const LONG_MS = 30_000

/** Runs waits-root until its time is over, or until it has said `wanted` when asked; returns what it said. */
async function said(t: Test, busy: number, timeoutSeconds: number, wanted?: RegExp): Promise<string> {
  const folder = await bundleComponents(["waits-root", "waits-end"])
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const args = ["run", "waits-root", String(busy), "--components", folder, "--timeout", String(timeoutSeconds)]
  const kaal = spawn(process.execPath, [join(root, "dist/kaal.cjs"), ...args], { stdio: ["ignore", "ignore", "pipe"] })
  let text = ""
  kaal.stderr.setEncoding("utf8").on("data", chunk => {
    text += chunk
  })
  const closed = new Promise(resolve => kaal.once("close", resolve))
  if (wanted !== undefined) {
    const ends = () => descendants(kaal.pid as number).filter(({ command }) => command.includes("waits-end"))
    await eventually("both children", LONG_MS, () => ends()[1])
    await eventually(String(wanted), LONG_MS, () => {
      kaal.kill("SIGUSR2")
      return wanted.exec(text) ?? undefined
    })
    kaal.kill("SIGTERM")
  }
  await closed
  return text
}

const first = /component 2 "waits-end" sleeps on notification \d+, to be woken by .*component 3 "waits-end"/m

const standstill = /wait for each other and for nobody else: .*1 "waits-root".*2 "waits-end".*3 "waits-end"$/m

t.test("asked by SIGUSR2, a session says who waits on what, and that they wait for each other", async t => {
  const text = await said(t, 0, LONG_MS / 1000, standstill)
  t.match(text, first)
  t.match(text, /component 3 "waits-end" sleeps on notification \d+, to be woken by .*component 2 "waits-end"/m)
  t.match(text, /component 1 "waits-root" waits for a report or the end of component 2 "waits-end"$/m)
})

t.test("where one of them works it is no standstill", async t => {
  const text = await said(t, 1, LONG_MS / 1000, first)
  t.match(text, first)
  t.notMatch(text, /wait for each other/)
})

t.test("a session that is ended by its time says it too", async t => {
  const text = await said(t, 0, 3)
  t.match(text, /component 1 "waits-root"|nobody sleeps/)
  t.match(text, /not finished within 3 s/)
})
