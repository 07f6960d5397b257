// conformance.ts: `kaal conformance`: seL4's behaviours as black-box cases on real components, a verdict for each.

import { Command } from "commander"
import { CASE_NAMES, type CaseReport } from "../../protocols/conformance.ts"
import { PROFILE_NAMES, type ProfileName } from "../abi/profile.ts"
import { differencesOf, type ProfileRun, showCases, showDifferences } from "./conformance-tables.ts"
import { describeProfile, profileOption, wholeNumber } from "./options.ts"
import { runSession } from "./session.ts"
import { startLine } from "./start-line.ts"

interface ConformanceOptions {
  readonly timeout: number
  readonly components?: string
  readonly json?: true
  readonly profile: ProfileName | typeof BOTH
}

const BOTH = "both"

export function conformanceCommand(): Command {
  return new Command("conformance")
    .description("check what seL4's own tests check: capabilities, untyped memory, frames, notifications")
    .addOption(profileOption(BOTH))
    .option("--timeout <seconds>", "end everything after that time", wholeNumber(1, 1_000_000), 180)
    .option("--components <folder>", "where the bundled components are, NAME.cjs each")
    .option("--json", "print one JSON object as the last line, and the cases to standard error")
    .action(async (options: ConformanceOptions) => {
      process.exitCode = (await runConformance(options)) ? 0 : 1
    })
}

async function runConformance(options: ConformanceOptions): Promise<boolean> {
  const out = options.json ? process.stderr : process.stdout
  const runs: ProfileRun[] = []
  for (const profile of options.profile === BOTH ? PROFILE_NAMES : [options.profile]) {
    const run = await runCases(options, profile, out)
    showCases(run, out)
    runs.push(run)
  }
  const differences = options.profile === BOTH ? differencesOf(runs) : undefined
  if (differences !== undefined) showDifferences(differences, out)
  const cases = runs.flatMap(run => run.cases.map(each => ({ ...each, profile: run.profile })))
  const passed = cases.filter(({ ok }) => ok).length
  const failed = cases.length - passed
  const reason = runs.find(run => run.reason !== undefined)?.reason
  const ok = failed === 0 && runs.every(({ ended }) => ended)
  out.write(`${passed} passed, ${failed} failed\n`)
  if (options.json) {
    const verdicts = cases.map(({ name, ok, profile, failure }) => ({ name, ok, profile, ...(ok ? {} : { failure }) }))
    const more = { ...(differences === undefined ? {} : { differences }), ...(reason === undefined ? {} : { reason }) }
    console.log(JSON.stringify({ ok, passed, failed, cases: verdicts, ...more }))
  }
  return ok
}

/** All cases in one profile, in a daemon of their own. One that has not run has failed. */
async function runCases(
  { timeout, components }: ConformanceOptions,
  profile: ProfileName,
  out: NodeJS.WriteStream,
): Promise<ProfileRun> {
  const reports = new Map<string, CaseReport>()
  const { ok: ended, reason } = await runSession({
    rootTask: "conformance",
    arguments: [],
    timeoutSeconds: timeout,
    profile,
    ...(components === undefined ? {} : { components }),
    onEvent: event => {
      if (event.event === "ready") {
        out.write(`${describeProfile(event.profile)}; ${startLine(event.confinement)}\n`)
      }
      if (event.event !== "report") return
      const report = JSON.parse(event.text) as CaseReport
      reports.set(report.name, report)
      if (out.isTTY) out.write(`\r\u001b[K${reports.size} of ${CASE_NAMES.length}`)
    },
  })
  if (out.isTTY) out.write("\r\u001b[K")
  const cases = CASE_NAMES.map(name => reports.get(name) ?? notRun(name))
  return { profile, ended, cases, reason }
}

function notRun(name: string): CaseReport {
  return { name, ok: false, shows: "", failure: "the case has not run", ms: 0, seen: [] }
}
