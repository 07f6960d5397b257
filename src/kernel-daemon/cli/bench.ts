// bench.ts: `kaal bench SUITE`: measurements, each beside a reference that does the same work in the same run.

import { join } from "node:path"
import { Argument, Command, Option } from "commander"
import { runCapsSuite } from "./bench/caps-suite.ts"
import { runPart } from "./bench/caps-suite-part.ts"
import { showCapsRows } from "./bench/caps-suite-table.ts"
import { showFigures } from "./bench/figure-table.ts"
import { concludeGate, loadBaseline, runGate, saveBaseline, twoProcessors } from "./bench/gate.ts"
import { showGate } from "./bench/gate-table.ts"
import { reportPage } from "./bench/report/report.ts"
import { loadResults, root, writeWhole } from "./bench/results.ts"
import { runSuites, SUITES } from "./bench/suites.ts"
import { wholeNumber } from "./options.ts"

interface BenchOptions {
  readonly pairs: number
  readonly quick?: true
  readonly json?: true
  readonly out?: string
  readonly writeBaseline?: true
  readonly part?: string
}

const REPORT_FILE = join(root, "build", "bench", "report.html")
/** A gate that takes longer than this is not run. */
const GATE_SECONDS = 240

/** What is not a suite of figures. */
const OTHERS: Readonly<
  Record<string, (options: BenchOptions, progress: (text: string) => void) => Promise<void> | void>
> = { caps, gate, report }

export function benchCommand(): Command {
  return new Command("bench")
    .description(
      "measure, beside a reference that does the same work; run it on an otherwise idle machine. all: every suite but " +
        "caps; report: the last results as one HTML file; gate: fails when ratios have become worse than the committed ones",
    )
    .addArgument(
      new Argument("<suite>", "what to measure").choices([...Object.keys(SUITES), "all", ...Object.keys(OTHERS)]),
    )
    .option("--pairs <n>", "alternating pairs of fresh processes for each figure", wholeNumber(7, 1_000), 7)
    .option("--quick", "one pair and a fiftieth of the samples: shows that everything runs, and judges nothing")
    .option("--json", "print one JSON object a line, and progress to standard error")
    .option("--out <file>", `where the report goes; by default ${REPORT_FILE}`)
    .option("--write-baseline", "gate: make what it finds the baseline")
    .addOption(new Option("--part <name>", "measure one part in this process").hideHelp())
    .action(async (suite: string, options: BenchOptions) => {
      if (options.part !== undefined) return runPart(options.part)
      const progress = (text: string): void => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
      }
      const other = OTHERS[suite]
      if (other !== undefined) return other(options, progress)
      await figures(suite === "all" ? Object.keys(SUITES) : [suite], options, progress)
    })
}

async function figures(
  suites: readonly string[],
  options: BenchOptions,
  progress: (text: string) => void,
): Promise<void> {
  const { pairs, quick, json } = options
  const onRow = (row: unknown): void => {
    if (json) console.log(JSON.stringify(row))
  }
  const run = { pairs: quick ? 1 : pairs, quick: quick === true, progress, onRow }
  const { machine, figures } = await runSuites(suites, run)
  progress("")
  if (!json) showFigures(machine, figures)
  // What the host did not let us measure is said to be missing, and is no failure of this software.
  process.exitCode = figures.some(({ verdict }) => verdict === "missed") ? 1 : 0
}

async function caps({ pairs, json }: BenchOptions, progress: (text: string) => void): Promise<void> {
  const onRow = (row: unknown): void => {
    if (json) console.log(JSON.stringify(row))
  }
  const rows = await runCapsSuite({ pairs, progress, onRow })
  progress("")
  if (!json) showCapsRows(rows)
  process.exitCode = rows.every(({ ok }) => ok !== false) ? 0 : 1
}

async function gate(options: BenchOptions, progress: (text: string) => void): Promise<void> {
  const { pairs, json, writeBaseline } = options
  const deadlineMs = performance.now() + GATE_SECONDS * 1e3
  const run = { pairs, quick: false, cpus: twoProcessors(), tell: () => {}, progress, deadlineMs }
  const lines = await runGate(run, loadBaseline(), line => {
    if (json) console.log(JSON.stringify(line))
  })
  progress("")
  if (!json) showGate(lines)
  if (writeBaseline) saveBaseline(lines)
  const { ok, text } = concludeGate(lines)
  console.error(`kaal bench: ${text}`)
  process.exitCode = ok ? 0 : 1
}

function report({ out = REPORT_FILE }: BenchOptions): void {
  const results = loadResults()
  if (Object.keys(results).length === 0) {
    console.error("kaal bench: there are no results yet: run `npm run bench -- all` first")
    process.exitCode = 1
    return
  }
  writeWhole(out, reportPage(results))
  console.log(out)
}
