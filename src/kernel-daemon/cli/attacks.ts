// attacks.ts: `kaal attacks`: every attack that is known, made here by real processes, and what each got.

import Table from "cli-table3"
import { Command } from "commander"
import { type Diagnosis, probeAttacks } from "../broker/attack-probe.ts"
import { CONFINE_VARIABLE } from "../broker/confinement.ts"
import { attackKernel, type KernelFinding } from "./attacks-run.ts"
import { confinementLines, tableOf } from "./doctor.ts"
import { paint } from "./step-list.ts"

interface AttacksOptions {
  readonly confine: boolean
  readonly json?: true
}

/** A line of the JSON form: the same for attacks by system calls and for those on the kernel. */
interface AttackRow {
  readonly attack: string
  readonly by: "a process confined as components are" | "a component"
  readonly got: string
  /** What the same got where it should succeed: by who may, or done rightly. */
  readonly rightly: string
  readonly open: boolean
  /** Why it counts as open, where that is not plain from `got`. */
  readonly problem?: string
}

export function attacksCommand(): Command {
  return new Command("attacks")
    .description(
      "make every known attack, by system calls, on the control socket and by exhaustion; exits with 1 if one is open",
    )
    .option("--no-confine", "from components that are not confined: what the kernel itself refuses")
    .option("--json", "print one JSON object as the last line, and the tables to standard error")
    .action(async (options: AttacksOptions) => {
      process.exitCode = (await runAttacks(options)) ? 0 : 1
    })
}

async function runAttacks({ confine, json }: AttacksOptions): Promise<boolean> {
  const out = json ? process.stderr : process.stdout
  if (!confine) process.env[CONFINE_VARIABLE] = "off"
  const diagnosis = probeAttacks()
  out.write(`${confinementLines(diagnosis).join("\n")}\n${tableOf(diagnosis.findings)}\n`)
  const findings: KernelFinding[] = []
  await attackKernel(diagnosis.confinement.kind, finding => findings.push(finding))
  out.write(`${kernelTable(findings)}\n`)
  for (const { attack, problem } of findings) {
    if (problem !== "") out.write(`${paint("red", "OPEN")} ${attack}: ${problem}\n`)
  }
  const attacks = [...rowsOf(diagnosis), ...findings.map(rowOf)]
  const open = attacks.filter(attack => attack.open).length
  out.write(open === 0 ? "No attack succeeded.\n" : `${open} of ${attacks.length} attacks are open.\n`)
  const ok = open === 0
  if (json) console.log(JSON.stringify({ ok, confinement: diagnosis.confinement.kind, attacks }))
  return ok
}

function rowsOf({ findings }: Diagnosis): AttackRow[] {
  return findings.map(({ attack, errno, ownerErrno }) => ({
    attack,
    by: "a process confined as components are",
    got: errno ?? "succeeds",
    rightly: ownerErrno ?? "succeeds",
    open: errno === null,
  }))
}

function rowOf({ attack, got, rightly, problem }: KernelFinding): AttackRow {
  const why = problem === "" ? {} : { problem }
  return { attack, by: "a component", got, rightly, open: problem !== "", ...why }
}

function kernelTable(findings: readonly KernelFinding[]): string {
  const table = new Table({
    head: ["A component tries to", "got", "rightly", "items", "MiB"],
    colAligns: ["left", "left", "left", "right", "right"],
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    style: { head: [], border: [] },
  })
  for (const { attack, got, rightly, bystanders, daemonMiB } of findings) {
    table.push([attack, got, rightly, bystanders.items, daemonMiB])
  }
  return table.toString()
}
