// main.ts: the `kaal` command. One file a command.

import { Command } from "commander"
import { benchCommand } from "./bench.ts"
import { ipcTestCommand } from "./ipc-test.ts"
import { runCommand } from "./run.ts"

const program = new Command("kaal")
  .description("A capability microkernel's inter-component IPC, made of real Linux processes and real shared memory")
  .addCommand(ipcTestCommand())
  .addCommand(runCommand())
  .addCommand(benchCommand())

// Whoever reads our output may stop: then there is nothing left to tell, and the daemon ends with us.
process.stdout.on("error", () => process.exit(1))

void program.parseAsync()
