// sleeps.ts: on which words of its VSpace a component sleeps now, as Linux shows its JavaScript thread's system call.

import { closeSync, openSync, readFileSync, readSync } from "node:fs"
import { KERNEL_PAGE, SLEEPS_FOR, VSPACE_BYTES } from "../abi/vspace-map.ts"

/** One word that it sleeps on. */
export interface SleptOn {
  /** In the VSpace. */
  readonly address: number
  /** What the word held when it fell asleep. */
  readonly value: number
}

export interface Sleep {
  readonly words: readonly SleptOn[]
  /** It has a time-out of its own, or threads of which we do not know what they do. */
  readonly endsByItself: boolean
}

/** A call in which a thread sleeps: its number, then its arguments. */
const SYSCALL = /^(\d+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)/
const FUTEX = process.arch === "arm64" ? 98 : 202
const FUTEX_WAITV = 449
/** struct futex_waitv: value and address, 8 bytes each, flags and padding; and Linux's limit of them in one call. */
const WAITV_BYTES = 24
const WAITV_ADDRESS = 8
const MAX_WAITERS = 128
const STATUS_LINE = /^([0-9a-f]+)-\S+ .*\/memfd:kaal-status /m

/**
 * Where its main thread sleeps; undefined when it works, or waits on its event loop. What is read from it is bounded; a
 * hostile component misleads about itself alone.
 * @throws {Error} it has ended, or Linux does not let us look
 * Cost: about 100 us
 */
export function sleepOf(pid: number): Sleep | undefined {
  const [, number, first = "0", second = "0", third = "0"] =
    SYSCALL.exec(readFileSync(`/proc/${pid}/syscall`, "utf8")) ?? []
  if (Number(number) !== FUTEX && Number(number) !== FUTEX_WAITV) return undefined
  const [, statusPage] = STATUS_LINE.exec(readFileSync(`/proc/${pid}/maps`, "utf8")) ?? []
  if (statusPage === undefined) return undefined
  const base = Number.parseInt(statusPage, 16) - KERNEL_PAGE
  const memory = openSync(`/proc/${pid}/mem`, "r")
  try {
    const slept =
      Number(number) === FUTEX
        ? [{ address: Number(first), value: Number(third) }]
        : waitersAt(memory, Number(first), Math.min(Number(second), MAX_WAITERS))
    const words = slept
      .map(({ address, value }) => ({ address: address - base, value }))
      .filter(({ address }) => address >= 0 && address < VSPACE_BYTES)
    const atMost = read(memory, base + SLEEPS_FOR, 8).readDoubleLE()
    return words.length === 0 ? undefined : { words, endsByItself: atMost !== Number.POSITIVE_INFINITY }
  } finally {
    closeSync(memory)
  }
}

function waitersAt(memory: number, position: number, count: number): SleptOn[] {
  const buffer = read(memory, position, count * WAITV_BYTES)
  return Array.from({ length: count }, (_, at) => ({
    value: Number(buffer.readBigUInt64LE(at * WAITV_BYTES)),
    address: Number(buffer.readBigUInt64LE(at * WAITV_BYTES + WAITV_ADDRESS)),
  }))
}

function read(memory: number, position: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  readSync(memory, buffer, 0, bytes, position)
  return buffer
}
