// component.ts: what a component's main is given: its arguments, its syscalls, and handles for what its slots hold.

import type { Worker } from "node:worker_threads"
import { native } from "../../../native/index.ts"
import { BootFd, KERNEL_GONE_STATUS, type StartMessage } from "../../kernel-daemon/abi/boot.ts"
import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import { ConventionSlot } from "../../kernel-daemon/abi/limits.ts"
import { type Profile, Profiles } from "../../kernel-daemon/abi/profile.ts"
import { AttachRole, NO_SLOT } from "../../kernel-daemon/abi/syscalls.ts"
import type { RingConsumer } from "../../ring/consumer.ts"
import type { PayloadReceiver } from "../../ring/payload/payload-receiver.ts"
import type { PayloadSender } from "../../ring/payload/payload-sender.ts"
import type { PoolGeometry } from "../../ring/payload/pool-layout.ts"
import type { RingProducer } from "../../ring/producer.ts"
import type { RecordConsumer } from "../../ring/record-consumer.ts"
import type { RecordProducer } from "../../ring/record-producer.ts"
import type { RecordRingOptions } from "../../ring/record-ring.ts"
import type { BroadcastConsumer } from "../../ring/shapes/broadcast-consumer.ts"
import type { BroadcastOptions } from "../../ring/shapes/broadcast-place.ts"
import type { BroadcastProducer } from "../../ring/shapes/broadcast-producer.ts"
import type { MergeConsumer } from "../../ring/shapes/merge-consumer.ts"
import type { MergeOptions } from "../../ring/shapes/merge-options.ts"
import type { PolicyConsumer, PolicyProducer, PolicyRingOptions } from "../../ring/shapes/policy-ring.ts"
import type { ServiceClient } from "../../ring/shapes/service-client.ts"
import type { ServiceServer } from "../../ring/shapes/service-server.ts"
import type { RingOptions } from "../../ring/shared-ring.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import { attach } from "./attachment.ts"
import { boot } from "./boot.ts"
import { BroadcastChannel } from "./broadcast.ts"
import { Channel } from "./channel.ts"
import { type Child, type SpawnConfig, spawnWithCaps } from "./child.ts"
import { ENDS, type LentEnds } from "./ends.ts"
import { MergeChannel, type MergeChannelOptions } from "./merge.ts"
import { Notification } from "./notification.ts"
import { PayloadChannel } from "./payload-channel.ts"
import { PolicyChannel } from "./policy-channel.ts"
import { ServiceChannel, type ServiceChannelOptions } from "./service.ts"
import { Syscalls } from "./syscalls.ts"
import { type Loans, lentEnds, startWorker, type WorkerOptions } from "./worker.ts"

/** A frame as it stands in the component's VSpace. */
export interface FrameMapping {
  /** Virtual address: a byte offset into `vspace`. */
  readonly address: number
  readonly bytes: number
  /** Bit set: 1 read, 2 write. */
  readonly permissions: number
  /** Address of the status word; hand it to SharedRing.producer and .consumer, so that waits end when the peer goes. */
  readonly status: number
}

export class Component {
  readonly name: string
  readonly pid: number
  /** The numbers that the parent passed to spawn. */
  readonly arguments: readonly number[]
  readonly vspace: VSpace
  /** Whether a frame with one writer is to be sealed when that has it mapped; channels see to it themselves. */
  readonly seals: boolean
  /** In which points this kernel does as KaaL does; none of them in profile strict. */
  readonly profile: Profile
  /** The slot of this component's own CNode: the `cnode` argument of the capability syscalls. */
  readonly ownCNode = ConventionSlot.ownCNode
  readonly #syscalls = new Syscalls(BootFd.control)
  readonly #notifications = new Map<number, Notification>()

  constructor({ name, pid, arguments: args, profile, seals }: StartMessage, vspace: VSpace) {
    this.name = name
    this.pid = pid
    this.arguments = args
    this.profile = Profiles[profile]
    this.vspace = vspace
    this.seals = seals
    vspace.explainFault = address => {
      const { slot, text } = this.call("explain_address", { address })
      return { where: text, capability: slot === NO_SLOT ? undefined : slot }
    }
  }

