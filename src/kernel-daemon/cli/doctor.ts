// doctor.ts: `kaal doctor`: how components are confined here, and which attacks stay open, found out by trying them.

import Table from "cli-table3"
import { Command } from "commander"
import { type Diagnosis, type Finding, probeAttacks } from "../broker/attack-probe.ts"
import { describeConfinement, leavesOpen } from "../broker/confinement.ts"
import { paint } from "./step-list.ts"

interface DoctorOptions {
  readonly json?: true
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("say how components are confined here, try attacks from inside, and show which stay open")
    .option("--json", "print one JSON object")
    .action((options: DoctorOptions) => {
      const diagnosis = probeAttacks()
      if (options.json) console.log(JSON.stringify(diagnosis))
      else show(diagnosis)
    })
}

function show(diagnosis: Diagnosis): void {
  for (const line of confinementLines(diagnosis)) console.log(line)
  console.log(tableOf(diagnosis.findings))
  const open = diagnosis.findings.filter(finding => finding.refusedBy === null).length
  console.log(open === 0 ? "No attack succeeded." : `${open} of ${diagnosis.findings.length} attacks succeeded.`)
}

const REVOCATION = {
  proved: "is proved",
  "by-killing": "is proved by killing the component",
  unproven: 'is answered "unproven"',
} as const

export function confinementLines({ confinement, revocation: { proof, because } }: Diagnosis): string[] {
  const why = because === "" ? "" : ` (${because})`
  return [
    describeConfinement(confinement),
    ...(leavesOpen(confinement.kind) ? [] : confinement.because.map(reason => `  ${reason}`)),
    `  the revocation of what a component maps ${REVOCATION[proof]}${why}`,
  ]
}

/** What each attack got, and what the same got by who may: on what is his own. */
export function tableOf(findings: readonly Finding[]): string {
  const noLinesBetweenRows = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }
  const head = ["A component tries to", "refused by", "errno", "on one's own"]
  const table = new Table({ head, chars: noLinesBetweenRows, style: { head: [], border: [] } })
  for (const { attack, refusedBy, errno, ownerErrno } of findings) {
    table.push([attack, refusedBy ?? paint("red", "OPEN"), errno ?? "", ownerErrno ?? "succeeds"])
  }
  return table.toString()
}
