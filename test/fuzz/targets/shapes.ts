// shapes.ts: of each shape, how it is made with something in it, and how its ends are attached and used.

import { RING_WRITE_INDEX } from "../../../src/ring/layout.ts"
import { defineMessage } from "../../../src/ring/payload/message-type.ts"
import { PayloadReceiver } from "../../../src/ring/payload/payload-receiver.ts"
import { PayloadSender } from "../../../src/ring/payload/payload-sender.ts"
import { createPool, DESCRIPTOR_BYTES, RETURN_BYTES } from "../../../src/ring/payload/pool-layout.ts"
import { TypedConsumer } from "../../../src/ring/payload/typed-ring.ts"
import { RecordRing } from "../../../src/ring/record-ring.ts"
import type { RingForm } from "../../../src/ring/ring-header.ts"
import type { Part } from "../../../src/ring/ring-place.ts"
import { BroadcastConsumer } from "../../../src/ring/shapes/broadcast-consumer.ts"
import { createBroadcast } from "../../../src/ring/shapes/broadcast-place.ts"
import { BroadcastProducer } from "../../../src/ring/shapes/broadcast-producer.ts"
import { MergeConsumer } from "../../../src/ring/shapes/merge-consumer.ts"
import {
  createPolicyRing,
  PolicyConsumer,
  PolicyProducer,
  type RingPolicy,
} from "../../../src/ring/shapes/policy-ring.ts"
import { ServiceClient } from "../../../src/ring/shapes/service-client.ts"
import { createServiceLink } from "../../../src/ring/shapes/service-link.ts"
import { ServiceServer } from "../../../src/ring/shapes/service-server.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { vspace } from "../../helpers/ring.ts"
import { frames } from "./desert.ts"

export interface Shape {
  /** In zeroed frames. */
  make(): void
  /** Each attaches an end and uses it, as if its process had just begun. */
  readonly ends: readonly (() => void)[]
}

const [first, second, third, fourth, fifth, sixth] = frames as [Part, Part, Part, Part, Part, Part]
const parts = { producerPart: first, consumerPart: second }
const options = { wait: { spinNs: 0 } }
const bytes = (count: number): Uint8Array => new Uint8Array(count).fill(1)
const TIMES = [0, 1, 2]

const everyField = defineMessage({
  a: "u8",
  b: "i16",
  c: "u32",
  d: "f32",
  e: "u64",
  f: "f64",
  g: { type: "i64", length: 2 },
})

const ring = (form: RingForm): Shape => ({
  make: () => {
    SharedRing.create(vspace, parts, { capacity: 4, slotBytes: 56, form })
    const producer = SharedRing.producer(vspace, parts)
    for (const _ of TIMES) producer.push(bytes(56))
  },
  ends: [
    () => {
      const consumer = SharedRing.consumer(vspace, parts, options)
      consumer.tryPop()
      if (consumer.peek() !== 0) consumer.release()
      if (consumer.staging.length >= everyField.bytes) new TypedConsumer(consumer, everyField).tryPop()?.values()
      consumer.tryPopMany(1)
      consumer.pop(0)
      consumer.close()
    },
    () => {
      const producer = SharedRing.producer(vspace, parts, options)
      for (const _ of TIMES) producer.tryPush()
      if (producer.claim() !== 0) producer.commit()
      producer.push(undefined, 0)
      producer.close()
    },
    () => {
      const merge = new MergeConsumer(vspace, [{ frames: parts }], options)
      for (const _ of TIMES) merge.tryPop()
      merge.pop(0)
      merge.stats()
    },
  ],
})

const records: Shape = {
  make: () => {
    RecordRing.create(vspace, parts, { capacityBytes: 512 })
    const producer = RecordRing.producer(vspace, parts)
    for (const length of TIMES) producer.push(bytes(1 + 9 * length))
  },
  ends: [
    () => {
      const consumer = RecordRing.consumer(vspace, parts, options)
      consumer.tryPop()
      if (consumer.peek() !== 0) consumer.release()
      consumer.tryPopMany(2)
      consumer.pop(0)
      consumer.close()
    },
    () => {
      const producer = RecordRing.producer(vspace, parts, options)
      producer.tryPush(bytes(3))
      producer.tryPushMany([bytes(3), bytes(8)])
      if (producer.claim(8) !== 0) producer.commit()
      producer.close()
    },
  ],
}

