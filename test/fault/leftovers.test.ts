// leftovers.test.ts: however it ends, within 3 s no process is left and no file.

import { readdirSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import t, { type Test } from "tap"
import { descendants, eventually, isAlive, startKaal } from "../helpers/system.ts"

const LIMIT_MS = 3_000
const COMPONENTS = 3 // root-task and the two of a test

/** A run that would take minutes, at the moment when all of its processes are up. */
async function runningIpcTest(t: Test) {
  const { child, done } = startKaal(t, ["ipc-test", "--items", "1000000000", "--timeout", "60"])
  const pids = await eventually("daemon and components run", 15_000, () => {
    const found = descendants(child.pid ?? 0)
    const components = found.filter(
      info => info.command.includes("/dist/components/") && !info.command.includes("kaal-launcher"),
    )
    return components.length === COMPONENTS ? found.map(info => info.pid) : undefined
  })
  const daemon = descendants(child.pid ?? 0).find(
    info => info.command.includes("kernel-daemon.cjs") && !info.command.includes("kaal-launcher"),
  )
  t.ok(daemon, "the daemon is a process of its own")
  return { child, done, pids, daemon: daemon?.pid ?? 0 }
}

const filesOf = (): string[] =>
  [...readdirSync("/dev/shm"), ...readdirSync(tmpdir())].filter(name => /kaal/i.test(name))

const cases = [
  { what: "Ctrl-C (SIGINT of the CLI)", signal: "SIGINT", of: "cli", code: 130 },
  { what: "SIGTERM of the CLI", signal: "SIGTERM", of: "cli", code: 143 },
  { what: "SIGKILL of the CLI", signal: "SIGKILL", of: "cli", code: null },
  { what: "SIGKILL of the daemon", signal: "SIGKILL", of: "daemon", code: 1 },
] as const

for (const { what, signal, of, code } of cases) {
  t.test(`${what} leaves nothing behind`, async t => {
    const filesBefore = filesOf()
    const { child, done, pids, daemon } = await runningIpcTest(t)
    // The CLI itself runs below /usr/bin/env's pid, which it took over.
    process.kill(of === "cli" ? (child.pid ?? 0) : daemon, signal)
    await eventually(`all of ${pids.join(", ")} are gone`, LIMIT_MS, () => (pids.some(isAlive) ? undefined : true))
    const run = await done
    t.equal(run.code, code, run.stdout + run.stderr)
    if (of === "daemon") t.match(run.stdout, /kernel daemon was killed by SIGKILL/)
    t.same(filesOf(), filesBefore, "no file")
  })
}

t.test("a component that is killed ends ipc-test with exit code 1, by name, and its peer is told", async t => {
  for (const victim of ["ipc-producer", "ipc-consumer"]) {
    const { child, done } = startKaal(t, ["ipc-test", "--items", "1000000000", "--timeout", "60"])
    let output = ""
    child.stdout?.on("data", text => {
      output += text
    })
    // The third pair passes items: each has signalled the other, which the producer does after its first push and the
    // consumer after its first pop.
    const pids = await eventually("Test 3 is under way", 30_000, () => {
      if (!/Test 2.*ms/.test(output)) return undefined
      const pair = descendants(child.pid ?? 0).filter(info => /\/ipc-(producer|consumer)\.cjs$/.test(info.command))
      return pair.length === 2 && pair.every(info => hasSignalled(info.pid)) ? pair : undefined
    })
    process.kill(pids.find(info => info.command.includes(victim))?.pid ?? 0, "SIGKILL")
    const { code, stdout } = await done
    t.equal(code, 1)
    t.match(stdout, new RegExp(`${victim} killed by SIGKILL`), "the daemon says which")
    t.match(stdout.replace(/[\s│]+/g, " "), /peer-gone/, "the other one was told")
    t.match(stdout, /Not all criteria hold/)
  }
})

/** Whether the component has a lane to write to, which it is given when it signals for the first time. */
function hasSignalled(pid: number): boolean {
  return /rw-s .*notification-\d+-\d+-lane/.test(readFileSync(`/proc/${pid}/maps`, "utf8"))
}

t.test("root-task that is killed ends ipc-test with exit code 1", async t => {
  const { child, done } = await runningIpcTest(t)
  const rootTask = descendants(child.pid ?? 0).find(info => info.command.endsWith("/root-task.cjs"))
  process.kill(rootTask?.pid ?? 0, "SIGKILL")
  const { code, stdout } = await done
  t.equal(code, 1)
  t.match(stdout, /root-task killed by SIGKILL/)
})
