// resources.ts: `npm run resources [-- --json] [--full] [--stride N] [--times N] [ROLE or CALL ...]`: every system call
// fails once, or N times in a row, and the matrix of what came of it.

import { parseArgs } from "node:util"
import { CALLS } from "../test/fault/resources/calls.ts"
import { ROLES, Trials, WHEN, type When } from "../test/fault/resources/trials.ts"
import { chosen, numberOption } from "./options.ts"

/** Each of so many is tried; after that, by the stride. */
const FIRST = 8

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    full: { type: "boolean", default: false },
    stride: { type: "string", default: "1" },
    times: { type: "string", default: "1" },
    when: { type: "string", multiple: true, default: [] },
  },
})
const all = Object.keys(CALLS)
const names = chosen(positionals, [...ROLES, ...all])
const choose = (of: readonly string[]): readonly string[] =>
  chosen(
    names.filter(name => of.includes(name)),
    of,
  )
const stride = numberOption("stride", values.stride, 1, 1e6)
const { rows, sites, unreached, daemonKiB } = await Trials.run({
  when: chosen(values.when, WHEN) as readonly When[],
  roles: choose(ROLES),
  calls: choose(all),
  full: values.full,
  times: numberOption("times", values.times, 1, 1e6),
  next: k => k + (k < FIRST ? 1 : stride),
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
console.log(JSON.stringify({ ok, sites: sites.length, injected: rows.length, unreached, daemonKiB, wrong }))
process.exitCode = ok ? 0 : 1
