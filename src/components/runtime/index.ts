// index.ts: everything that a component links. A component imports this and nothing else of the project's inside.

import { native, type TscInfo } from "../../../native/index.ts"

export { encodeRequest } from "../../kernel-daemon/abi/codec.ts"
export { KernelError, RAW_REFUSED } from "../../kernel-daemon/abi/errors.ts"
export { ConventionSlot, FIRST_FREE_SLOT, PAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
export { ObjectType } from "../../kernel-daemon/abi/object-types.ts"
export type { Profile, SwitchName } from "../../kernel-daemon/abi/profile.ts"
export { ALL_RIGHTS, Permission, Right } from "../../kernel-daemon/abi/rights.ts"
export { type Args, NO_SLOT, Proof, type Result, type SyscallName, Syscalls } from "../../kernel-daemon/abi/syscalls.ts"
export { RingConsumer } from "../../ring/consumer.ts"
export { PageFault, PeerMisbehaviorError, RingError } from "../../ring/errors.ts"
export { NotificationFrame, NotificationSignaller, NotificationWaiter } from "../../ring/notification.ts"
export { defineMessage, type MessageType, type MessageValues } from "../../ring/payload/message-type.ts"
export type { MessageView } from "../../ring/payload/message-view.ts"
export type { Loan, PayloadReceiver } from "../../ring/payload/payload-receiver.ts"
export type { PayloadSender } from "../../ring/payload/payload-sender.ts"
export { TypedConsumer, TypedProducer } from "../../ring/payload/typed-ring.ts"
export { RingProducer } from "../../ring/producer.ts"
export { RecordConsumer } from "../../ring/record-consumer.ts"
export { RecordProducer } from "../../ring/record-producer.ts"
export { RecordRing } from "../../ring/record-ring.ts"
export { BroadcastConsumer, type BroadcastOutcome } from "../../ring/shapes/broadcast-consumer.ts"
export type { ConsumerPolicy } from "../../ring/shapes/broadcast-place.ts"
export { BroadcastProducer } from "../../ring/shapes/broadcast-producer.ts"
export type { BroadcastStats } from "../../ring/shapes/broadcast-stats.ts"
export { MergeConsumer } from "../../ring/shapes/merge-consumer.ts"
export type { Departure, MergedMessage, MergeStats, ProducerState } from "../../ring/shapes/merge-options.ts"
export { PolicyConsumer, PolicyProducer, type RingPolicy } from "../../ring/shapes/policy-ring.ts"
export { ServiceClient } from "../../ring/shapes/service-client.ts"
export { type Request, ServiceServer } from "../../ring/shapes/service-server.ts"
export { SharedRing } from "../../ring/shared-ring.ts"
export type { VSpace } from "../../ring/vspace.ts"
export type { Interruption, WaitStrategy } from "../../ring/wait.ts"
export type { BadgedSignaller } from "./badged-signaller.ts"
export type { BroadcastChannel } from "./broadcast.ts"
export type { Channel } from "./channel.ts"
export type { CapabilitySource, Child, ChildState, SpawnConfig } from "./child.ts"
export { monotonicNs } from "./clock.ts"
export { type Component, component, type FrameMapping } from "./component.ts"
export type { LentEnd, LentEnds } from "./ends.ts"
export type { MergeChannel } from "./merge.ts"
export type { Notification } from "./notification.ts"
export type { PayloadChannel } from "./payload-channel.ts"
export type { PolicyChannel } from "./policy-channel.ts"
export type { ServiceChannel } from "./service.ts"
export type { Loans, WorkerOptions } from "./worker.ts"

/** The time stamp counter, in cycles. Cost: about 30 ns. */
export function tsc(): number {
  return native.tsc()
}

/** Whether the time stamp counter is constant, and its frequency in Hz. Takes about 20 ms: it is measured. */
export function tscInfo(): TscInfo {
  return native.tscInfo()
}

/** Processors that this component may run on. */
export function processors(): number[] {
  return native.affinity()
}
