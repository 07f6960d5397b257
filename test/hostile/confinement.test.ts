// confinement.test.ts: what a confined component can and cannot do, from real components in every way of confinement.

import { readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import t from "tap"
import { ATTEMPTS } from "../fixtures/components/confined-attacker/attempts.ts"
import { hostileTree, kaalIn, missing, runIn, WAYS } from "./raw-syscall/tree.ts"

const ERRNO: Readonly<Record<number, string>> = { 1: "EPERM", 38: "ENOSYS" }
const wrongProcessor = process.arch !== "x64" && "the numbers are those of x86-64"

const outcome = (result: number): string => (result >= 0 ? "ok" : (ERRNO[-result] ?? `errno ${-result}`))

for (const way of WAYS) {
  t.test(
    `${way.way}: each system call is answered as it must be, in every thread`,
    {
      skip: missing(way) || wrongProcessor,
    },
    async t => {
      const tree = await hostileTree(t, ["confined-attacker"])
      const answers = (await runIn(tree, "confined-attacker", way)) as [name: string, main: number, worker: number][]
      const confined = way.way !== "none"
      t.equal(answers.length, Object.values(ATTEMPTS).filter(a => confined || a.succeedsAlone).length)
      for (const [name, main, worker] of answers) {
        const expected = confined ? ATTEMPTS[name]?.confined : "ok"
        t.same([outcome(main), outcome(worker)], [expected, expected], name)
      }
      t.notOk(readdirSync(tmpdir()).includes("kaal-hostile-file"), "no file was made")
    },
  )

  t.test(`${way.way}: what an honest component does with Node works`, { skip: missing(way) }, async t => {
    const tree = await hostileTree(t, ["confined-busy"])
    t.same(await runIn(tree, "confined-busy", way), {
      workers: ["collected", "collected", "collected"],
      text: "zipped",
      random: 8,
      derived: 8,
      filters: way.way === "none" ? 0 : 2,
      status: true,
      wasm: 1,
    })
  })

  t.test(`${way.way}: kaal doctor names what stays open, and nothing else does`, { skip: missing(way) }, async t => {
    const tree = await hostileTree(t, [])
    const env = way.way === "none" ? { KAAL_CONFINE: "off" } : {}
    const { stdout } = await kaalIn(tree, way.user, ["doctor", "--json"], env)
    const { confinement, canBeRead, findings } = JSON.parse(stdout)
    t.equal(confinement.kind, way.way)
    t.equal(canBeRead, true)
    const open = findings.filter((finding: { refusedBy: unknown }) => finding.refusedBy === null)
    const names = open.map((finding: { attack: string }) => finding.attack)
    if (way.way === "user-id") t.same(names, [])
    else if (way.way === "namespace") t.same(names, ["read files of the daemon's user"])
    else t.equal(names.length, findings.length - 2, "all but what the descriptor itself refuses")
  })
}
