// reap-at-socket.test.ts: a closed socket of a process that has ended has it reaped, and whoever waits for it told, without the news
// from its pidfd, which comes later.

import t from "tap"
import { eventually, processes } from "../helpers/system.ts"
import { Running, Workshop } from "./resources/running.ts"

const BOOT_MS = 20_000
const SOON_MS = 10_000
/** Waits on a notification, and pops from a ring in its sleep. */
const MODES = [0, 1]

const inState = (pid: number, wanted: string) =>
  eventually(`process ${pid} is ${wanted}`, SOON_MS, () =>
    processes().some(({ pid: each, state }) => each === pid && state === wanted) ? true : undefined,
  )

t.test("a daemon that is never told by a pidfd still tells who waits for a dead component", async t => {
  const workshop = await Workshop.open("peer-pair", ["bereaved", "idle"])
  t.teardown(() => workshop.remove())
  for (const mode of MODES) {
    workshop.plan.armDeafness("daemon")
    const running = new Running(workshop, [String(mode)])
    t.teardown(() => running.kill())
    await eventually("bereaved waits, idle runs", BOOT_MS, () =>
      running.output.includes("waiting") && running.processes().some(({ command }) => /\/idle\.cjs/.test(command))
        ? true
        : undefined,
    )
    t.ok(workshop.plan.hasFired, "the watches of its pidfds are deaf")
    const daemon = running.pidOf("kernel-daemon.cjs")
    const idle = running.pidOf("/idle.cjs")
    // Both its sockets are closed and it can be reaped when the daemon looks: a socket closes a moment before that otherwise.
    process.kill(daemon, "SIGSTOP")
    await inState(daemon, "T")
    process.kill(idle, "SIGKILL")
    await inState(idle, "Z")
    process.kill(daemon, "SIGCONT")
    await eventually("bereaved is told", SOON_MS, () => /"outcome":"peer-gone"/.exec(running.output) ?? undefined)
    t.match(
      running.output,
      /idle killed by SIGKILL$/m,
      "and it is known how idle ended: no reason is given that is none",
    )
    running.kill()
    await running.end()
  }
})
