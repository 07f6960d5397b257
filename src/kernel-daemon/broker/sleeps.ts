// sleeps.ts: on which words of its VSpace a component sleeps now, as Linux shows its JavaScript thread's system call.

import { closeSync, openSync, readFileSync, readSync } from "node:fs"
import { KERNEL_PAGE, VSPACE_BYTES } from "../abi/vspace-map.ts"

/** A call in which a thread sleeps: its number, then its arguments. */
const SYSCALL = /^(\d+) (0x[0-9a-f]+) (0x[0-9a-f]+)/
const FUTEX = process.arch === "arm64" ? 98 : 202
const FUTEX_WAITV = 449
/** struct futex_waitv: value and address, 8 bytes each, flags and padding; and Linux's limit of them in one call. */
const WAITV_BYTES = 24
const WAITV_ADDRESS = 8
const MAX_WAITERS = 128
const STATUS_LINE = /^([0-9a-f]+)-\S+ .*\/memfd:kaal-status /m

/**
 * Addresses in the VSpace of the words that its main thread sleeps on. Empty when it works, or waits on its event loop. What
 * is read from it is bounded; a hostile component misleads about itself alone.
 * @throws {Error} it has ended, or Linux does not let us look
 * Cost: about 100 us
 */
export function sleepsOf(pid: number): number[] {
  const [, statusPage] = STATUS_LINE.exec(readFileSync(`/proc/${pid}/maps`, "utf8")) ?? []
  if (statusPage === undefined) return []
  const base = Number.parseInt(statusPage, 16) - KERNEL_PAGE
  return wordsOf(pid)
    .map(address => address - base)
    .filter(address => address >= 0 && address < VSPACE_BYTES)
}

function wordsOf(pid: number): number[] {
  const [, number, first = "0", second = "0"] = SYSCALL.exec(readFileSync(`/proc/${pid}/syscall`, "utf8")) ?? []
  if (Number(number) === FUTEX) return [Number(first)]
  return Number(number) === FUTEX_WAITV ? waitersAt(pid, Number(first), Math.min(Number(second), MAX_WAITERS)) : []
}

function waitersAt(pid: number, position: number, count: number): number[] {
  const buffer = Buffer.alloc(count * WAITV_BYTES)
  const fd = openSync(`/proc/${pid}/mem`, "r")
  try {
    readSync(fd, buffer, 0, buffer.length, position)
  } finally {
    closeSync(fd)
  }
  return Array.from({ length: count }, (_, at) => Number(buffer.readBigUInt64LE(at * WAITV_BYTES + WAITV_ADDRESS)))
}
