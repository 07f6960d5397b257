// attack-probe.ts: what a component can do here with system calls, found out by processes that try it.

import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Fd, launcherPath, native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../abi/limits.ts"
import { type Confinement, chooseConfinement } from "./confinement.ts"
import { type ConfinementKind, isReadable, mayTrace, startConfined } from "./confinement-run.ts"

/** What came of one attack. */
export interface Finding {
  readonly attack: string
  /** What refused it, null when it succeeded. */
  readonly refusedBy: string | null
  /** The errno of the refusal. */
  readonly errno: string | null
  /** What somebody got who may do as much: who attacks what is his own, unconfined. null: he succeeded. */
  readonly ownerErrno: string | null
}

export interface Diagnosis {
  readonly confinement: Confinement
  /** Whether the daemon can look at a component's page tables and descriptors. */
  readonly canBeRead: boolean
  /** What that makes of revocations. */
  readonly revocation: Revocation
  readonly findings: readonly Finding[]
}

/** `by-killing`: whoever has mapped what is revoked is killed, together with its namespace. */
export interface Revocation {
  readonly proof: "proved" | "by-killing" | "unproven"
  /** Empty where it is proved. */
  readonly because: string
}

/**
 * Chooses the confinement as a daemon does, and has an unconfined and a confined process attack this one, which stands for
 * the daemon, and another of their kind, which has a frame mapped for writing that the attacker may read.
 * @throws {Error} an attacker could not be started or did not finish
 * Cost: some twenty milliseconds, blocking.
 */
export function probeAttacks(): Diagnosis {
  return withScene(scene => {
    // First, since this process may hide when it chooses.
    const unconfined = attack("none", scene)
    const owner = attackAsOwner(scene)
    const confinement = chooseConfinement()
    const { kind } = confinement
    const { rounds, canBeRead } = kind === "none" ? unconfined : attack(kind, scene)
    const [alone = []] = unconfined.rounds
    const [before = [], after = before] = rounds
    const findings = after.map((last, index) => ({
      ...findingOf(kind, last, before[index] ?? last, alone[index] ?? last),
      ownerErrno: errnoOf(owner[index]),
    }))
    return { confinement, canBeRead, revocation: revocationOf(kind, canBeRead), findings }
  })
}

/** The names of the attacks that succeed. Errors and cost as for `probeAttacks`. */
export function openAttacks(kind: ConfinementKind): string[] {
  if (kind !== "none")
    return probeAttacks().findings.flatMap(({ attack, refusedBy }) => (refusedBy === null ? [attack] : []))
  const [attempts = []] = withScene(scene => attack("none", scene)).rounds
  return attempts.filter(([, outcome]) => outcome === SUCCEEDED).map(([name]) => name)
}

function revocationOf(kind: ConfinementKind, canBeRead: boolean): Revocation {
  if (kind === "none") {
    return { proof: "unproven", because: "a component that is not confined can keep what it maps where nobody looks" }
  }
  if (canBeRead) return { proof: "proved", because: "" }
  const cause = process.getuid?.() === 0 && !mayTrace() ? "root lacks CAP_SYS_PTRACE here" : "Linux refuses"
  return {
    proof: kind === "namespace" ? "by-killing" : "unproven",
    because: `the /proc folder of a component cannot be read: ${cause}`,
  }
}

type Attempt = readonly [attack: string, outcome: string]
const SUCCEEDED = "open"

interface Scene {
  readonly program: Fd
  /** Of the same page. */
  readonly readable: Fd
  readonly writable: Fd
  /** That only this user may read. */
  readonly file: string
}

interface Attack {
  readonly rounds: readonly (readonly Attempt[])[]
  readonly canBeRead: boolean
}

function withScene<T>(work: (scene: Scene) => T): T {
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
    const writable = hold(native.createFrame(PAGE_BYTES, "kaal-doctor"))
    return work({ program, writable, readable: hold(native.reopenReadOnly(writable)), file })
  } finally {
    for (const fd of open) native.closeFd(fd)
    rmSync(folder, { recursive: true })
  }
}

/** The rounds of attacks.cc: as the process was started, and if it is confined, under the system call filter as well. */
function attack(kind: ConfinementKind, { program, readable, writable, file }: Scene): Attack {
  const victim = startConfined(kind, program, ["--victim"], [writable])
  try {
    victim.ready()
    const filter = kind === "none" ? "no-filter" : "filter"
    const args = ["--attack", String(process.pid), String(victim.pid), file, filter]
    return { rounds: roundsOf(kind, program, args, [readable]), canBeRead: isReadable(victim.pid) }
  } finally {
    victim.end("close")
  }
}

function attackAsOwner({ program, file }: Scene): readonly Attempt[] {
  return roundsOf("none", program, ["--attack", file], [])[0] ?? []
}

function roundsOf(kind: ConfinementKind, program: Fd, args: readonly string[], fds: readonly Fd[]): Attempt[][] {
  const { status, output } = startConfined(kind, program, args, fds).end()
  if (status.code !== 0) {
    throw new Error(`The attacks ended with ${status.signal ?? `code ${status.code}`}: ${output}`)
  }
  return output.split("\n\n").map(round => round.split("\n").map(line => line.split("\t") as [string, string]))
}

/** What refuses a process that is not filtered yet what any other is allowed. */
const REFUSED_AT_START = {
  "user-id": "user id",
  namespace: "namespaces",
  filter: "the daemon's being hidden",
  none: "nothing",
} as const satisfies Record<ConfinementKind, string>

/** By the first thing that refused it, in the order in which a component loses what it could do. */
function findingOf(
  kind: ConfinementKind,
  [attack, outcome]: Attempt,
  [, before]: Attempt,
  [, alone]: Attempt,
): Omit<Finding, "ownerErrno"> {
  if (outcome === SUCCEEDED) return { attack, refusedBy: null, errno: null }
  if (alone !== SUCCEEDED) return { attack, refusedBy: "Linux, for any process", errno: alone }
  // The launcher's own filter says that there is no such call.
  if (before === SUCCEEDED || before === "ENOSYS") return { attack, refusedBy: "system call filter", errno: outcome }
  return { attack, refusedBy: REFUSED_AT_START[kind], errno: before }
}

function errnoOf(attempt: Attempt | undefined): string | null {
  const outcome = attempt?.[1] ?? "not tried"
  return outcome === SUCCEEDED ? null : outcome
}
