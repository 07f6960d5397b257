// memory-traces.ts: what Linux shows of one memfd, and of its bells, in another process: page tables and open descriptors.

import { constants, readdirSync, readFileSync, statSync } from "node:fs"
import { eventFdId } from "./bell-table.ts"

const { S_IFMT } = constants

export interface MemoryIdentity {
  readonly device: number
  readonly inode: number
}

/** What to look for. */
export interface Sought extends MemoryIdentity {
  /** Numbers among eventfds, as eventFdId tells them. */
  readonly bells: ReadonlySet<number>
}

export interface MemoryTraces {
  readonly mappedBytes: number
  /** Of those, what can be written, or be made so by mprotect. */
  readonly writableBytes: number
  /** Of the memfd. */
  readonly descriptors: number
  /** Descriptors of its bells. */
  readonly bells: number
}

/** What a component may show. */
export interface MemoryGrant {
  readonly mappedBytes: number
  readonly writableBytes: number
  /** Descriptors of the memory's bells. */
  readonly bells: number
}

/** Of a process that we may not look at: as good as one that holds everything. */
const EVERYTHING = Number.POSITIVE_INFINITY
const UNREADABLE: MemoryTraces = {
  mappedBytes: EVERYTHING,
  writableBytes: EVERYTHING,
  descriptors: EVERYTHING,
  bells: EVERYTHING,
}

/** START-END PERMS OFFSET DEVICE INODE /memfd:LABEL (deleted) */
const MEMFD_LINE = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ (\d+) +\/memfd:/gm
/** The same line of smaps, and the last of those that follow it there: among its flags is mw where mprotect may add write. */
const MEMFD_ENTRY = /^([0-9a-f]+)-([0-9a-f]+) \S+ \S+ \S+ (\d+) +\/memfd:[\s\S]*?^VmFlags:(.*)$/gm

/**
 * Looks for the memory in /proc/PID/maps and /proc/PID/fd. A process that has ended meanwhile shows nothing.
 * All memfds lie in one file system, so among them the inode tells.
 * Cost: about 60 us, and 1.2 us for each mapped frame; where there are bells, some us for each eventfd; of one that may show
 * some of the memory a few ms, since only smaps tells what may be written.
 */
export function tracesOf(pid: number, sought: Sought, grant: MemoryGrant): MemoryTraces {
  try {
    return look(pid, sought, grant)
  } catch {
    return UNREADABLE
  }
}

function look(pid: number, { device, inode, bells: sought }: Sought, grant: MemoryGrant): MemoryTraces {
  let mappedBytes = 0
  let writableBytes = 0
  const shown =
    grant.mappedBytes === 0 ? read(pid, "maps").matchAll(MEMFD_LINE) : read(pid, "smaps").matchAll(MEMFD_ENTRY)
  for (const [, start = "", end = "", found, flags = ""] of shown) {
    if (Number(found) !== inode) continue
    const bytes = Number.parseInt(end, 16) - Number.parseInt(start, 16)
    mappedBytes += bytes
    if (flags.split(" ").includes("mw")) writableBytes += bytes
  }
  let descriptors = 0
  let bells = 0
  for (const fd of list(pid)) {
    const stat = statSync(`/proc/${pid}/fd/${fd}`, { throwIfNoEntry: false })
    if (stat === undefined) continue
    if (stat.ino === inode && stat.dev === device) descriptors++
    // An eventfd is neither file, socket nor pipe.
    else if (sought.size > 0 && (stat.mode & S_IFMT) === 0 && sought.has(eventFdId(read(pid, `fdinfo/${fd}`)))) bells++
  }
  return { mappedBytes, writableBytes, descriptors, bells }
}

/** Whether nothing is left but what is granted. */
export function isWithin(
  { mappedBytes, writableBytes, descriptors, bells }: MemoryTraces,
  grant: MemoryGrant,
): boolean {
  const isMemoryWithin = mappedBytes <= grant.mappedBytes && writableBytes <= grant.writableBytes
  return isMemoryWithin && descriptors === 0 && bells <= grant.bells
}

export function describeTraces({ mappedBytes, writableBytes, descriptors, bells }: MemoryTraces): string {
  if (mappedBytes === EVERYTHING) return "its /proc cannot be read, so nothing is proved"
  const memory = `${mappedBytes} bytes mapped, ${writableBytes} of them known to be writable`
  return `${memory}, ${descriptors} descriptors, ${bells} of its bells`
}

function read(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1")
  } catch (error) {
    if (isGone(error)) return ""
    throw error
  }
}

function list(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`)
  } catch (error) {
    if (isGone(error)) return []
    throw error
  }
}

/** A process that ends while we look shows nothing more. */
function isGone(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === "ENOENT" || code === "ESRCH"
}
