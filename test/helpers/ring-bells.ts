// ring-bells.ts: both ends of a ring in one process, with the bells that the kernel would hang.

import type { Test } from "tap"
import { type Fd, native } from "../../native/index.ts"
import { PAGE_BYTES } from "../../src/kernel-daemon/abi/limits.ts"
import type { RingConsumer } from "../../src/ring/consumer.ts"
import type { RingProducer } from "../../src/ring/producer.ts"
import type { RecordConsumer } from "../../src/ring/record-consumer.ts"
import type { RecordProducer } from "../../src/ring/record-producer.ts"
import { RecordRing, type RecordRingOptions } from "../../src/ring/record-ring.ts"
import { type RingOptions, SharedRing } from "../../src/ring/shared-ring.ts"
import type { EndOptions, WaitStrategy } from "../../src/ring/wait.ts"
import { frameTwice, mapFrame, newFrame, vspace } from "./ring.ts"

/** Where the two ends are, what tells them that they are gone, and how the daemon would ring them. */
export interface Wiring {
  /** Addresses: of the producer's frame and of the consumer's, where their bells hang too; of the status word of both. */
  readonly at: readonly [number, number]
  readonly status: number
  /** To be rung as the daemon rings them. */
  readonly bells: { readonly producer: Fd; readonly consumer: Fd }
}

export interface BellEnds extends Wiring {
  readonly producer: RingProducer
  readonly consumer: RingConsumer
}

export interface RecordBellEnds extends Wiring {
  readonly producer: RecordProducer
  readonly consumer: RecordConsumer
}

export function endsWithBells(t: Test, options: RingOptions, wait: WaitStrategy = {}): BellEnds {
  const { optionsOf, ...wiring } = wire(t, wait)
  const { at } = wiring
  SharedRing.create(vspace, at[0], PAGE_BYTES, options)
  return {
    producer: SharedRing.producer(vspace, at[0], PAGE_BYTES, optionsOf(at[0])),
    consumer: SharedRing.consumer(vspace, at[1], PAGE_BYTES, optionsOf(at[1])),
    ...wiring,
  }
}

export function recordEndsWithBells(t: Test, options: RecordRingOptions, wait: WaitStrategy = {}): RecordBellEnds {
  const { optionsOf, ...wiring } = wire(t, wait)
  const { at } = wiring
  RecordRing.create(vspace, at[0], PAGE_BYTES, options)
  return {
    producer: RecordRing.producer(vspace, at[0], PAGE_BYTES, optionsOf(at[0])),
    consumer: RecordRing.consumer(vspace, at[1], PAGE_BYTES, optionsOf(at[1])),
    ...wiring,
  }
}

function wire(t: Test, wait: WaitStrategy): Wiring & { optionsOf(bell: number): EndOptions } {
  const at = frameTwice(t)
  const status = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
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
    at,
    status,
    bells: { producer: producerBell, consumer: consumerBell },
    optionsOf: bell => ({ status, wait, bell }),
  }
}
