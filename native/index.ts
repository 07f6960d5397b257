// index.ts: the addon's one declaration. Every function is synchronous and returns at once unless it says otherwise.
// A refused system call throws a NativeError with the call's name and errno; a wrong argument throws a TypeError or a
// RangeError that names it, its value and the limit.

import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** A file descriptor of this process, owned by who received it; close it with `closeFd`. */
export type Fd = number

/**
 * What the addon throws when Linux refuses. `syscall` is the call's name, `code` the errno's ("ENOMEM"), `errno` its
 * number.
 */
export interface NativeError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
}

/** Outcome of `futexWait`: 0 woken or a word had changed already, 1 the deadline passed, 2 a signal interrupted it. */
export type FutexOutcome = 0 | 1 | 2

export interface Received {
  /** Bytes received into the buffer; 0 means that the other side is gone. */
  readonly bytes: number
  readonly fds: readonly Fd[]
  /** True when the message or its descriptors did not fit and were cut off by the kernel; what is cut is closed. */
  readonly truncated: boolean
}

/** What a component's threads are told when the daemon has gone. Milliseconds count from then. */
export interface DaemonEnd {
  /** Of the page of status words. Each step changes those that hold `from` and wakes who sleeps on them or in its loop. */
  readonly address: number
  readonly steps: readonly { readonly afterMs: number; readonly from: number; readonly to: number }[]
  readonly exitAfterMs: number
}

export interface SpawnOptions {
  /** Absolute path of the executable. */
  readonly file: string
  /** All arguments, argv[0] included. */
  readonly argv: readonly string[]
  /** The whole environment, "NAME=value" each; nothing is inherited. */
  readonly env: readonly string[]
  /** The child's descriptors 0, 1, 2, ... in order; every other one is closed. */
  readonly fds: readonly Fd[]
  /**
   * In a user and a process namespace of its own: it is process 1 there and sees no other, and has no more rights than
   * any other user's process outside. EPERM, ENOSPC, EINVAL: this machine lets nobody, or not this user, make them.
   */
  readonly namespaces?: boolean
}

export interface Spawned {
  readonly pid: number
  /** Becomes readable when the process has ended. */
  readonly pidfd: Fd
}

/** How a reaped process ended: exactly one of the two is set. */
export interface ExitStatus {
  readonly code?: number
  /** The signal's name, "SIGSEGV". */
  readonly signal?: string
}

/** The last page fault of a process, as its SIGSEGV handler wrote it down. */
export interface FaultRecord {
  /** Byte offset in the attached memory; -1 when the address lies outside it. */
  readonly address: number
  readonly access: "read" | "write"
  readonly threadId: number
  /** True when V8 took it as a WebAssembly trap, false when the process died of it. */
  readonly trapped: boolean
  /** Counts the faults of this process, from 1. */
  readonly sequence: number
}

/** Ends a watch. Until then it keeps the event loop alive, except between `unref` and `ref`. */
export interface EndWatch {
  (): void
  ref(): void
  unref(): void
}

/**
 * In place of permissions in a command to a mapper: hang a bell (an eventfd, as memory) at the address, for the component to be woken by or to wake its peer
 * with; take those of a range away (memory -1), as an unmap does too.
 */
export const MapperCommand = { hangOwnBell: 16, hangPeersBell: 32, takeBells: 64 } as const

export interface MapperReply {
  readonly callId: number
  /** 0, or the errno that the command was refused with. */
  readonly errno: number
}

export interface TscInfo {
  /** CPU advertises a constant and non-stop time stamp counter. Without it cycles mean nothing here. */
  readonly constant: boolean
  /** Measured against CLOCK_MONOTONIC_RAW over about 20 ms, once for each process; 0 when not constant. */
  readonly hz: number
}

