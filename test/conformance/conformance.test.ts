// conformance.test.ts: the conformance suite says that a case holds only when it does. That all hold: profiles.test.ts.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { CASE_NAMES } from "../../src/protocols/conformance.ts"
import { bundleWith } from "../helpers/source-copy.ts"
import { root, runKaal } from "../helpers/system.ts"

interface Verdict {
  readonly ok: boolean
  readonly passed: number
  readonly failed: number
  readonly cases: readonly { name: string; ok: boolean; profile: string; failure?: string }[]
}

/** Cases that go wrong in each way there is, in place of those in cases/frames.ts. */
const WRONG_CASES = `// frames.ts: cases that go wrong.
import type { Kit } from "../kit.ts"
export const FRAMES = {
  FRAMEDIPC0003: { shows: "that it hangs", run() { for (;;); } },
  FRAMEXN0001: { shows: "that it dies", run(kit: Kit) { kit.self.vspace.u8[0] = 1 } },
  PT0002: { shows: "that it forgets a frame", run(kit: Kit) { kit.frame() } },
}
`
const WRONG_CASE = `// revoke.ts: a case that fails.
import type { Kit } from "../kit.ts"
export const REVOKE = {
  PREEMPT_REVOKE: { shows: "that two is one", run(kit: Kit) { kit.equal("two", 2, 1) } },
}
`

t.test("a case that fails, dies, hangs or leaves something behind is told by name, and the others go on", async t => {
  const watch = "src/components/conformance-helper/watch.ts"
  const impatient = readFileSync(join(root, watch), "utf8").replace(/CASE_DEADLINE_NS = .*/, "CASE_DEADLINE_NS = 6e9")
  const folder = await bundleWith(
    t,
    new Map([
      ["src/components/conformance/cases/frames.ts", WRONG_CASES],
      ["src/components/conformance/cases/revoke.ts", WRONG_CASE],
      [watch, impatient],
    ]),
  )
  const { code, json, stderr } = await runKaal(t, ["conformance", "--json", "--components", folder])
  const { ok, passed, failed, cases } = json as Verdict
  t.equal(code, 1, stderr)
  t.same({ ok, passed, failed }, { ok: false, passed: CASE_NAMES.length - 4, failed: 4 })
  const failures = Object.fromEntries(cases.filter(({ ok }) => !ok).map(({ name, failure }) => [name, failure]))
  t.match(failures, {
    FRAMEDIPC0003: /the case was killed.*conformance-helper.*asked for it/,
    FRAMEXN0001: /the case was killed.*0x0/,
    PT0002: /slots that are still occupied: got "30"/,
    PREEMPT_REVOKE: /two: got 2, expected 1/,
  })
})

t.test("cases that have not run count as failed", async t => {
  const main = `// main.ts: a suite that gives up.
import { component } from "../runtime/index.ts"
component(self => self.report({ name: "CNODEOP0001", ok: true, shows: "", failure: "", ms: 1, seen: [] }))
`
  const folder = await bundleWith(t, new Map([["src/components/conformance/main.ts", main]]))
  const { code, json } = await runKaal(t, ["conformance", "--json", "--components", folder])
  const { ok, passed, failed } = json as Verdict
  t.equal(code, 1)
  t.same({ ok, passed, failed }, { ok: false, passed: 1, failed: CASE_NAMES.length - 1 })
})
