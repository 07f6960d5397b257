// ends.ts: every end that a component can attach, by the name of the method of Component that attaches it.

import { RingError } from "../../ring/errors.ts"
import { RecordRing } from "../../ring/record-ring.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { type Attachment, ringEnd } from "./attachment.ts"
import { broadcastConsumer, broadcastProducer } from "./broadcast.ts"
import { mergeConsumer } from "./merge.ts"
import { notificationSignaller, notificationWaiter } from "./notification-ends.ts"
import { payloadReceiver, payloadSender } from "./payload-channel.ts"
import { policyConsumer, policyProducer } from "./policy-channel.ts"
import { serviceClient, serviceServer } from "./service.ts"

export const ENDS = {
  producer: (slot: number, wait?: WaitStrategy) => ringEnd(slot, "producer", wait, SharedRing.producer),
  consumer: (slot: number, wait?: WaitStrategy) => ringEnd(slot, "consumer", wait, SharedRing.consumer),
  recordProducer: (slot: number, wait?: WaitStrategy) => ringEnd(slot, "producer", wait, RecordRing.producer),
  recordConsumer: (slot: number, wait?: WaitStrategy) => ringEnd(slot, "consumer", wait, RecordRing.consumer),
  payloadSender,
  payloadReceiver,
  mergeConsumer,
  broadcastProducer,
  broadcastConsumer,
  policyProducer,
  policyConsumer,
  serviceClient,
  serviceServer,
  /** Of a notification, whose handle in the main thread is `Component.notification`. */
  notificationSignaller,
  notificationWaiter,
} as const

type Ends = typeof ENDS
export type EndName = keyof Ends

/** An end, and what the method of that name takes: `["mergeConsumer", slot, producers]`. */
export type LentEnd = { readonly [K in EndName]: readonly [end: K, ...given: Parameters<Ends[K]>] }[EndName]

/** What a worker gets for such loans, each by its name. */
export type LentEnds<L extends Readonly<Record<string, LentEnd>>> = {
  readonly [K in keyof L]: ReturnType<Ends[L[K][0]]> extends Attachment<infer E> ? E : never
}

/** @throws {RingError} InvalidArgument: there is no such end. As the method of that name, of what it is given */
export function attachmentOf(name: string, loan: LentEnd): Attachment<Closes> {
  if (!Array.isArray(loan)) {
    throw new RingError(
      "InvalidArgument",
      `The end of ${name} is ${String(loan)}, which must be a list: its name and what that takes, as ["consumer", slot]`,
    )
  }
  const [end, ...given] = loan as readonly [EndName, ...unknown[]]
  if (!Object.hasOwn(ENDS, end)) {
    const names = Object.keys(ENDS).join(", ")
    throw new RingError("InvalidArgument", `The end of ${name} is "${String(end)}", which must be one of ${names}`)
  }
  const describe = ENDS[end] as (...given: unknown[]) => Attachment<Closes>
  return describe(...given)
}

interface Closes {
  close(): void
}
