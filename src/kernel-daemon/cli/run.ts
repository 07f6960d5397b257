// run.ts: `kaal run NAME [numbers]`: boots any component as the root task and shows what it prints.

import { Command } from "commander"
import { DEFAULT_GRACE_MS } from "../abi/boot.ts"
import type { ProfileName } from "../abi/profile.ts"
import { leavesOpen } from "../broker/confinement.ts"
import { describeProfile, profileOption, wholeNumber } from "./options.ts"
import { runSession } from "./session.ts"
import { startLine } from "./start-line.ts"

interface RunOptions {
  readonly timeout: number
  readonly components?: string
  readonly confine: boolean
  readonly profile: ProfileName
  readonly grace: number
}

const toArgument = wholeNumber(0, Number.MAX_SAFE_INTEGER)

export function runCommand(): Command {
  return new Command("run")
    .description("boot a component as the root task, with the initial capabilities, and show what it prints")
    .argument("<name>", "a folder of src/components")
    .argument("[numbers...]", "its arguments", (text: string, earlier: number[] | undefined) => [
      ...(earlier ?? []),
      toArgument(text),
    ])
    .option("--timeout <seconds>", "end everything after that time", wholeNumber(1, 1_000_000), 3_600)
    .option("--components <folder>", "where the bundled components are, NAME.cjs each")
    .option("--no-confine", "leave components unconfined, for a debugger")
    .option(
      "--grace <milliseconds>",
      "how long components go on when the daemon dies",
      wholeNumber(0, 3_600_000),
      DEFAULT_GRACE_MS,
    )
    .addOption(profileOption())
    .action(async (name: string, numbers: number[], options: RunOptions) => {
      let confines = true
      const { ok, reason } = await runSession({
        rootTask: name,
        arguments: numbers,
        timeoutSeconds: options.timeout,
        confine: options.confine,
        profile: options.profile,
        graceMs: options.grace,
        ...(options.components === undefined ? {} : { components: options.components }),
        onEvent: event => {
          if (event.event === "ready") {
            confines = event.confinement.kind !== "none"
            if (leavesOpen(event.confinement.kind)) console.error(`kaal run: ${startLine(event.confinement)}`)
          }
          if (event.event === "spawned" && confines && !event.confined) {
            console.error(
              `kaal run: ${event.name} is NOT confined, as its parent wanted: no revocation there is proved`,
            )
          }
          if (event.event === "ready" && event.profile !== "strict") {
            console.error(`kaal run: ${describeProfile(event.profile)}`)
          }
          if (event.event === "print") console.log(event.lines.map(line => `${event.name}: ${line}`).join("\n"))
          if (event.event === "report") console.log(event.text)
          if (event.event === "waits" || event.event === "standstill")
            console.error(event.lines.map(line => `kaal run: ${line}`).join("\n"))
          if (event.event === "ended" && event.text !== "exited with code 0") {
            console.error(`${event.name} ${event.text}`)
          }
        },
      })
      if (reason !== undefined) console.error(`kaal run: ${reason}`)
      process.exitCode = ok ? 0 : 1
    })
}
