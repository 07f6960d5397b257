// ring.ts: what the ring's tests share: one VSpace for the process, frames mapped into it, and peers in other
// processes.

import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { buildSync } from "esbuild"
import type { Test } from "tap"
import { ADDON_VARIABLE, addonPath, type ExitStatus, type Fd, native } from "../../native/index.ts"
import { PAGE_BYTES } from "../../src/kernel-daemon/abi/limits.ts"
import { FRAMES_START, PRIVATE_END, PRIVATE_START, VSPACE_BYTES } from "../../src/kernel-daemon/abi/vspace-map.ts"
import { VSpace } from "../../src/ring/vspace.ts"

export const READ = 1
export const READ_WRITE = 3
export const SECOND_NS = 1_000_000_000

const wasmPath = join(import.meta.dirname, "../../dist/ring.wasm")

/** The process's VSpace, with the fault handler in place: an address outside a mapped frame is a PageFault. */
export const vspace = VSpace.create(
  { bytes: VSPACE_BYTES, privateStart: PRIVATE_START, privateEnd: PRIVATE_END },
  readFileSync(wasmPath),
)
const faults = native.createFrame(PAGE_BYTES, "test-faults")
native.installFaultHandler(faults)
native.closeFd(faults)

let nextAddress = FRAMES_START

/** A virtual address range that nothing is mapped at, and a page after it that stays so. */
export function freeAddress(bytes: number): number {
  const address = nextAddress
  nextAddress += bytes + PAGE_BYTES
  return address
}

export function mapFrame(t: Test, fd: Fd, bytes: number, permissions = READ_WRITE): number {
  const address = freeAddress(bytes)
  native.map(address, bytes, fd, permissions)
  t.teardown(() => native.unmap(address, bytes))
  return address
}

/** A zeroed frame, given back when the test ends. */
export function newFrame(t: Test, bytes: number): Fd {
  const fd = native.createFrame(bytes, "test-ring")
  t.teardown(() => native.closeFd(fd))
  return fd
}

/** One frame at two addresses, as its two ends would see it. */
export function frameTwice(t: Test, bytes = PAGE_BYTES): [number, number] {
  const fd = newFrame(t, bytes)
  return [mapFrame(t, fd, bytes), mapFrame(t, fd, bytes)]
}

export interface Peer {
  readonly pid: number
  /** Ends it at once, wherever it is. */
  kill(): void
  /** Resolves when it has ended. Rejects after 30 s. */
  ended(): Promise<ExitStatus>
}

/** A file of test/unit/ring as plain JavaScript, outside the tree: argv of a process that runs it in `mode`. */
export function peerCommand(
  t: Test,
  mode: string,
  file = "peer.ts",
): readonly [file: string, script: string, mode: string, wasmPath: string] {
  const folder = mkdtempSync(join(tmpdir(), "kaal-ring-"))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const script = join(folder, "peer.cjs")
  buildSync({
    entryPoints: [join(import.meta.dirname, "../unit/ring", file)],
    outfile: script,
    bundle: true,
    format: "cjs",
    platform: "node",
    define: { "import.meta.url": "importMetaUrl" },
    banner: { js: `const importMetaUrl = require("node:url").pathToFileURL(__filename).href` },
  })
  return [process.execPath, script, mode, wasmPath]
}

export const peerEnvironment = { [ADDON_VARIABLE]: addonPath() }

/** Runs it, with `frames` as its descriptors from 3 on, free of what tap puts into the environment. */
export function startPeer(t: Test, mode: string, frames: readonly Fd[], file?: string): Peer {
  const argv = peerCommand(t, mode, file)
  const { pid, pidfd } = native.spawn({
    file: process.execPath,
    argv,
    env: Object.entries(peerEnvironment).map(([name, value]) => `${name}=${value}`),
    fds: [0, 1, 2, ...frames],
  })
  let status: ExitStatus | undefined
  const ended = async (): Promise<ExitStatus> => {
    const deadline = performance.now() + 30_000
    while (status === undefined) {
      status = native.reap(pid)
      if (status === undefined && performance.now() > deadline) throw new Error(`Peer ${mode} did not end within 30 s`)
      if (status === undefined) await new Promise(resolve => setTimeout(resolve, 5))
    }
    return status
  }
  const kill = (): void => {
    native.sendSignal(pidfd, "SIGKILL")
  }
  t.teardown(async () => {
    kill()
    await ended()
    native.closeFd(pidfd)
  })
  return { pid, kill, ended }
}