export interface Native {
  // memfd
  /**
   * A new memfd of `bytes` (a multiple of the page size), allocated, sealed against shrinking and growing. ENOMEM:
   * there is less memory.
   */
  createFrame(bytes: number, label: string): Fd
  /** The same without its memory, which `allocateFrame` takes piece by piece: a large one takes long. */
  reserveFrame(bytes: number, label: string): Fd
  /** Takes the memory of [offset, offset + bytes) of a reserved frame: about 0.4 ms for each MiB. */
  allocateFrame(fd: Fd, offset: number, bytes: number): void
  closeFd(fd: Fd): void
  duplicateFd(fd: Fd): Fd
  /** A descriptor of the same frame that can be mapped for reading only, now and later, close-on-exec. */
  reopenReadOnly(fd: Fd): Fd
  /** Final: nobody can map this frame for writing any more; mappings that stand go on. */
  sealFutureWrites(fd: Fd): void
  /** /dev/null, for a child that shall read nothing. Close-on-exec. */
  openNothing(): Fd
  /** A pipe, close-on-exec: [read end, non-blocking; write end]. */
  createPipe(): readonly [Fd, Fd]

  // VSpace. One memory for each process, shared by its threads: a Uint8Array over the whole of a shared
  // WebAssembly.Memory.
  /**
   * Remembers the memory and makes everything from `privateBytes` on, and page 0, PROT_NONE. With the same memory again
   * it changes nothing; throws for another.
   */
  attachMemory(memory: Uint8Array, privateBytes: number): void
  /** For a further thread of the process, with the memory that is attached: remembers, changes no page. */
  adoptMemory(memory: Uint8Array): void
  /**
   * Maps `bytes` of `fd`, from its start, over [address, address + bytes). `permissions` is 1 (read) or 3 (read and
   * write).
   */
  map(address: number, bytes: number, fd: Fd, permissions: number): void
  /** Makes [address, address + bytes) PROT_NONE again and drops what was mapped. */
  unmap(address: number, bytes: number): void

  // futex, on words of the attached memory; shared between processes
  /**
   * Sleeps while every word holds its expected value. `words` holds pairs: address (a multiple of 4), expected value.
   * BLOCKS this thread. `count` pairs are used, 1 to 128. `timeoutNs` is relative, Infinity for none, 0 or
   * less for one that has passed.
   */
  futexWait(words: Uint32Array, count: number, timeoutNs: number): FutexOutcome
  /** Wakes at most `count` (at least 1) sleepers of the word; returns how many. */
  futexWake(address: number, count: number): number

  // control sockets: SOCK_SEQPACKET pairs, close-on-exec
  createSocketPair(): readonly [Fd, Fd]
  /**
   * Sends one message (not empty) with descriptors, which stay ours; up to 16 can be received. False when the socket is
   * full (never blocks). EPIPE: peer gone. EINVAL: more descriptors than Linux takes.
   */
  sendMessage(fd: Fd, message: Uint8Array, fds: readonly Fd[]): boolean
  /** Receives one message if there is one, else returns undefined. Never blocks. Descriptors are close-on-exec. */
  receiveMessage(fd: Fd, into: Uint8Array): Received | undefined
  /**
   * Sends and then BLOCKS until a message has come; returns its bytes, 0 when the other side is gone. Descriptors that
   * come
   * are closed. ETIMEDOUT: `timeoutMs` (Infinity for none) has passed. EMSGSIZE: the message did not fit into `into`.
   */
  callMessage(fd: Fd, message: Uint8Array, into: Uint8Array, timeoutMs: number): number
  /** BLOCKS until a message has come; as `callMessage` without the sending. */
  waitMessage(fd: Fd, into: Uint8Array, timeoutMs: number): number

  // event loop (libuv's uv_poll)
  /**
   * Calls back on this thread's event loop whenever `fd` is readable. Returns the function that ends it; it does not
   * close the fd.
   */
  watchReadable(fd: Fd, callback: () => void): EndWatch

  // bells: eventfds that wake an event loop (native/core/bells.h). An address of the VSpace names them.
  /** A new eventfd, close-on-exec, non-blocking. */
  createEventFd(): Fd
  /** Wakes who polls the eventfd. Cost: about 0.3 us, and the wake-up. */
  addToEventFd(fd: Fd): void
  /** Hangs a bell of this process (`whose` 0) or of its peer (1) at `address`, for which the mapper has a command. Owns `fd`. */
  hangBell(address: number, whose: 0 | 1, fd: Fd): void
  /** Takes away what hangs at [address, address + bytes); threads that listened there collect its address. */
  takeBells(address: number, bytes: number): void
  /** A descriptor that is readable while this thread has bells to collect. Owned by the addon. */
  bellSetFd(): Fd
  /** Addresses of bells that have rung or were taken away. Returns how many; as many as fit means perhaps more. */
  collectBells(into: Uint32Array): number
  /** From now on this thread, and no other, collects the own bell at `address`. False when none hangs there. */
  listenToBell(address: number): boolean
  /** Wakes the peer out of its event loop. False when no bell of the peer's hangs at `address`. Cost: as addToEventFd. */
  ringPeersBell(address: number): boolean

