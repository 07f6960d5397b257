// confinement.ts: how components are kept from what they have no capability to: decided once, when the daemon starts.

import { readFileSync } from "node:fs"
import { type NativeError, native } from "../../../native/index.ts"
import { type ConfinementKind, startConfined } from "./confinement-run.ts"
import { openProgram } from "./programs.ts"

export interface Confinement {
  readonly kind: ConfinementKind
  /** Why not in a better way: one clause for each that was tried, empty when the first served. */
  readonly because: readonly string[]
}

/** Set to "off" for the daemon it switches confinement off, for debuggers and for libraries that need more. */
export const CONFINE_VARIABLE = "KAAL_CONFINE"

/** User and group ids of components: this and a process id. The launcher adds the two (native/launcher/launcher.cc). */
const USER_IDS = { first: 0x7ca0_0000, last: 0x7ca0_0000 + 2 ** 22 - 1 } as const

/**
 * The best that this machine and this user allow, found out by starting a program in each way.
 * Cost: a few milliseconds, blocking; it is called before there are components.
 */
export function chooseConfinement(): Confinement {
  if (process.env[CONFINE_VARIABLE] === "off") return { kind: "none", because: [`${CONFINE_VARIABLE} is "off"`] }
  const because: string[] = []
  for (const [kind, refusal] of [
    ["user-id", userIdRefusal],
    ["namespace", namespaceRefusal],
    ["filter", filterRefusal],
  ] as const) {
    const refused = refusal()
    if (refused === undefined) return { kind, because }
    because.push(refused)
  }
  return { kind: "none", because }
}

/** In words. */
export function describeConfinement({ kind, because }: Confinement): string {
  const how = {
    "user-id": "components confined, a user id for each",
    namespace: "components confined, namespaces for each",
    filter: "components confined by a system call filter alone",
    none: "components NOT confined",
  }[kind]
  return leavesOpen(kind) ? `${how} (${because.join("; ")})` : how
}

/** Whether components of that kind could do each other harm, in ways that `kaal doctor` names. */
export function leavesOpen(kind: ConfinementKind): boolean {
  return kind === "filter" || kind === "none"
}

function userIdRefusal(): string | undefined {
  if (process.getuid?.() !== 0) return "no user ids: the daemon is not root"
  const taken = accountIn("/etc/passwd", USER_IDS) ?? accountIn("/etc/group", USER_IDS)
  if (taken !== undefined) return `no user ids: ${taken} has one from ${USER_IDS.first} to ${USER_IDS.last}`
  const refused = probe("user-id")
  return refused === undefined ? undefined : `no user ids: ${refused}`
}

function namespaceRefusal(): string | undefined {
  const refused = probe("namespace")
  if (refused !== undefined) return `no namespaces: ${refused}`
  // Components are of the same user; what keeps them out of the daemon is this, and the user namespace.
  native.hideProcess()
  return undefined
}

function filterRefusal(): string | undefined {
  const refused = probe("filter")
  if (refused !== undefined) return `no system call filter: ${refused}`
  // What keeps components out of the daemon is this alone.
  native.hideProcess()
  return undefined
}

/** Name of an account whose id, the third field of its line, lies in the range. */
function accountIn(file: string, { first, last }: typeof USER_IDS): string | undefined {
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [name, , id] = line.split(":")
    if (id !== undefined && Number(id) >= first && Number(id) <= last) return `${name} of ${file}`
  }
  return undefined
}

/** Starts Node in this way, just to say its version: the whole way of a component but its script. Says what failed. */
function probe(kind: ConfinementKind): string | undefined {
  const node = openProgram()
  try {
    // Components are run from such files.
    native.closeFd(native.createSealedFile(new Uint8Array(1), "kaal-probe"))
    const { status, output } = startConfined(kind, node, ["--version"]).end()
    return status.code === 0
      ? undefined
      : output || `node --version ended with ${status.signal ?? `code ${status.code}`}`
  } catch (error) {
    return (error as NativeError).message
  } finally {
    native.closeFd(node)
  }
}
