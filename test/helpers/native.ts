// native.ts: what the tests of the addon share: an attached memory, children that are plain Node, leak checks.
import { closeSync, openSync, readdirSync } from "node:fs"
import type { Test } from "tap"
import { ADDON_VARIABLE, addonPath, type ExitStatus, type Fd, native, type Spawned } from "../../native/index.ts"

export const PAGE_BYTES = 4096
export const MEMORY_BYTES = 16 * 1024 * 1024
export const PRIVATE_BYTES = 1024 * 1024
/** A mappable page in the middle, away from both bounds. */
export const PLACE = 2 * PRIVATE_BYTES

/** No wait in a test is longer. */
export const DEADLINE_MS = 10_000

const PAGES = MEMORY_BYTES / 65536
const CREATE_MEMORY = `new WebAssembly.Memory({ initial: ${PAGES}, maximum: ${PAGES}, shared: true })`

let attached: WebAssembly.Memory | undefined

/** This process's memory, attached by the first call. */
export function attachedMemory(): WebAssembly.Memory {
  if (attached === undefined) {
    attached = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES, shared: true })
    native.attachMemory(new Uint8Array(attached.buffer), PRIVATE_BYTES)
  }
  return attached
}

/** A frame that is closed when the test ends. */
export function frame(t: Test, bytes = PAGE_BYTES): Fd {
  return closing(t, native.createFrame(bytes, "test"))
}

/** A frame mapped at `address` until the test ends; returns its bytes. */
export function mapped(t: Test, fd: Fd, address: number, permissions: number, bytes = PAGE_BYTES): Uint8Array {
  const { buffer } = attachedMemory()
  native.map(address, bytes, fd, permissions)
  t.teardown(() => native.unmap(address, bytes))
  return new Uint8Array(buffer, address, bytes)
}

/** A socket pair that is closed when the test ends. */
export function socketPair(t: Test): readonly [Fd, Fd] {
  const [ours, theirs] = native.createSocketPair()
  return [closing(t, ours), closing(t, theirs)]
}

/** Closes `fd` when the test ends, unless the test has done so. */
export function closing(t: Test, fd: Fd): Fd {
  t.teardown(() => {
    try {
      native.closeFd(fd)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBADF") throw error
    }
  })
  return fd
}

/** How many descriptors this process has open. */
export function openFds(): number {
  return readdirSync("/proc/self/fd").length
}

export interface Child extends Spawned {
  /** How it ended. Rejects, and kills it, when it has not by the deadline. */
  ended(): Promise<ExitStatus>
}

export interface ChildOptions {
  /** Become the child's descriptors 3, 4, ... */
  readonly fds?: readonly Fd[]
  /** Program and leading arguments in front of Node. */
  readonly launcher?: readonly string[]
  /** False where the child does not attach a memory. */
  readonly memory?: boolean
}

/**
 * Starts Node on `body`, a script that finds `native`, `memory` and `bytes` (a Uint8Array over all of it). Not through
 * child_process: the test runner would load itself into the child. Killed and reaped when the test ends.
 */
export function startNode(t: Test, body: string, options: ChildOptions = {}): Child {
  const attach = `
    const memory = ${CREATE_MEMORY}
    const bytes = new Uint8Array(memory.buffer)
    native.attachMemory(bytes, ${PRIVATE_BYTES})`
  const script = `
    const native = require(process.env.${ADDON_VARIABLE})
    ${options.memory === false ? "" : attach}
    ${body}`
  const argv = [...(options.launcher ?? []), process.execPath, "-e", script]
  return start(t, argv, options.fds ?? [])
}

/** Starts any program, standard error shared with the test. */
export function start(t: Test, argv: readonly string[], fds: readonly Fd[] = []): Child {
  const nowhere = openSync("/dev/null", "r+")
  let spawned: Spawned
  try {
    const env = [`${ADDON_VARIABLE}=${process.env[ADDON_VARIABLE] ?? addonPath()}`, `PATH=${process.env.PATH}`]
    spawned = native.spawn({ file: argv[0] as string, argv, env, fds: [nowhere, nowhere, 2, ...fds] })
  } finally {
    closeSync(nowhere)
  }
  let status: ExitStatus | undefined
  const reap = () => (status ??= native.reap(spawned.pid))
  const ended = async () => {
    if (reap() === undefined && !(await readable(spawned.pidfd))) throw new Error(`${argv[0]} has not ended in time`)
    return reap() as ExitStatus
  }
  t.teardown(async () => {
    if (reap() === undefined) native.sendSignal(spawned.pidfd, "SIGKILL")
    await ended()
    native.closeFd(spawned.pidfd)
  })
  return { ...spawned, ended }
}

/** Resolves with true as soon as `fd` is readable, with false at the deadline. */
export function readable(fd: Fd, deadlineMs = DEADLINE_MS): Promise<boolean> {
  return new Promise(resolve => {
    const finish = (answer: boolean) => {
      clearTimeout(timer)
      end()
      resolve(answer)
    }
    const timer = setTimeout(() => finish(false), deadlineMs)
    const end = native.watchReadable(fd, () => finish(true))
  })
}

/** Polls until `condition` holds; false at the deadline. */
export async function eventually(condition: () => boolean, deadlineMs = DEADLINE_MS): Promise<boolean> {
  const deadline = performance.now() + deadlineMs
  while (!condition()) {
    if (performance.now() > deadline) return false
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  return true
}
