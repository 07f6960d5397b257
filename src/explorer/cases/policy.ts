// policy.ts: a ring whose producer drops when it is full, and then closes: what was not received is known to be lost.

import { createPolicyRing, PolicyConsumer, PolicyProducer, policyRingBytes } from "../../ring/shapes/policy-ring.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Case } from "../explore.ts"
import { SHARED_START } from "../shared-space.ts"

const SLOT_BYTES = 16
const ABOUT_TO_WRAP = 0xffff_ffff

type Policy = "drop-newest" | "drop-oldest"
type Begin = (operation: string) => void
/** What a consumer does, which has attached; `attach` attaches another one. */
type Body = (consumer: PolicyConsumer, begin: Begin, attach: () => PolicyConsumer) => void

export function policyCase(policy: Policy, capacity: number, messages: number): Case {
  return closedRing(
    `${policy}, capacity ${capacity}, ${messages} messages, closed`,
    policy,
    capacity,
    messages,
    (consumer, begin) => {
      popAll(consumer, 0, begin)
      const { received, lost } = consumer.stats()
      if (received + lost !== messages) throw new Error(`closed with ${received} received and ${lost} lost`)
    },
  )
}

/** A consumer takes one message and closes; the next one gets what is sent after the producer has noticed it, or nothing. */
export function policyConsumersCase(policy: Policy, capacity: number, messages: number): Case {
  const name = `${policy}, capacity ${capacity}, ${messages} messages, two consumers after one another, closed`
  return closedRing(name, policy, capacity, messages, (first, begin, attach) => {
    begin("pop 1")
    const number = numberOf(first.pop(), 0)
    begin("close")
    first.close()
    begin("attach")
    popAll(attach(), number, begin)
  })
}

function closedRing(name: string, policy: Policy, capacity: number, messages: number, body: Body): Case {
  const options = { policy, capacity, slotBytes: SLOT_BYTES, initialIndex: ABOUT_TO_WRAP }
  const [producerBytes, consumerBytes] = policyRingBytes(options)
  const parts = {
    producerPart: { address: SHARED_START, bytes: producerBytes },
    consumerPart: { address: SHARED_START + producerBytes, bytes: consumerBytes },
  }
  const produce = (vspace: VSpace, begin: Begin) => {
    const producer = new PolicyProducer(vspace, parts)
    return () => {
      for (let number = 1; number <= messages; number++) {
        begin(`push ${number}`)
        const outcome = producer.push(new Uint8Array(SLOT_BYTES).fill(number))
        const mayDrop = policy === "drop-newest" && number > capacity
        if (outcome !== "pushed" && !(outcome === "dropped" && mayDrop))
          throw new Error(`push ${number} ended with ${outcome}`)
      }
      begin("close")
      producer.close()
    }
  }
  const consume = (vspace: VSpace, begin: Begin) => {
    const consumer = new PolicyConsumer(vspace, parts)
    return () => body(consumer, begin, () => new PolicyConsumer(vspace, parts))
  }
  return {
    name: `policy ring, ${name}`,
    create: { name: "creator", attach: vspace => () => createPolicyRing(vspace, parts, options) },
    programs: [
      { name: "producer", attach: produce },
      { name: "consumer", attach: consume },
    ],
    nameOf: address =>
      address < parts.consumerPart.address
        ? `producer's part + ${address - SHARED_START}`
        : `consumer's part + ${address - parts.consumerPart.address}`,
  }
}

/** Messages behind number `last`, in order, until the producer has closed. */
function popAll(consumer: PolicyConsumer, last: number, begin: Begin): void {
  for (let time = 1, number = last; ; time++) {
    begin(`pop ${time} more`)
    const got = consumer.pop()
    if (got === "closed") return
    number = numberOf(got, number)
  }
}

function numberOf(got: Uint8Array | string, last: number): number {
  const number = typeof got === "string" ? 0 : (got[0] as number)
  if (typeof got === "string" || number <= last || got.some(byte => byte !== number))
    throw new Error(`a pop returned ${got} after message ${last}`)
  return number
}
