// one-writer-flight.test.ts: a page that is revoked in the middle of an access is an exception in the component, for every
// kind of access that the shipped WebAssembly contains. KAAL_NODES, paths with colons between, names further Node binaries.

import { spawnSync } from "node:child_process"
import { join } from "node:path"
import t from "tap"
import { kinds } from "../fixtures/components/one-writer-flown/kinds.ts"
import { bundleFixtures, root } from "../helpers/system.ts"

const ROUNDS = 100
const DEADLINE_MS = 60_000
const nodes = [process.execPath, ...(process.env.KAAL_NODES ?? "").split(":").filter(path => path !== "")]

for (const node of nodes) {
  const version = spawnSync("/usr/bin/env", ["-u", "NODE_OPTIONS", node, "--version"], {
    encoding: "utf8",
  }).stdout.trim()
  t.test(`${ROUNDS} unmaps in flight of each kind of access end as PageFault, Node ${version}`, async t => {
    const folder = await bundleFixtures(t, ["one-writer-flight", "one-writer-flown"])
    const kaal = [join(root, "dist/kaal.cjs"), "run", "one-writer-flight", "--components", folder, "--timeout", "50"]
    const { status, stdout, stderr } = spawnSync("/usr/bin/env", ["-u", "NODE_OPTIONS", node, ...kaal], {
      encoding: "utf8",
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
    })
    t.equal(status, 0, stderr)
    const [report] = stdout.split("\n").filter(line => line.startsWith("{"))
    const expected = Object.fromEntries(kinds.map(({ name }) => [name, { PageFault: ROUNDS }]))
    t.strictSame(JSON.parse(report ?? "null"), { kind: "reported", report: expected })
  })
}
