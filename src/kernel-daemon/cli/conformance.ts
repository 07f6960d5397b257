// conformance.ts: `kaal conformance`: seL4's behaviours as black-box cases on real components, a verdict for each.

import Table from "cli-table3"
import { Command } from "commander"
import { CASE_NAMES, type CaseReport, PROFILE } from "../../protocols/conformance.ts"
import { wholeNumber } from "./options.ts"
import { runSession } from "./session.ts"
import { paint } from "./step-list.ts"

interface ConformanceOptions {
  readonly timeout: number
  readonly components?: string
  readonly json?: true
}

export function conformanceCommand(): Command {
  return new Command("conformance")
    .description("check what seL4's own tests check: capabilities, untyped memory, frames, notifications")
    .option("--timeout <seconds>", "end everything after that time", wholeNumber(1, 1_000_000), 180)
    .option("--components <folder>", "where the bundled components are, NAME.cjs each")
    .option("--json", "print one JSON object as the last line, and the cases to standard error")
    .action(async (options: ConformanceOptions) => {
      process.exitCode = (await runConformance(options)) ? 0 : 1
    })
}

async function runConformance({ timeout, components, json }: ConformanceOptions): Promise<boolean> {
  const out = json ? process.stderr : process.stdout
  const reports = new Map<string, CaseReport>()
  const { ok: ended, reason } = await runSession({
    rootTask: "conformance",
    arguments: [],
    timeoutSeconds: timeout,
    ...(components === undefined ? {} : { components }),
    onEvent: event => {
      if (event.event !== "report") return
      const report = JSON.parse(event.text) as CaseReport
      reports.set(report.name, report)
      if (out.isTTY) out.write(`\r\u001b[K${reports.size} of ${CASE_NAMES.length}`)
    },
  })
  if (out.isTTY) out.write("\r\u001b[K")
  const cases = CASE_NAMES.map(name => reports.get(name) ?? notRun(name))
  const passed = cases.filter(({ ok }) => ok).length
  const failed = cases.length - passed
  const ok = ended && failed === 0
  out.write(`${tableOf(cases)}\n`)
  for (const { name, failure } of cases) if (failure !== "") out.write(`${paint("red", "✗")} ${name}: ${failure}\n`)
  if (reason !== undefined) out.write(`${paint("red", "✗")} ${reason}\n`)
  out.write(`${passed} passed, ${failed} failed\n`)
  if (json) {
    const verdicts = cases.map(({ name, ok, failure }) => ({ name, ok, profile: PROFILE, ...(ok ? {} : { failure }) }))
    console.log(JSON.stringify({ ok, passed, failed, cases: verdicts, ...(reason === undefined ? {} : { reason }) }))
  }
  return ok
}

function notRun(name: string): CaseReport {
  return { name, ok: false, shows: "", failure: "the case has not run", ms: 0 }
}

function tableOf(cases: readonly CaseReport[]): string {
  const table = new Table({
    head: ["", "case", "ms", "shows that"],
    colWidths: [3, 16, 7, 92],
    colAligns: ["left", "left", "right", "left"],
    wordWrap: true,
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  })
  for (const { ok, name, ms, shows } of cases) {
    table.push([ok ? paint("green", "✓") : paint("red", "✗"), name, ms.toFixed(0), shows])
  }
  return table.toString()
}
