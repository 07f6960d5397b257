// service-world.ts: a service whose clients and server are all in one process.

import type { Test } from "tap"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { ServiceClient } from "../../../../src/ring/shapes/service-client.ts"
import { createServiceLink } from "../../../../src/ring/shapes/service-link.ts"
import { ServiceServer } from "../../../../src/ring/shapes/service-server.ts"
import { mapFrame, newFrame, READ, vspace } from "../../../helpers/ring.ts"

export const options = { requestBytes: 16, replyBytes: 24, inFlight: 4 }
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** A service whose ends are all here; each end has its own frames writable and its peer's readable. */
export function service(t: Test, clients: number) {
  const links = Array.from({ length: clients }, () => {
    const fds = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)] as const
    const map = (at: 0 | 1, permissions?: number) => ({
      address: mapFrame(t, fds[at], PAGE_BYTES, permissions),
      bytes: PAGE_BYTES,
    })
    const written = { clientFrame: map(0), serverFrame: map(1) }
    createServiceLink(vspace, written, options)
    const status = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
    const forServer = { frames: { ...written, clientFrame: map(0, READ) }, status }
    const forClient = { ...written, serverFrame: map(1, READ) }
    return { fds, written, status, forServer, forClient }
  })
  const wait = { spinNs: 0 }
  const client = (at: number) => {
    const { forClient, status } = links[at] as (typeof links)[0]
    return new ServiceClient(vspace, forClient, options.inFlight, { status, wait })
  }
  const server = () =>
    new ServiceServer(
      vspace,
      links.map(({ forServer }) => forServer),
      { wait },
    )
  return { links, client, server }
}
