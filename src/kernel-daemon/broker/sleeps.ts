// sleeps.ts: on which words of its VSpace a component sleeps now, as Linux shows its threads' system calls.

import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs"
import { KERNEL_PAGE, VSPACE_BYTES } from "../abi/vspace-map.ts"

/** A word, by its address in the VSpace, and what it held when the sleeper last looked. */
export interface Sleep {
  readonly address: number
  readonly expected: number
}

/** One of a thread's calls: number, then its arguments. */
const SYSCALL = /^(\d+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)/
const FUTEX = process.arch === "arm64" ? 98 : 202
const FUTEX_WAITV = 449
/** struct futex_waitv: value and address, 8 bytes each, flags and padding. */
const WAITV_BYTES = 24
const STATUS_LINE = /^([0-9a-f]+)-\S+ .*\/memfd:kaal-status /m

/**
 * The words that any of its threads sleeps on. Empty when none does, when it waits on its event loop, and when the kernel's
 * page has been replaced since the daemon's death.
 * @throws {Error} it has ended, or Linux does not let us look
 * Cost: about 100 us
 */
export function sleepsOf(pid: number): Sleep[] {
  const [, statusPage] = STATUS_LINE.exec(readFileSync(`/proc/${pid}/maps`, "utf8")) ?? []
  if (statusPage === undefined) return []
  const base = Number.parseInt(statusPage, 16) - KERNEL_PAGE
  return readdirSync(`/proc/${pid}/task`)
    .flatMap(thread => callOf(pid, thread))
    .map(({ address, expected }) => ({ address: address - base, expected }))
    .filter(({ address }) => address >= 0 && address < VSPACE_BYTES)
}

function callOf(pid: number, thread: string): Sleep[] {
  const [, number, first = "0", second = "0", third = "0"] =
    SYSCALL.exec(readFileSync(`/proc/${pid}/task/${thread}/syscall`, "utf8")) ?? []
  if (Number(number) === FUTEX) return [{ address: Number(first), expected: Number(third) >>> 0 }]
  if (Number(number) !== FUTEX_WAITV) return []
  return waitersAt(pid, Number(first), Number(second))
}

function waitersAt(pid: number, position: number, count: number): Sleep[] {
  const buffer = Buffer.alloc(count * WAITV_BYTES)
  const fd = openSync(`/proc/${pid}/mem`, "r")
  try {
    readSync(fd, buffer, 0, buffer.length, position)
  } finally {
    closeSync(fd)
  }
  return Array.from({ length: count }, (_, index) => ({
    expected: Number(buffer.readBigUInt64LE(index * WAITV_BYTES)),
    address: Number(buffer.readBigUInt64LE(index * WAITV_BYTES + 8)),
  }))
}
