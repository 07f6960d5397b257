// profiles.test.ts: the conformance cases hold in both profiles, and the table shows every switch that tells them apart.

import t from "tap"
import { Switches } from "../../src/kernel-daemon/abi/profile.ts"
import { CASE_NAMES } from "../../src/protocols/conformance.ts"
import { runKaal } from "../helpers/system.ts"

interface Verdict {
  readonly ok: boolean
  readonly passed: number
  readonly failed: number
  readonly cases: readonly { name: string; ok: boolean; profile: string; failure?: string }[]
  readonly differences: readonly { case: string; by: string; what: string; strict: string; kaal: string }[]
}

const RUN_TIMEOUT_MS = 300_000
t.setTimeout(RUN_TIMEOUT_MS)

t.test("kaal conformance --profile both --json reports every case in both profiles, and all hold", async t => {
  const { code, json, stderr } = await runKaal(t, ["conformance", "--profile", "both", "--json"], RUN_TIMEOUT_MS)
  const { ok, passed, failed, cases, differences } = json as Verdict
  t.equal(code, 0, stderr)
  t.same({ ok, passed, failed }, { ok: true, passed: 2 * CASE_NAMES.length, failed: 0 })
  t.same(
    cases,
    ["strict", "kaal"].flatMap(profile => CASE_NAMES.map(name => ({ name, ok: true, profile }))),
  )
  t.same([...new Set(differences.map(({ by }) => by))].sort(), Object.keys(Switches).sort(), "every switch shows")
  t.notOk(differences.some(({ strict, kaal }) => strict === "not seen" || kaal === "not seen"))
})