const broadcast = (policy: "block" | "disconnect"): Shape => {
  const target = { link: third, consumerPart: second }
  return {
    make: () => {
      createBroadcast(vspace, first, [target], { capacity: 4, slotBytes: 8, consumers: [policy] })
      const producer = new BroadcastProducer(vspace, first, [target])
      for (const _ of TIMES) producer.tryPush()
    },
    ends: [
      () => {
        const consumer = new BroadcastConsumer(vspace, first, target, options)
        for (const _ of TIMES) consumer.tryPop()
        consumer.pop(0)
      },
      () => {
        const producer = new BroadcastProducer(vspace, first, [target], options)
        for (const _ of TIMES) producer.tryPush()
        producer.push(undefined, 0)
        producer.stats()
      },
    ],
  }
}

const policy = (name: RingPolicy): Shape => ({
  make: () => createPolicyRing(vspace, parts, { capacity: 4, slotBytes: 8, policy: name }),
  ends: [
    () => {
      const producer = new PolicyProducer(vspace, parts, options)
      for (const _ of TIMES) producer.push(undefined, 0)
      producer.stats()
    },
    () => {
      const consumer = new PolicyConsumer(vspace, parts, options)
      for (const _ of TIMES) consumer.tryPop()
      consumer.pop(0)
      consumer.stats()
    },
  ],
})

const serviceFrames = { clientFrame: first, serverFrame: second }

const service: Shape = {
  make: () => {
    createServiceLink(vspace, serviceFrames, { requestBytes: 8, replyBytes: 8, inFlight: 2 })
    new ServiceClient(vspace, serviceFrames, 2).send(bytes(8))
  },
  ends: [
    () => {
      const server = new ServiceServer(vspace, [{ frames: serviceFrames }], options)
      for (const _ of TIMES) {
        const request = server.next(0)
        if (typeof request !== "string") server.reply(request, bytes(8))
      }
      server.close()
    },
    () => {
      const client = new ServiceClient(vspace, serviceFrames, 2, options)
      client.call(bytes(3), { timeoutNs: 0 })
      client.send(bytes(0))
      client.close()
    },
  ],
}

const POOL = { buffers: 2, bufferBytes: 100 }
const descriptorParts = { producerPart: first, consumerPart: second }
const returnParts = { producerPart: third, consumerPart: fourth }

const newSender = (): PayloadSender =>
  new PayloadSender(vspace, {
    descriptors: SharedRing.producer(vspace, descriptorParts, options),
    writeIndexWord: first.address + RING_WRITE_INDEX,
    returns: SharedRing.consumer(vspace, returnParts, options),
    pool: fifth,
  })

const payload: Shape = {
  make: () => {
    SharedRing.create(vspace, descriptorParts, { capacity: 4, slotBytes: DESCRIPTOR_BYTES })
    SharedRing.create(vspace, returnParts, { capacity: 8, slotBytes: RETURN_BYTES })
    createPool(vspace, fifth.address, POOL)
    newSender().send(bytes(9))
  },
  ends: [
    () => {
      const sender = newSender()
      for (const _ of TIMES) sender.send(bytes(1), 0)
      if (sender.claim() !== undefined) sender.commit(1)
    },
    () => {
      const receiver = new PayloadReceiver(vspace, {
        descriptors: SharedRing.consumer(vspace, descriptorParts, options),
        returns: SharedRing.producer(vspace, returnParts, options),
        pool: fifth,
        loans: sixth,
      })
      receiver.receive(0)
      const loan = receiver.borrow(0)
      if (typeof loan !== "string") loan.release()
    },
  ],
}

export const SHAPES: readonly Shape[] = [
  ring("slot"),
  ring("index"),
  records,
  broadcast("block"),
  broadcast("disconnect"),
  policy("drop-oldest"),
  policy("drop-newest"),
  service,
  payload,
]
