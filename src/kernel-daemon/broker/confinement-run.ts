// confinement-run.ts: starts a program in one way of confinement, through the launcher.

import { readFileSync, readSync, statSync } from "node:fs"
import { type ExitStatus, type Fd, launcherPath, native, type Spawned } from "../../../native/index.ts"
import { descriptorPath } from "./programs.ts"

/**
 * - `user-id`: each component is a user of its own, whom nobody else is. The daemon is root.
 * - `namespace`: each is alone in a user and a process namespace. The daemon may be any user, and is hidden from others of
 *   the same user.
 * - `filter`: a process of the daemon's user that can do little. The daemon may be any user, and is hidden as well.
 * - `none`: like any process of the daemon's user.
 *
 * With all but the last, system calls are filtered (native/core/confine.cc).
 */
export type ConfinementKind = "user-id" | "namespace" | "filter" | "none"

/** The command that the launcher shall become, its environment and its descriptors from 0 on. */
export interface ConfinedCommand {
  readonly command: readonly string[]
  readonly env: readonly string[]
  readonly fds: readonly Fd[]
  /** It may outlive this process for a while: the daemon's guard ends it. */
  readonly guarded?: boolean
}

/**
 * Starts a process that ends with this one, or by the daemon's guard.
 * @throws {NativeError} out of processes, descriptors or memory, or no namespaces are to be had
 */
export function launch(kind: ConfinementKind, { command, env, fds, guarded = false }: ConfinedCommand): Spawned {
  const flags = [...(guarded ? ["--guarded"] : []), ...(kind === "none" ? [] : [`--${kind}`])]
  return native.spawn({
    file: launcherPath(),
    argv: ["kaal-launcher", String(process.pid), ...flags, ...command],
    env,
    fds,
    namespaces: kind === "namespace",
  })
}

/**
 * Whether this process may look at the page tables and descriptors of another: without that no revocation is proved.
 * Root may only with CAP_SYS_PTRACE, which containers often lack (`mayTrace`). Cost: about 60 us.
 */
export function isReadable(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/maps`)
    statSync(`/proc/${pid}/fd/0`)
    return true
  } catch (error) {
    // Of one that has just ended there is nothing left to hide.
    const { code } = error as NodeJS.ErrnoException
    return code === "ENOENT" || code === "ESRCH"
  }
}

const CAP_SYS_PTRACE = 19n

/** Whether this process has CAP_SYS_PTRACE. */
export function mayTrace(): boolean {
  const [, effective = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? []
  return ((BigInt(`0x${effective}`) >> CAP_SYS_PTRACE) & 1n) === 1n
}

/** A program that runs to show what it can do. It is none of the kernel's components. */
export interface ConfinedProgram {
  readonly pid: number
  /** Blocks until it has sent a message on its descriptor 3. @throws {Error} it has ended, or takes too long */
  ready(): void
  /**
   * Waits for its end, with `close` after telling it to end by closing the socket that is its descriptor 3, and kills it
   * at a deadline. Blocks. `output` is the first 64 KiB of what it printed.
   */
  end(close?: "close"): { readonly status: ExitStatus; readonly output: string }
}

const DEADLINE_MS = 5_000
const MAX_OUTPUT_BYTES = 65_536
const MAX_READY_BYTES = 64
const PROGRAM_FD = 4

/**
 * Starts the program that the descriptor `program` is open on. Its descriptors: 0 nothing, 1 and 2 the output, 3 a socket
 * to us, 4 itself, then `more`.
 * @throws {NativeError} as `launch`; nothing is then left
 */
export function startConfined(
  kind: ConfinementKind,
  program: Fd,
  args: readonly string[],
  more: readonly Fd[] = [],
): ConfinedProgram {
  const open = new Set<Fd>()
  const closeAll = (): void => {
    for (const fd of open) native.closeFd(fd)
    open.clear()
  }
  const hold = (fd: Fd): Fd => {
    open.add(fd)
    return fd
  }
  try {
    const [ours, theirs] = native.createSocketPair().map(hold) as [Fd, Fd]
    const [outputRead, outputWrite] = native.createPipe().map(hold) as [Fd, Fd]
    const nothing = hold(native.openNothing())
    const command = [descriptorPath(PROGRAM_FD), ...args]
    const fds = [nothing, outputWrite, outputWrite, theirs, program, ...more]
    const { pid, pidfd } = launch(kind, { command, env: [], fds })
    hold(pidfd)
    for (const fd of [theirs, outputWrite, nothing]) {
      open.delete(fd)
      native.closeFd(fd)
    }
    const end: ConfinedProgram["end"] = close => {
      if (close === undefined) waitForEnd(ours, pidfd)
      else if (open.delete(ours)) native.closeFd(ours)
      const status = reaped(pid)
      const output = textOf(outputRead)
      closeAll()
      return { status, output }
    }
    const ready = (): void => {
      if (native.waitMessage(ours, new Uint8Array(MAX_READY_BYTES), DEADLINE_MS) > 0) return
      throw new Error(`The program ended before it was ready: ${end().output}`)
    }
    return { pid, ready, end }
  } catch (error) {
    closeAll()
    throw error
  }
}

/** Returns when the child's end of `socket` has closed with the child, which is killed at the deadline. */
function waitForEnd(socket: Fd, pidfd: Fd): void {
  try {
    native.waitMessage(socket, new Uint8Array(1), DEADLINE_MS)
  } catch {
    native.sendSignal(pidfd, "SIGKILL")
  }
}

/** How it ended. Blocks: a process's descriptors close a moment before it can be reaped. */
export function reaped(pid: number): ExitStatus {
  for (;;) {
    const status = native.reap(pid)
    if (status !== undefined) return status
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  }
}

function textOf(pipe: Fd): string {
  const buffer = Buffer.alloc(MAX_OUTPUT_BYTES)
  return buffer.toString("utf8", 0, readSync(pipe, buffer)).trim()
}
