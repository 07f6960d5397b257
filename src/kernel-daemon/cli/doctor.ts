// doctor.ts: `kaal doctor`: how components are confined here, and which attacks stay open, found out by trying them.

import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import Table from "cli-table3"
import { Command } from "commander"
import { type Fd, launcherPath, native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import { type Confinement, chooseConfinement, describeConfinement } from "../broker/confinement.ts"
import { type ConfinementKind, isReadable, startConfined } from "../broker/confinement-run.ts"
import { paint } from "./step-list.ts"

/** What came of one attack. */
interface Finding {
  readonly attack: string
  /** What refused it, null when it succeeded. */
  readonly refusedBy: string | null
  /** The errno of the refusal. */
  readonly errno: string | null
}

interface Diagnosis {
  readonly confinement: Confinement
  /** Whether the daemon can look at a component's page tables and descriptors, and so prove a revocation. */
  readonly canBeRead: boolean
  readonly findings: readonly Finding[]
}

interface DoctorOptions {
  readonly json?: true
}

export function doctorCommand(): Command {
  return new Command("doctor")
    .description("say how components are confined here, try attacks from inside, and show which stay open")
    .option("--json", "print one JSON object")
    .action((options: DoctorOptions) => {
      const diagnosis = diagnose()
      if (options.json) console.log(JSON.stringify(diagnosis))
      else show(diagnosis)
    })
}

/**
 * Has an unconfined and a confined process attack this one, which stands for the daemon, and another of their kind.
 * Cost: some ten milliseconds.
 */
function diagnose(): Diagnosis {
  const folder = mkdtempSync(join(tmpdir(), "kaal-doctor-"))
  const open: Fd[] = []
  const hold = (fd: Fd): Fd => {
    open.push(fd)
    return fd
  }
  try {
    const file = join(folder, "private")
    closeSync(openSync(file, "w", 0o600))
    const program = hold(openSync(launcherPath(), "r"))
    const frame = hold(native.reopenReadOnly(hold(native.createFrame(PAGE_BYTES, "kaal-doctor"))))
    // First, since this process may hide when it chooses.
    const unconfined = attack("none", program, frame, file)
    const confinement = chooseConfinement()
    const { kind } = confinement
    const { rounds, canBeRead } = kind === "none" ? unconfined : attack(kind, program, frame, file)
    const [alone = []] = unconfined.rounds
    const [before = [], after = before] = rounds
    const findings = after.map((last, index) => findingOf(kind, last, before[index] ?? last, alone[index] ?? last))
    return { confinement, canBeRead, findings }
  } finally {
    for (const fd of open) native.closeFd(fd)
    rmSync(folder, { recursive: true })
  }
}

type Attempt = readonly [attack: string, errno: string]
const SUCCEEDED = "open"

interface Attack {
  readonly rounds: readonly (readonly Attempt[])[]
  readonly canBeRead: boolean
}

/** The rounds of attacks.cc: as the process was started, and if it is confined, under the system call filter as well. */
function attack(kind: ConfinementKind, program: Fd, frame: Fd, file: string): Attack {
  const peer = startConfined(kind, program, ["--wait"])
  try {
    const args = ["--attack", String(process.pid), String(peer.pid), file, kind === "none" ? "no-filter" : "filter"]
    const { status, output } = startConfined(kind, program, args, [frame]).end()
    if (status.code !== 0)
      throw new Error(`The attacks ended with ${status.signal ?? `code ${status.code}`}: ${output}`)
    const rounds = output
      .split("\n\n")
      .map(round => round.split("\n").map(line => line.split("\t") as [string, string]))
    return { rounds, canBeRead: isReadable(peer.pid) }
  } finally {
    peer.end("close")
  }
}

/** By the first thing that refused it, in the order in which a component loses what it could do. */
function findingOf(kind: ConfinementKind, [attack, errno]: Attempt, [, before]: Attempt, [, alone]: Attempt): Finding {
  if (errno === SUCCEEDED) return { attack, refusedBy: null, errno: null }
  if (alone !== SUCCEEDED) return { attack, refusedBy: "Linux, for any process", errno: alone }
  // The launcher's own filter says that there is no such call.
  if (before === SUCCEEDED || before === "ENOSYS") return { attack, refusedBy: "system call filter", errno }
  return { attack, refusedBy: kind === "user-id" ? "user id" : "namespaces", errno: before }
}

function show({ confinement, canBeRead, findings }: Diagnosis): void {
  console.log(describeConfinement(confinement))
  if (confinement.kind !== "none") for (const reason of confinement.because) console.log(`  ${reason}`)
  const proof = canBeRead ? "can be proved" : "cannot be proved, its /proc folder not being readable"
  console.log(`  the revocation of what a component maps ${proof}`)
  const noLinesBetweenRows = { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" }
  const head = ["A component tries to", "refused by", "errno"]
  const table = new Table({ head, chars: noLinesBetweenRows, style: { head: [], border: [] } })
  for (const { attack, refusedBy, errno } of findings) {
    table.push([attack, refusedBy ?? paint("red", "OPEN"), errno ?? ""])
  }
  console.log(table.toString())
  const open = findings.filter(finding => finding.refusedBy === null).length
  console.log(open === 0 ? "No attack succeeded." : `${open} of ${findings.length} attacks succeeded.`)
}
