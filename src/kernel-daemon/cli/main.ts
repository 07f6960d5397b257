// main.ts: the `kaal` command. One file a command.

import { Command } from "commander"
import { attacksCommand } from "./attacks.ts"
import { benchCommand } from "./bench.ts"
import { conformanceCommand } from "./conformance.ts"
import { doctorCommand } from "./doctor.ts"
import { ipcTestCommand } from "./ipc-test.ts"
import { runCommand } from "./run.ts"

/** Node has no public way to make an output pipe asynchronous. */
interface MaybePipe {
  readonly _handle?: { setBlocking?(blocking: boolean): void }
}

const program = new Command("kaal")
  .description("A capability microkernel's inter-component IPC, made of real Linux processes and real shared memory")
  .addCommand(ipcTestCommand())
  .addCommand(runCommand())
  .addCommand(conformanceCommand())
  .addCommand(benchCommand())
  .addCommand(doctorCommand())
  .addCommand(attacksCommand())

// Otherwise a reader of our output who stops would stop us as well: no time-out would fire, no Ctrl-C be heard.
for (const stream of [process.stdout, process.stderr] as (NodeJS.WriteStream & MaybePipe)[]) {
  if (!stream.isTTY) stream._handle?.setBlocking?.(false)
}

// Whoever reads our output may stop: then there is nothing left to tell, and the daemon ends with us.
process.stdout.on("error", () => process.exit(1))

void program.parseAsync()
