// bench.ts: `kaal bench SUITE`: measurements, each beside a reference that does the same work in the same run.

import { Argument, Command, Option } from "commander"
import { runCapsSuite } from "./bench/caps-suite.ts"
import { runPart } from "./bench/caps-suite-part.ts"
import { showCapsRows } from "./bench/caps-suite-table.ts"
import { runRingSuite } from "./bench/ring-suite.ts"
import { showRows } from "./bench/show-rows.ts"
import { wholeNumber } from "./options.ts"

interface BenchOptions {
  readonly pairs: number
  readonly json?: true
  readonly part?: string
}

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure, beside a reference that does the same work; run it on an otherwise idle machine")
    .addArgument(new Argument("<suite>", "what to measure").choices(["ring", "caps"]))
    .option("--pairs <n>", "alternating pairs of fresh processes for each figure", wholeNumber(7, 1_000), 7)
    .option("--json", "print one JSON object a line, and progress to standard error")
    .addOption(new Option("--part <name>", "measure one part of caps in this process").hideHelp())
    .action(async (suite: string, { pairs, json, part }: BenchOptions) => {
      if (part !== undefined) return runPart(part)
      const progress = (text: string): void => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
      }
      const onRow = (row: unknown): void => {
        if (json) console.log(JSON.stringify(row))
      }
      if (suite === "caps") {
        const rows = await runCapsSuite({ pairs, progress, onRow })
        progress("")
        if (!json) showCapsRows(rows)
        process.exitCode = rows.every(({ ok }) => ok !== false) ? 0 : 1
        return
      }
      const rows = await runRingSuite({ pairs, progress, onRow })
      progress("")
      if (!json) showRows(rows)
      // A figure that the host did not let us take is said to be missing, and is no failure of this software.
      process.exitCode = rows.length > 0 ? 0 : 1
    })
}
