// desert.ts: frames that stand alone in memory, and a process that begins anew with each input.

import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { closedState } from "../../../src/ring/closed-state.ts"
import { ChunkedCopy } from "../../../src/ring/payload/chunked-copy.ts"
import { freeAddress, READ_WRITE, vspace } from "../../helpers/ring.ts"

/** Pages of each: one has to hold a pool. */
const PAGES = [1, 1, 1, 1, 3, 1]
const PRIVATE_BYTES = 1 << 20

/** A step outside of them is a page fault, which is a finding. */
export const frames = PAGES.map(pages => {
  const bytes = pages * PAGE_BYTES
  const address = freeAddress(bytes)
  const fd = native.createFrame(bytes, "fuzz")
  native.map(address, bytes, fd, READ_WRITE)
  native.closeFd(fd)
  return { address, bytes }
})

// What a process makes once.
closedState(vspace)
ChunkedCopy.of(vspace)
const privateStart = vspace.allocatePrivate(PRIVATE_BYTES, 128)
let privateNext = privateStart
Object.assign(vspace, {
  allocatePrivate: (bytes: number, align: number): number => {
    const address = Math.ceil(privateNext / align) * align
    if (address + bytes > privateStart + PRIVATE_BYTES) throw new Error(`${bytes} bytes of private memory are too many`)
    privateNext = address + bytes
    return address
  },
  freePrivate: () => {},
})

/** Zeroed frames, and nothing attached or allocated: as in a new process. */
export function beginAnew(): void {
  for (const { address, bytes } of frames) vspace.u8.fill(0, address, address + bytes)
  vspace.u8.fill(0, privateStart, privateNext)
  privateNext = privateStart
  vspace.ownedWords.clear()
}
