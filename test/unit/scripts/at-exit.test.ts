// at-exit.test.ts: what a script has made is gone when it has ended, however.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync } from "node:fs"
import { join } from "node:path"
import t from "tap"

const root = join(import.meta.dirname, "../../..")
const COPY = `
  import { makeWorkingCopy } from "./scripts/working-copy.ts"
  import { Worker } from "./scripts/explore-jobs.ts"
  const worker = new Worker()
  console.log(JSON.stringify([makeWorkingCopy(["scripts"]), worker.pid]))
  setTimeout(() => process.exit(0), Number(process.argv[1]))
`

/** @param livesMs until it ends by itself */
async function start(livesMs: number): Promise<[process: ChildProcess, copy: string, worker: number]> {
  const args = ["--import", "./scripts/load-ts.mjs", "--input-type=module", "-e", COPY, String(livesMs)]
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"], timeout: 60_000 })
  const [line] = (await once(child.stdout, "data")) as [Buffer]
  return [child, ...(JSON.parse(String(line)) as [string, number])]
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  t.test(`a working copy and an explorer's worker end with who made them, ended by ${signal}`, async t => {
    const [child, copy, worker] = await start(60_000)
    t.ok(existsSync(copy) && isAlive(worker), "there were both")
    child.kill(signal)
    t.same(await once(child, "exit"), [1, null])
    t.notOk(existsSync(copy))
    for (const end = Date.now() + 5_000; isAlive(worker) && Date.now() < end; ) await new Promise(setImmediate)
    t.notOk(isAlive(worker))
  })
}

t.test("so they do when it ends by itself", async t => {
  const [child, copy] = await start(100)
  t.same(await once(child, "exit"), [0, null])
  t.notOk(existsSync(copy))
})
