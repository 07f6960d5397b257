// confinement.test.ts: what a confined component can and cannot do, from real components in every way of confinement.

import { readdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import t from "tap"
import type { Diagnosis, Finding } from "../../src/kernel-daemon/broker/attack-probe.ts"
import { ATTEMPTS } from "../fixtures/components/confined-attacker/attempts.ts"
import { LEFT_BY_THE_FILTER } from "./attack-table.ts"
import { hostileTree, kaalIn, missing, runIn, WAYS } from "./raw-syscall/tree.ts"

const ERRNO: Readonly<Record<number, string>> = { 1: "EPERM", 38: "ENOSYS" }
const wrongProcessor = process.arch !== "x64" && "the numbers are those of x86-64"

/** What a descriptor that was opened for reading refuses, whoever has it. */
const REFUSED_BY_DESCRIPTOR: readonly string[] = [
  "map a read-only frame for writing",
  "make a read-only mapping writable (mprotect)",
  "write to it (write)",
  "make it larger (ftruncate)",
  "make it smaller (ftruncate)",
  "punch a hole into it (fallocate)",
  "seal it against its owner (F_ADD_SEALS)",
]
const needsRoot = (attack: string): boolean => attack.includes("map_files")

const outcome = (result: number): string => (result >= 0 ? "ok" : (ERRNO[-result] ?? `errno ${-result}`))

const built = hostileTree(t, ["confined-attacker", "confined-busy", "idle"])

for (const way of WAYS) {
  t.test(
    `${way.way}: each system call is answered as it must be, in every thread`,
    {
      skip: missing(way) || wrongProcessor,
    },
    async t => {
      const tree = await built
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
    const tree = await built
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
    const tree = await built
    const env = way.way === "none" ? { KAAL_CONFINE: "off" } : {}
    const { stdout } = await kaalIn(tree, way.user, ["doctor", "--json"], env, { wrapper: way.wrapper })
    const { confinement, canBeRead, findings } = JSON.parse(stdout) as Diagnosis
    t.equal(confinement.kind, way.way)
    t.equal(canBeRead, true)
    const isRoot = way.user === "root" && process.getuid?.() === 0
    for (const { attack, ownerErrno } of findings) {
      t.equal(ownerErrno, needsRoot(attack) && !isRoot ? "EPERM" : null, `on one's own: ${attack}`)
    }
    const names = (which: (finding: Finding) => boolean) => findings.filter(which).map(({ attack }) => attack)
    const open = names(({ refusedBy }) => refusedBy === null)
    if (way.way === "user-id") t.same(open, [])
    else if (way.way === "namespace") t.same(open, ["read files of the daemon's user"])
    else if (way.way === "filter") t.same(open, LEFT_BY_THE_FILTER)
    else
      t.same(
        open,
        names(({ attack }) => !REFUSED_BY_DESCRIPTOR.includes(attack) && (isRoot || !needsRoot(attack))),
      )
  })

  t.test(`${way.way}: a command names at its start what stays open`, { skip: missing(way) }, async t => {
    const tree = await built
    const args = ["run", "idle", "--components", join(tree, "components"), "--timeout", "1", ...way.flags]
    const { stderr } = await kaalIn(tree, way.user, args, {}, { wrapper: way.wrapper }).catch(
      error => error as { stderr: string },
    )
    if (way.way === "user-id" || way.way === "namespace") return t.notMatch(stderr, /confined/)
    const env = way.way === "none" ? { KAAL_CONFINE: "off" } : {}
    const { stdout } = await kaalIn(tree, way.user, ["doctor", "--json"], env, { wrapper: way.wrapper })
    const { findings } = JSON.parse(stdout) as Diagnosis
    const [, named = ""] =
      /^kaal run: components (?:NOT confined|.* filter alone) \(.*\); any of them could (.*)$/m.exec(stderr) ?? []
    const open = findings.filter(({ refusedBy }) => refusedBy === null)
    t.same(
      named.split("; "),
      open.map(({ attack }) => attack),
    )
  })
}
