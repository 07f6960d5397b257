// kernel-gone.test.ts: the daemon is killed under load. For a while data flows on, then each end is told, nothing that was
// sent is lost, and everybody ends, who stands still as well.

import t, { type Test } from "tap"
import { MODES, ROLES } from "../fixtures/components/kernel-end/modes.ts"
import { bundleFixtures, descendants, eventually, isAlive, processes, startKaal } from "../helpers/system.ts"

const GRACE_MS = 5_000
/** For a host that is busy: what the end of processes may take beyond the grace. */
const ENDING_MS = 2_000

type Role = (typeof ROLES)[number]
type Shown = { readonly count: number; readonly outcome: string }

/** What each component shows in its title. */
function titles(pids: readonly number[]): Map<Role, Shown & { readonly pid: number }> {
  const shown = new Map<Role, Shown & { readonly pid: number }>()
  for (const { pid, command } of processes()) {
    const [, role, count, outcome] = /^(producer|consumer|waiter) (\d+) ([^\0]+)/.exec(command) ?? []
    if (pids.includes(pid) && role !== undefined) {
      shown.set(role as Role, { pid, count: Number(count), outcome: (outcome ?? "").trim() })
    }
  }
  return shown
}

/** A producer, its consumer and a waiter at work. */
async function atWork(t: Test, mode: number, graceMs = GRACE_MS, more: readonly string[] = []) {
  const folder = await bundleFixtures(t, ["kernel-end-root", "kernel-end"])
  const args = [
    "run",
    "kernel-end-root",
    String(mode),
    "--components",
    folder,
    "--grace",
    String(graceMs),
    "--timeout",
    "60",
  ]
  const { child, done } = startKaal(t, [...args, ...more])
  const pids = await eventually("messages flow", 20_000, () => {
    const found = descendants(child.pid ?? 0).map(({ pid }) => pid)
    const shown = titles(found)
    return (shown.get("consumer")?.count ?? 0) > 1_000 && shown.has("waiter") ? found : undefined
  })
  const daemon = descendants(child.pid ?? 0).find(
    ({ command }) => command.includes("kernel-daemon.cjs") && !command.includes("kaal-launcher"),
  )
  return { done, pids, daemon: daemon?.pid ?? 0, components: titles(pids) }
}

const allGone = (pids: readonly number[], withinMs: number) =>
  eventually(`all of ${pids.join(", ")} are gone`, withinMs, () => (pids.some(isAlive) ? undefined : true))

/** What each shows once all are told. */
const told = (pids: readonly number[]) =>
  eventually("all are told", GRACE_MS, () => {
    const shown = titles(pids)
    return ROLES.every(role => ![undefined, "so far", "begins"].includes(shown.get(role)?.outcome)) ? shown : undefined
  })

for (const [mode, name] of MODES.entries()) {
  t.test(`${name}: ends drain, are told "kernel-gone" and end with the grace`, async t => {
    const { done, pids, daemon, components } = await atWork(t, mode)
    const before = components.get("consumer")?.count ?? 0
    process.kill(daemon, "SIGKILL")
    const killedAt = performance.now()
    await new Promise(resolve => setTimeout(resolve, GRACE_MS / 4))
    t.ok((titles(pids).get("consumer")?.count ?? 0) > before, "data flows on")
    const last = await told(pids)
    for (const role of ROLES) t.equal(last.get(role)?.outcome, "kernel-gone", role)
    t.equal(last.get("consumer")?.count, last.get("producer")?.count, "what was sent was received, and nothing twice")
    await allGone(pids, GRACE_MS + ENDING_MS)
    t.ok(performance.now() - killedAt > GRACE_MS * 0.9, "nobody was ended before")
    const { code, stdout, stderr } = await done
    t.equal(code, 1)
    t.match(stdout + stderr, /kernel daemon was killed by SIGKILL/)
  })
}

t.test("what a producer sends that is late to learn of it is received all the same", async t => {
  const { done, pids, daemon, components } = await atWork(t, MODES.indexOf("spinning"))
  const producer = components.get("producer")?.pid ?? 0
  process.kill(daemon, "SIGKILL")
  await new Promise(resolve => setTimeout(resolve, GRACE_MS / 4))
  process.kill(producer, "SIGSTOP")
  // Beyond the time at which nobody is to send any more, and before that at which the consumer gives up.
  await new Promise(resolve => setTimeout(resolve, GRACE_MS * 0.35))
  process.kill(producer, "SIGCONT")
  const last = await told(pids)
  t.equal(last.get("producer")?.outcome, "kernel-gone")
  t.equal(last.get("consumer")?.count, last.get("producer")?.count)
  await allGone(pids, GRACE_MS + ENDING_MS)
  await done
})

for (const role of ROLES) {
  t.test(`a ${role} that stands still is ended with the grace`, async t => {
    const { done, pids, daemon, components } = await atWork(t, MODES.indexOf("asleep"), 500)
    process.kill(components.get(role)?.pid ?? 0, "SIGSTOP")
    process.kill(daemon, "SIGKILL")
    await allGone(pids, 500 + ENDING_MS)
    t.equal((await done).code, 1)
  })
}

t.test("a component that is not confined is ended as well", async t => {
  const { done, pids, daemon, components } = await atWork(t, 0, 500, ["--no-confine"])
  process.kill(components.get("producer")?.pid ?? 0, "SIGSTOP")
  process.kill(daemon, "SIGKILL")
  await allGone(pids, 500 + ENDING_MS)
  t.equal((await done).code, 1)
})

t.test("without its guard a daemon ends everybody at once", async t => {
  const { done, pids, daemon, components } = await atWork(t, MODES.indexOf("asleep"))
  process.kill(components.get("consumer")?.pid ?? 0, "SIGSTOP")
  const guard = processes().find(({ pid }) => pid === daemon)?.parent ?? 0
  process.kill(guard, "SIGKILL")
  await allGone(pids, ENDING_MS)
  t.equal((await done).code, 1)
})
