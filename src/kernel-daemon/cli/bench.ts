// bench.ts: `kaal bench SUITE`: measurements, each beside a reference that does the same work in the same run.

import { Argument, Command } from "commander"
import { runRingSuite } from "./bench/ring-suite.ts"
import { showRows } from "./bench/show-rows.ts"
import { wholeNumber } from "./options.ts"

interface BenchOptions {
  readonly pairs: number
  readonly json?: true
}

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure, beside a C++ reference that does the same work; run it on an otherwise idle machine")
    .addArgument(new Argument("<suite>", "what to measure").choices(["ring"]))
    .option("--pairs <n>", "alternating pairs of fresh processes for each figure", wholeNumber(7, 1_000), 7)
    .option("--json", "print one JSON object a line, and progress to standard error")
    .action(async (_suite: string, options: BenchOptions) => {
      const progress = (text: string): void => {
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
      }
      const rows = await runRingSuite({
        pairs: options.pairs,
        progress,
        onRow: row => {
          if (options.json) console.log(JSON.stringify(row))
        },
      })
      progress("")
      if (!options.json) showRows(rows)
      // A figure that the host did not let us take is said to be missing, and is no failure of this software.
      process.exitCode = rows.length > 0 ? 0 : 1
    })
}
