// ipc-test.ts: `kaal ipc-test`: runs the plan and shows whether each of its criteria holds.

import { performance } from "node:perf_hooks"
import { Command } from "commander"
import type { RootReport } from "../../protocols/ipc-test.ts"
import type { ProfileName } from "../abi/profile.ts"
import type { DaemonEvent } from "../broker/control-link.ts"
import { showResult } from "./ipc-test-summary.ts"
import { describeProfile, multipleOf, powerOfTwo, profileOption, wholeNumber } from "./options.ts"
import { runSession } from "./session.ts"
import { startLine } from "./start-line.ts"
import { StepList } from "./step-list.ts"

interface IpcTestOptions {
  readonly items: number
  readonly slots: number
  readonly bytes: number
  readonly pin: boolean
  readonly confine: boolean
  readonly profile: ProfileName
  readonly timeout: number
  readonly json?: true
}

type Result = Extract<RootReport, { kind: "result" }>

export function ipcTestCommand(): Command {
  return new Command("ipc-test")
    .description("run KaaL's Phase 5 plan on real processes: four tests, six criteria, latency in cycles")
    .option("--items <n>", "messages of the long run of Test 3", wholeNumber(1, 1_000_000_000), 1_000_000)
    .option("--slots <n>", "slots of its ring, a power of two", powerOfTwo(1, 65_536), 32)
    .option("--bytes <n>", "bytes of a message, a multiple of 8", multipleOf(8, 8, 65_536), 64)
    .option("--no-pin", "leave the components on whichever processor they are")
    .option("--no-confine", "leave the components unconfined, for a debugger")
    .addOption(profileOption())
    .option("--timeout <seconds>", "end everything after that time", wholeNumber(1, 1_000_000), 180)
    .option("--json", "print one JSON object as the last line, and progress to standard error")
    .action(async (options: IpcTestOptions) => {
      process.exitCode = (await runIpcTest(options)) ? 0 : 1
    })
}

async function runIpcTest(options: IpcTestOptions): Promise<boolean> {
  const out = options.json ? process.stderr : process.stdout
  const steps = new StepList(out)
  let result: Result | undefined
  const onEvent = (event: DaemonEvent): void => {
    if (event.event === "ready") {
      steps.done("Kernel daemon", performance.now())
      steps.line(`  ${describeProfile(event.profile)}; ${startLine(event.confinement)}`)
    }
    if (event.event === "print") for (const line of event.lines) steps.line(`${event.name}: ${line}`)
    if (event.event === "ended" && event.text !== "exited with code 0") steps.failed(`${event.name} ${event.text}`)
    if (event.event !== "report") return
    const report = JSON.parse(event.text) as RootReport
    if (report.kind === "result") result = report
    else if (report.kind === "note") steps.line(`  ${report.text}`)
    else if (report.state === "begun") steps.begin(report.text)
    else if (report.state === "ok") steps.done(report.text, report.ms)
    else steps.failed(report.text)
  }
  const { items, slots, bytes, pin } = options
  const { ok: ended, reason } = await runSession({
    rootTask: "root-task",
    arguments: [items, slots, bytes, pin ? 1 : 0],
    timeoutSeconds: options.timeout,
    confine: options.confine,
    profile: options.profile,
    onEvent,
  })
  const ok = ended && result?.ok === true
  if (result !== undefined) showResult(result, steps.times, out)
  if (reason !== undefined) steps.failed(reason)
  else if (result === undefined) steps.failed("root-task ended without a result")
  if (options.json) {
    const { tests, criteria, latency } = result ?? { tests: [], criteria: [], latency: null }
    console.log(JSON.stringify({ ok, tests, criteria, latency, ...(reason === undefined ? {} : { reason }) }))
  }
  return ok
}
