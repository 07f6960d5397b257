// policy.ts: a ring whose producer drops when it is full, and then closes: what was not received is known to be lost.

import { createPolicyRing, PolicyConsumer, PolicyProducer, policyRingBytes } from "../../ring/shapes/policy-ring.ts"
import type { Case } from "../explore.ts"
import { SHARED_START } from "../instrument.ts"

const SLOT_BYTES = 16
const ABOUT_TO_WRAP = 0xffff_ffff

export function policyCase(policy: "drop-newest" | "drop-oldest", capacity: number, messages: number): Case {
  const options = { policy, capacity, slotBytes: SLOT_BYTES, initialIndex: ABOUT_TO_WRAP }
  const [producerBytes, consumerBytes] = policyRingBytes(options)
  const parts = {
    producerPart: { address: SHARED_START, bytes: producerBytes },
    consumerPart: { address: SHARED_START + producerBytes, bytes: consumerBytes },
  }
  return {
    name: `policy ring, ${policy}, capacity ${capacity}, ${messages} messages, closed`,
    create: { name: "creator", attach: vspace => () => createPolicyRing(vspace, parts, options) },
    programs: [
      {
        name: "producer",
        attach: (vspace, begin) => {
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
        },
      },
      {
        name: "consumer",
        attach: (vspace, begin) => {
          const consumer = new PolicyConsumer(vspace, parts)
          return () => {
            let last = 0
            for (let time = 1; ; time++) {
              begin(`pop ${time}`)
              const got = consumer.pop()
              if (got === "closed") break
              const number = typeof got === "string" ? 0 : (got[0] as number)
              if (typeof got === "string" || number <= last || got.some(byte => byte !== number))
                throw new Error(`pop ${time} returned ${got} after message ${last}`)
              last = number
            }
            const { received, lost } = consumer.stats()
            if (received + lost !== messages) throw new Error(`closed with ${received} received and ${lost} lost`)
          }
        },
      },
    ],
    nameOf: address =>
      address < parts.consumerPart.address
        ? `producer's part + ${address - SHARED_START}`
        : `consumer's part + ${address - parts.consumerPart.address}`,
  }
}
