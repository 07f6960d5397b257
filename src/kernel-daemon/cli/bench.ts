// bench.ts: `kaal bench SUITE`: measurements, each beside a reference that does the same work in the same run.

import { Argument, Command, Option } from "commander"
import { runCapsSuite } from "./bench/caps-suite.ts"
import { runPart } from "./bench/caps-suite-part.ts"
import { showCapsRows } from "./bench/caps-suite-table.ts"
import { showFigures } from "./bench/figure-table.ts"
import { runSuites, SUITES } from "./bench/suites.ts"
import { wholeNumber } from "./options.ts"

interface BenchOptions {
  readonly pairs: number
  readonly quick?: true
  readonly json?: true
  readonly part?: string
}

const CAPS = "caps"

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure, beside a reference that does the same work; run it on an otherwise idle machine")
    .addArgument(new Argument("<suite>", "what to measure").choices([...Object.keys(SUITES), CAPS]))
    .option("--pairs <n>", "alternating pairs of fresh processes for each figure", wholeNumber(7, 1_000), 7)
    .option("--quick", "one pair and a fiftieth of the samples: shows that everything runs, and judges nothing")
    .option("--json", "print one JSON object a line, and progress to standard error")
    .addOption(new Option("--part <name>", "measure one part in this process").hideHelp())
    .action(async (suite: string, { pairs, quick, json, part }: BenchOptions) => {
      if (part !== undefined) return runPart(part)
      const progress = (text: string): void => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
      }
      const onRow = (row: unknown): void => {
        if (json) console.log(JSON.stringify(row))
      }
      if (suite === CAPS) {
        const rows = await runCapsSuite({ pairs, progress, onRow })
        progress("")
        if (!json) showCapsRows(rows)
        process.exitCode = rows.every(({ ok }) => ok !== false) ? 0 : 1
        return
      }
      const options = { pairs: quick ? 1 : pairs, quick: quick === true, progress, onRow }
      const { machine, figures } = await runSuites([suite], options)
      progress("")
      if (!json) showFigures(machine, figures)
      // What the host did not let us measure is said to be missing, and is no failure of this software.
      process.exitCode = figures.some(({ verdict }) => verdict === "missed") ? 1 : 0
    })
}