  // mapper: the component's side is a native thread, the daemon's side two calls
  /**
   * Starts the thread that carries out the daemon's mapping commands arriving on `fd` against the attached memory.
   * When the daemon's end closes, the thread does what `daemonEnd` says and ends the process with status `exitStatus`. It
   * owns `fd` from then on.
   */
  startMapper(fd: Fd, exitStatus: number, daemonEnd: DaemonEnd): void
  /**
   * Daemon: asks the component at the other end to map (permissions 1 or 3, with memory) or unmap (permissions 0,
   * memory -1), or with a MapperCommand in place of permissions. False when the socket is full.
   */
  sendMapperCommand(fd: Fd, callId: number, address: number, bytes: number, permissions: number, memory: Fd): boolean
  /** Daemon: the next answer, or undefined when there is none; null when the component is gone or sent nonsense. */
  receiveMapperReply(fd: Fd): MapperReply | undefined | null

  // processes
  /**
   * Starts a child with no signal blocked or ignored. ENOENT, EACCES and the like are thrown here. Through the
   * launcher: main thread only.
   */
  spawn(options: SpawnOptions): Spawned
  /**
   * Reaps a child that has ended, this one only; undefined while it still runs. ECHILD: not our child, or reaped
   * before.
   */
  reap(pid: number): ExitStatus | undefined
  /**
   * Sends a signal by pidfd, so it can never hit a process that took the number over. False when it has been reaped.
   */
  sendSignal(pidfd: Fd, signal: string): boolean

  // confinement
  /**
   * For all threads and for good: only the system calls are left that running JavaScript and sharing memory takes; the
   * rest is EPERM (native/core/confine.cc). EPERM: not started through kaal-launcher, so no_new_privs is not set.
   */
  confineProcess(): void
  /** No process of the same user may look into this one, by ptrace or through its /proc folder; root still may. */
  hideProcess(): void
  /** A memfd of these bytes that any user can read and run as /proc/self/fd/N, and nobody can change. Close-on-exec. */
  createSealedFile(content: Uint8Array, label: string): Fd

  // faults
  /**
   * Puts our SIGSEGV and SIGBUS handler in front of Node's, for all threads. It notes faults in `record` (a frame of
   * one page). EALREADY: called before.
   */
  installFaultHandler(record: Fd): void
  /** The calling thread's last fault. */
  lastFault(): FaultRecord | undefined
  /**
   * From another process's record page: the last fault that was not trapped, which is what it died of, else the last
   * one.
   */
  readFaultRecord(record: Fd): FaultRecord | undefined

  // processor
  /** Processors that this thread may run on. */
  affinity(): number[]
  /** Pins the calling thread. */
  setAffinity(cpus: readonly number[]): void
  /** As of node:worker_threads, which need not be loaded for it. */
  isMainThread(): boolean
  /** The time stamp counter, after earlier loads have completed. Exact as a double for 40 days at 2.6 GHz. */
  tsc(): number
  tscInfo(): TscInfo
}

/** Name of the environment variable that overrides where the addon is; the daemon sets it for components. */
export const ADDON_VARIABLE = "KAAL_ADDON"

function load(): Native {
  // As require does it, which takes a file for an addon by its name only, and a descriptor has none.
  const module = { exports: {} }
  process.dlopen(module, process.env[ADDON_VARIABLE] ?? addonPath())
  return module.exports as Native
}

/** Where the build puts the addon: build/Release below the package's root, seen from native/ and from dist/. */
export function addonPath(): string {
  return join(packageRoot(), "build", "Release", "kaal.node")
}

/** Where the build puts the launcher executable. */
export function launcherPath(): string {
  return join(packageRoot(), "build", "Release", "kaal-launcher")
}

function packageRoot(): string {
  return dirname(dirname(fileURLToPath(import.meta.url)))
}

export const native: Native = load()
