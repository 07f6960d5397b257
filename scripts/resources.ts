// resources.ts: `npm run resources [-- --json] [--full] [--stride N] [ROLE or CALL ...]`: every system call fails once, and the
// matrix of what came of it.

import { parseArgs } from "node:util"
import { CALLS } from "../test/fault/resources/calls.ts"
import { type Row, Trials } from "../test/fault/resources/trials.ts"

/** Each of so many is tried; after that, by the stride. */
const FIRST = 8

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    stride: { type: "string", default: "1" },
    when: { type: "string", multiple: true, default: ["running", "booting"] },
  },
})
const roles = positionals.filter(name => !(name in CALLS))
const calls = positionals.filter(name => name in CALLS)
const { rows, sites, unreached } = await Trials.run({
  when: values.when as Row["when"][],
  roles: roles.length > 0 ? roles : ["guard", "daemon", "launcher", "resources-root", "resources-end"],
  calls: calls.length > 0 ? calls : Object.keys(CALLS),
  full: values.full,
  next: k => k + (k < FIRST ? 1 : Number(values.stride)),
  onRow: row => {
    const { when, role, call, k, errno, site, outcome, ms } = row
    const head = `${when} ${role} ${call} ${k} ${errno} (${site})`
    if (!values.json) console.log(`${head.padEnd(76)} ${ms} ms  ${outcome}`)
  },
})
const wrong = rows.filter(({ outcome }) => !outcome.startsWith("ok"))
if (!values.json) {
  console.log(sites.join("\n"))
  for (const site of unreached) console.log(`not reached: ${site}`)
}
const ok = rows.length > 0 && wrong.length === 0
console.log(JSON.stringify({ ok, sites: sites.length, injected: rows.length, unreached, wrong }))
process.exitCode = ok ? 0 : 1
