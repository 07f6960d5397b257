// boot.ts: takes up what the daemon handed over, makes the VSpace, says hello and waits to be started.

import { readFileSync } from "node:fs"
import { type DaemonEnd, native } from "../../../native/index.ts"
import {
  BootFd,
  GRACE_VARIABLE,
  HELLO,
  KERNEL_GONE_STATUS,
  RING_WASM_VARIABLE,
  type StartMessage,
} from "../../kernel-daemon/abi/boot.ts"
import { MAX_MESSAGE_BYTES, PAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import { KERNEL_PAGE, PRIVATE_END, PRIVATE_START, VSPACE_BYTES } from "../../kernel-daemon/abi/vspace-map.ts"
import { Status } from "../../ring/layout.ts"
import { VSpace } from "../../ring/vspace.ts"

export interface Booted {
  readonly vspace: VSpace
  readonly start: StartMessage
}

/** A component may be left suspended for as long as its parent likes. */
const FOR_EVER_MS = 0x7fff_ffff
const READ_ONLY = 1

/**
 * Half of the time everything goes on as it did, then nobody sends any more; a quarter later nothing can come that has not,
 * and whoever receives is told as well.
 */
function daemonEnd(graceMs: number): DaemonEnd {
  const { Live, KernelGoing, KernelGone } = Status
  return {
    address: KERNEL_PAGE,
    steps: [
      { afterMs: Math.floor(graceMs / 2), from: Live, to: KernelGoing },
      { afterMs: Math.floor((3 * graceMs) / 4), from: KernelGoing, to: KernelGone },
    ],
    exitAfterMs: graceMs,
  }
}

/** Returns when the component is started. Blocks this thread; ends the process when the daemon goes before that. */
export function boot(): Booted {
  const wasmPath = process.env[RING_WASM_VARIABLE]
  if (wasmPath === undefined) {
    throw new Error(
      "A component is spawned by the kernel daemon, it cannot be run by itself; try: npm run kaal -- run NAME",
    )
  }
  const map = { bytes: VSPACE_BYTES, privateStart: PRIVATE_START, privateEnd: PRIVATE_END }
  const vspace = VSpace.create(map, readFileSync(wasmPath))
  native.installFaultHandler(BootFd.faultRecord)
  native.map(KERNEL_PAGE, PAGE_BYTES, BootFd.statusPage, READ_ONLY)
  native.closeFd(BootFd.statusPage)
  native.startMapper(BootFd.mapper, KERNEL_GONE_STATUS, daemonEnd(Number(process.env[GRACE_VARIABLE])))
  if (!native.sendMessage(BootFd.control, new TextEncoder().encode(HELLO), [])) {
    throw new Error("The control socket has no room for a first message; whoever made it has filled it")
  }
  const buffer = new Uint8Array(MAX_MESSAGE_BYTES)
  const bytes = native.waitMessage(BootFd.control, buffer, FOR_EVER_MS)
  if (bytes === 0) process.exit(KERNEL_GONE_STATUS)
  return { vspace, start: JSON.parse(new TextDecoder().decode(buffer.subarray(0, bytes))) as StartMessage }
}
