// peer-gone.test.ts: who waits for a component that is killed is told at once, however it waits.

import t from "tap"
import { bundleFixtures, descendants, eventually, startKaal } from "../helpers/system.ts"

const NOTICE_LIMIT_MS = 50
const modes = [
  ["a notification, parked", 0],
  ["a ring's next item, parked", 1],
  ["a ring's next item, spinning", 2],
  ["room in a full ring, parked", 3],
] as const

for (const [what, mode] of modes) {
  t.test(
    `a component that waits for ${what} is told within ${NOTICE_LIMIT_MS} ms that its peer was killed`,
    async t => {
      const folder = await bundleFixtures(t, ["peer-pair", "bereaved", "idle"])
      const { child, done } = startKaal(t, [
        "run",
        "peer-pair",
        String(mode),
        "--components",
        folder,
        "--timeout",
        "30",
      ])
      let output = ""
      child.stdout?.on("data", text => {
        output += text
      })
      const idle = await eventually("bereaved waits, idle runs", 10_000, () =>
        output.includes("waiting")
          ? descendants(child.pid ?? 0).find(
              info => info.command.endsWith("/idle.cjs") && !info.command.includes("launcher"),
            )
          : undefined,
      )
      // The line was printed just before the wait: let it begin.
      await new Promise(resolve => setTimeout(resolve, 100))
      const [seconds, nanoseconds] = process.hrtime()
      process.kill(idle.pid, "SIGKILL")
      const { code, stdout, stderr } = await done
      const reports = stdout
        .split("\n")
        .filter(line => line.startsWith("{"))
        .map(line => JSON.parse(line))
      t.equal(code, 0, stderr)
      t.match(reports[0], { kind: "reported", report: { outcome: "peer-gone" } })
      t.match(reports[1], { kind: "killed", detail: "killed by SIGKILL" })
      const noticeMs = (reports[0].report.atNs - seconds * 1e9 - nanoseconds) / 1e6
      t.ok(noticeMs >= 0 && noticeMs < NOTICE_LIMIT_MS, `told after ${noticeMs.toFixed(2)} ms`)
      t.match(stderr, /idle killed by SIGKILL/, "the daemon says which")
    },
  )
}
