// broadcast-world.ts: a broadcast for the tests: every end here, each with its own memory writable and its peers' readable.

import type { Test } from "tap"
import { PAGE_BYTES } from "../../../../src/kernel-daemon/abi/limits.ts"
import { BroadcastConsumer } from "../../../../src/ring/shapes/broadcast-consumer.ts"
import {
  type BroadcastOptions,
  broadcastPartBytes,
  createBroadcast,
} from "../../../../src/ring/shapes/broadcast-place.ts"
import { BroadcastProducer } from "../../../../src/ring/shapes/broadcast-producer.ts"
import { mapFrame, newFrame, READ, vspace } from "../../../helpers/ring.ts"

const pages = (size: number): number => Math.ceil(size / PAGE_BYTES) * PAGE_BYTES

/** All parts in frames of their own, each mapped for who writes it and, read-only, for who reads it. */
export function broadcast(t: Test, options: BroadcastOptions) {
  const size = pages(broadcastPartBytes(options))
  const twice = (fd: number, length: number) => ({
    written: { address: mapFrame(t, fd, length), bytes: length },
    read: { address: mapFrame(t, fd, length, READ), bytes: length },
  })
  const fd = newFrame(t, size)
  const whole = twice(fd, size)
  const links = options.consumers.map(() => {
    const fds = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)] as const
    return { fds, link: twice(fds[0], PAGE_BYTES), part: twice(fds[1], PAGE_BYTES) }
  })
  createBroadcast(
    vspace,
    whole.written,
    links.map(({ link, part }) => ({ link: link.written, consumerPart: part.written })),
    options,
  )
  const statuses = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
  const producer = (wait = { spinNs: 0 }) =>
    new BroadcastProducer(
      vspace,
      whole.written,
      links.map(({ link, part }, at) => ({ link: link.written, consumerPart: part.read, status: statuses + 4 * at })),
      { wait },
    )
  const consumer = (at: number, spinNs = 0) => {
    const { link, part } = links[at] as (typeof links)[0]
    const status = statuses + 400 + 4 * at
    return new BroadcastConsumer(
      vspace,
      whole.read,
      { link: link.read, consumerPart: part.written },
      { status, wait: { spinNs } },
    )
  }
  const tellProducer = (at: number, status: number) => vspace.storeWord(statuses + 4 * at, status)
  const tellConsumer = (at: number, status: number) => vspace.storeWord(statuses + 400 + 4 * at, status)
  return { fd, whole, links, producer, consumer, tellProducer, tellConsumer }
}
