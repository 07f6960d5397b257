// mutants.test.ts: that no atomic access and no comparison of the ring's hot code is without a mutant, and that the lists fit the sources.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { faults, HOT } from "../../scripts/explore-mutants.ts"
import { ringMutantsOf } from "../../scripts/ring-mutants.ts"

const root = join(import.meta.dirname, "../..")

t.test("every atomic access and every comparison of the hot code has a mutant", async t => {
  for (const path of HOT) {
    const source = readFileSync(join(root, path), "utf8").replace(/\/\*\*.*?\*\/|\/\/[^\n]*/gs, "")
    const mutants = ringMutantsOf(path, source)
    const plain = mutants.filter(({ from, to }) => from.startsWith("atomic.") && !to.includes("atomic."))
    t.equal(plain.length, source.match(/\batomic\./g)?.length ?? 0, `${path}: atomic accesses`)
    const turned = mutants.filter(
      ({ from, to }) => / [=!]= /.test(from) && / [=!]= /.test(to) && from.length === to.length,
    )
    t.ok(turned.length >= (source.match(/ [=!]= /g)?.length ?? 0), `${path}: equalities`)
    const moved = mutants.filter(({ from, to }) => / [<>] /.test(from) && / [<>]= /.test(to))
    t.ok(moved.length >= 2 * (source.match(/ [<>] /g)?.length ?? 0), `${path}: bounds`)
  }
})

t.test("each change by hand occurs once, each reason is a mutant's, and none changes nothing", async t => {
  const all = faults()
  t.ok(all.length > 150, `${all.length} mutants`)
  for (const { path, what, text } of all) t.not(text, readFileSync(join(root, path), "utf8"), what)
})