  /** Any syscall of abi/syscalls.ts, by name. @throws {KernelError} the kernel refused; nothing has changed */
  readonly call: Syscalls["call"] = (name, args = {} as typeof args) => {
    const result = this.#syscalls.call(name, args)
    // Of whichever CNode: to attach once more answers the same where nothing has changed.
    const { slot, source, target } = args as Readonly<Record<string, unknown>>
    if (name === "cap_revoke") for (const notification of this.#notifications.values()) notification.forget()
    else if (name === "cap_delete") this.#notifications.get(slot as number)?.forget()
    else if (name === "cap_move") {
      for (const moved of [source, target]) this.#notifications.get(moved as number)?.forget()
    }
    return result
  }

  /** A syscall from raw bytes: its first result word, all ones when refused. */
  callRaw(request: Uint8Array): bigint {
    return this.#syscalls.callRaw(request)
  }

  /**
   * Argument `index` of those passed to spawn.
   * @throws {KernelError} RangeError: the parent passed fewer
   */
  argument(index: number): number {
    const value = this.arguments[index]
    if (value === undefined) {
      const passed = this.arguments.length
      throw new KernelError("RangeError", `Argument ${index} of ${this.name} is missing: its parent passed ${passed}`)
    }
    return value
  }

  /** Shows a line under this component's name. At most MAX_PRINT_BYTES of UTF-8. */
  print(text: string): void {
    this.call("debug_print", { text })
  }

  /**
   * Hands a result to the parent, as JSON. The last one before the end stands.
   * @throws {KernelError} InvalidArgument: JSON has no form for it, as for a bigint or a function
   */
  report(value: unknown): void {
    this.call("report", { report: new TextEncoder().encode(toJson(value)) })
  }

  /**
   * Where the frame in `slot` is mapped.
   * @throws {KernelError} FailedLookup: the slot is empty, or the frame is not mapped here
   */
  frame(slot: number): FrameMapping {
    return this.call("object_attach", { slot, role: AttachRole.frame })
  }

  /** The notification in `slot`; attached by its first signal, wait or poll. Always the same object for a slot,
   * and one to what stands there when it is used. */
  notification(slot: number): Notification {
    let notification = this.#notifications.get(slot)
    if (notification === undefined) {
      notification = new Notification(this, slot)
      this.#notifications.set(slot, notification)
    }
    return notification
  }

  /**
   * Makes a channel for two children: a ring of which each end can write its own frame alone. See channel.ts.
   * @throws {KernelError} NotEnoughMemory. {RingError} InvalidArgument: a capacity or slot size that no ring can have
   */
  createChannel(options: RingOptions): Channel {
    return Channel.ofSlots(this, options)
  }

  /** As `createChannel`, for records of any length up to half of `capacityBytes`. */
  createRecordChannel(options: RecordRingOptions): Channel {
    return Channel.ofRecords(this, options)
  }

  /**
   * This component's end of a channel, as its producer: `slot` and the one after it hold what `Channel.producer` put there.
   * @throws {KernelError} FailedLookup: the frames are not there, or not mapped. IllegalOperation: somebody is that end
   * already, this component included. {RingError} NotARing. {PageFault} it was revoked meanwhile
   */
  producer(slot: number, wait?: WaitStrategy): RingProducer {
    return attach(this, ENDS.producer(slot, wait))
  }

  /** As `producer`, for the end that `Channel.consumer` is for. */
  consumer(slot: number, wait?: WaitStrategy): RingConsumer {
    return attach(this, ENDS.consumer(slot, wait))
  }

  /**
   * Makes a channel for two children whose payloads are up to 64 MiB long. See payload-channel.ts.
   * @throws {KernelError} NotEnoughMemory. {RingError} InvalidArgument: a geometry that no pool can have
   */
  createPayloadChannel(geometry: PoolGeometry): PayloadChannel {
    return PayloadChannel.create(this, geometry)
  }

  /** This component's end of a payload channel: `slot` is the one that `PayloadChannel.sender` was given. */
  payloadSender(slot: number, wait?: WaitStrategy): PayloadSender {
    return attach(this, ENDS.payloadSender(slot, wait))
  }

  /** As `payloadSender`, for the end that `PayloadChannel.receiver` is for. */
  payloadReceiver(slot: number, wait?: WaitStrategy): PayloadReceiver {
    return attach(this, ENDS.payloadReceiver(slot, wait))
  }

  /** As `producer`, of a channel for records. */
  recordProducer(slot: number, wait?: WaitStrategy): RecordProducer {
    return attach(this, ENDS.recordProducer(slot, wait))
  }

  /** As `consumer`, of a channel for records. */
  recordConsumer(slot: number, wait?: WaitStrategy): RecordConsumer {
    return attach(this, ENDS.recordConsumer(slot, wait))
  }

  /**
   * Makes channels for many producers and one consumer. See merge.ts.
   * @throws {RingError} RangeError: not 1 to 42 producers. As createChannel besides
   */
  createMerge(options: MergeChannelOptions): MergeChannel {
    return MergeChannel.create(this, options)
  }

  /** This component's end of a merge, as its consumer. @throws as `consumer` */
  mergeConsumer(slot: number, producers: number, options: MergeOptions = {}): MergeConsumer {
    return attach(this, ENDS.mergeConsumer(slot, producers, options))
  }

  /**
   * Makes a broadcast: one producer, and consumers each with its policy. See broadcast.ts.
   * @throws {KernelError} NotEnoughMemory. {RingError} InvalidArgument: slots, consumers or policies that cannot be
   */
  createBroadcast(options: BroadcastOptions): BroadcastChannel {
    return BroadcastChannel.create(this, options)
  }

  /** This component's end of a broadcast, as its producer. @throws as `producer` */
  broadcastProducer(slot: number, consumers: number, wait?: WaitStrategy): BroadcastProducer {
    return attach(this, ENDS.broadcastProducer(slot, consumers, wait))
  }

  /** This component's end of a broadcast, as a consumer. @throws as `consumer` */
  broadcastConsumer(slot: number, wait?: WaitStrategy): BroadcastConsumer {
    return attach(this, ENDS.broadcastConsumer(slot, wait))
  }

  /**
   * Makes a channel whose producer waits, fails or drops when its ring is full. See policy-channel.ts.
   * @throws {KernelError} NotEnoughMemory. {RingError} InvalidArgument: slots or a policy that cannot be
   */
  createPolicyChannel(options: PolicyRingOptions): PolicyChannel {
    return PolicyChannel.create(this, options)
  }

  /** This component's end of a channel with a policy, as its producer. @throws as `producer` */
  policyProducer(slot: number, wait?: WaitStrategy): PolicyProducer {
    return attach(this, ENDS.policyProducer(slot, wait))
  }

  /** This component's end of a channel with a policy, as its consumer. @throws as `consumer` */
  policyConsumer(slot: number, wait?: WaitStrategy): PolicyConsumer {
    return attach(this, ENDS.policyConsumer(slot, wait))
  }

  /**
   * Makes links for request and reply between one server and several clients. See service.ts.
   * @throws {RingError} RangeError: not 1 to 42 clients; InvalidArgument: other numbers. {KernelError} NotEnoughMemory
   */
  createService(options: ServiceChannelOptions): ServiceChannel {
    return ServiceChannel.create(this, options)
  }

  /** This component's end of a service, as a client; `inFlight` as it was made with. @throws as `producer` */
  serviceClient(slot: number, inFlight: number, wait?: WaitStrategy): ServiceClient {
    return attach(this, ENDS.serviceClient(slot, inFlight, wait))
  }

  /** This component's end of a service, as its server. @throws as `mergeConsumer` */
  serviceServer(slot: number, clients: number, options: MergeOptions = {}): ServiceServer {
    return attach(this, ENDS.serviceServer(slot, clients, options))
  }

  /**
   * Starts this component's program once more, in a worker thread that is lent those ends: there `component` calls its second
   * function with them, by the names that they have here. Only this thread makes syscalls. When the worker has ended, however it
   * did, its ends are closed and given up.
   * @param loans of each end the name of the method here that attaches it, or "notificationSignaller", "notificationWaiter", and
   *   what that takes: `{ jobs: ["consumer", slot], all: ["mergeConsumer", slot, producers] }`
   * @throws as those methods, and then no end is taken; {RingError} NotEnoughMemory: no private memory is left for another
   *   worker. InvalidArgument: there is no such end. DataCloneError: `data` cannot be copied
   */
  startWorker(loans: Loans, options: WorkerOptions = {}): Worker {
    return startWorker(this, loans, options)
  }

  /** Creates a component whose capabilities are in place before it runs; suspended until `start()`. */
  spawnWithCaps(config: SpawnConfig): Child {
    return spawnWithCaps(this.#syscalls, config)
  }

  /** Pins this thread to one processor. */
  pin(cpu: number): void {
    native.setAffinity([cpu])
  }
}

/** undefined is allowed, and reported as null: a component that has nothing to say may say so. */
function toJson(value: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value ?? null)
  } catch (cause) {
    throw new KernelError("InvalidArgument", `value cannot be reported: ${(cause as Error).message}; ${REMEDY}`, {
      cause,
    })
  }
  if (text !== undefined) return text
  throw new KernelError("InvalidArgument", `value is a ${typeof value}, which cannot be reported: ${REMEDY}`)
}

