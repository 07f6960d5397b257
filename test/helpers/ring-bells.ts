// ring-bells.ts: both ends of a ring in one process, with the bells that the kernel would hang.

import type { Test } from "tap"
import { type Fd, native } from "../../native/index.ts"
import { PAGE_BYTES } from "../../src/kernel-daemon/abi/limits.ts"
import type { RingConsumer } from "../../src/ring/consumer.ts"
import type { RingProducer } from "../../src/ring/producer.ts"
import { type RingOptions, SharedRing } from "../../src/ring/shared-ring.ts"
import type { WaitStrategy } from "../../src/ring/wait.ts"
import { frameTwice, mapFrame, newFrame, vspace } from "./ring.ts"

export interface BellEnds {
  readonly producer: RingProducer
  readonly consumer: RingConsumer
  /** Addresses: of the producer's frame and of the consumer's, where their bells hang too; of the status word of both. */
  readonly at: readonly [number, number]
  readonly status: number
  /** To be rung as the daemon rings them. */
  readonly bells: { readonly producer: Fd; readonly consumer: Fd }
}

export function endsWithBells(t: Test, options: RingOptions, wait: WaitStrategy = {}): BellEnds {
  const at = frameTwice(t)
  const status = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
  SharedRing.create(vspace, at[0], PAGE_BYTES, options)
  const [producerBell, consumerBell] = [native.createEventFd(), native.createEventFd()]
  t.teardown(() => {
    for (const address of at) native.takeBells(address, PAGE_BYTES)
    for (const fd of [producerBell, consumerBell]) native.closeFd(fd)
  })
  const hang = (address: number, own: Fd, peers: Fd): void => {
    native.hangBell(address, 0, native.duplicateFd(own))
    native.hangBell(address, 1, native.duplicateFd(peers))
  }
  hang(at[0], producerBell, consumerBell)
  hang(at[1], consumerBell, producerBell)
  return {
    producer: SharedRing.producer(vspace, at[0], PAGE_BYTES, { status, wait, bell: at[0] }),
    consumer: SharedRing.consumer(vspace, at[1], PAGE_BYTES, { status, wait, bell: at[1] }),
    at,
    status,
    bells: { producer: producerBell, consumer: consumerBell },
  }
}
