// lock.test.ts: one at a time whatever happens to the holders, and nothing stays behind.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"

const module = new URL("../../../scripts/lock.mjs", import.meta.url).href
const DEADLINE_MS = 30_000

/** A process that takes the lock `rounds` times; in it, it checks that it is alone, and counts. */
function worker(directory: string, rounds: number, holdMs: number): ChildProcess {
  const code = `
    import { appendFileSync, closeSync, openSync, rmSync } from "node:fs"
    import { withLock } from ${JSON.stringify(module)}
    for (let round = 0; round < ${rounds}; round++) {
      withLock("lock", () => {}, () => {
        closeSync(openSync("busy", "wx"))
        appendFileSync("log", "x")
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${holdMs})
        rmSync("busy")
      })
    }`
  // Without what tap gives to every child: it would start seven times slower.
  const args = ["-u", "NODE_OPTIONS", process.execPath, "--input-type=module", "-e", code]
  return spawn("/usr/bin/env", args, { cwd: directory, stdio: ["ignore", "ignore", "inherit"], timeout: DEADLINE_MS })
}

async function statusOf(child: ChildProcess): Promise<number | string> {
  const [status, signal] = await once(child, "exit")
  return signal ?? status
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + DEADLINE_MS; !condition(); ) {
    if (Date.now() > end) throw new Error(`Nothing has happened within ${DEADLINE_MS} ms`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

t.test("withLock() lets one process in at a time, and each in the end", async t => {
  const directory = t.testdir({})
  const workers = [1, 2, 3].map(() => worker(directory, 10, 1))
  t.same(await Promise.all(workers.map(statusOf)), [0, 0, 0])
  t.equal(readFileSync(join(directory, "log"), "utf8").length, 30)
  t.same(readdirSync(directory), ["log"], "no lock stays behind")
})

t.test("withLock() is taken over from a holder that was killed, by one at a time", async t => {
  const directory = t.testdir({})
  const holder = worker(directory, 1, DEADLINE_MS)
  const ended = statusOf(holder)
  await until(() => existsSync(join(directory, "log")))
  holder.kill("SIGKILL")
  t.equal(await ended, "SIGKILL")
  rmSync(join(directory, "busy"))
  t.same(readdirSync(directory).sort(), ["lock", "log"], "the dead one's lock is still there")
  const heirs = [1, 2, 3].map(() => worker(directory, 3, 1))
  t.same(await Promise.all(heirs.map(statusOf)), [0, 0, 0])
  t.same(readdirSync(directory), ["log"])
})

t.test("withLock() does not take a reused process number for the holder", async t => {
  const directory = t.testdir({})
  mkdirSync(join(directory, "lock"))
  writeFileSync(join(directory, "lock", `${process.pid}-1`), "")
  t.equal(await statusOf(worker(directory, 1, 1)), 0)
})