const REMEDY = "pass what JSON can hold, a bigint as Number(it) or String(it)"

/**
 * The body of a component: src/components/NAME/main.ts calls this once. `main` runs when the parent starts the component;
 * when it returns the component exits with code 0, when it throws with code 1 and the error on its output.
 * @param inWorker what a worker thread does that `Component.startWorker` starts; `LentEnds<typeof loans>` is the type of its ends
 */
export function component<L extends Loans>(
  main: (self: Component) => void | Promise<void>,
  inWorker?: (ends: LentEnds<L>, data: unknown) => unknown,
): void {
  if (!native.isMainThread()) {
    if (inWorker === undefined) {
      throw new KernelError(
        "IllegalOperation",
        "component() was given nothing to do in a worker: pass a second function",
      )
    }
    const [ends, data] = lentEnds()
    // After the rest of the module, as main: what stands below this call in it is there then.
    void Promise.resolve().then(() => inWorker(ends as LentEnds<L>, data))
    return
  }
  const { vspace, start } = boot()
  const self = new Component(start, vspace)
  // Exit explicitly: handles that the component left open must not keep a process whose main is done.
  Promise.resolve()
    .then(() => main(self))
    .then(
      () => process.exit(0),
      error => {
        if (error instanceof KernelError && error.code === "KernelGone") process.exit(KERNEL_GONE_STATUS)
        console.error(error)
        process.exit(1)
      },
    )
}
