// ring.ts: a producer and a consumer of a small ring, which sleep and wake one another, with counters about to wrap.

import {
  RING_CONSUMER_CLOSED,
  RING_CONSUMER_SLEEP,
  RING_PRODUCER_CLOSED,
  RING_PRODUCER_SLEEP,
  RING_READ_HANDED,
  RING_READ_INDEX,
  RING_READ_PROGRESS,
  RING_SLOTS,
  RING_WRITE_INDEX,
} from "../../ring/layout.ts"
import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as FRAME } from "../instrument.ts"

/** Of 2 messages the second is the first beyond 2^32. */
export const ABOUT_TO_WRAP = 0xffff_ffff

export function ringCase(form: RingForm, capacity: number, messages: number): Case {
  const geometry = { capacity, slotBytes: 8, form }
  const bytes = bytesNeeded(geometry)
  const payload = (number: number): Uint8Array => Uint8Array.of(number, 0, 0, 0, 0, 0, 0, 0xa0 + number)
  const numbers = Array.from({ length: messages }, (_, at) => at + 1)
  const idle = { name: "creator", attach: () => () => {} }
  return {
    name: `ring, ${form} form, capacity ${capacity}, ${messages} messages`,
    create: {
      ...idle,
      attach: vspace => () => SharedRing.create(vspace, FRAME, bytes, { ...geometry, initialIndex: ABOUT_TO_WRAP }),
    },
    programs: [
      {
        name: "producer",
        attach: (vspace, begin) => {
          const producer = SharedRing.producer(vspace, FRAME, bytes)
          return () => {
            for (const number of numbers) {
              begin(`push ${number}`)
              const outcome = producer.push(payload(number))
              if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
            }
          }
        },
      },
      {
        name: "consumer",
        attach: (vspace, begin) => {
          const consumer = SharedRing.consumer(vspace, FRAME, bytes)
          return () => {
            for (const number of numbers) {
              begin(`pop ${number}`)
              const got = consumer.pop()
              const wanted = payload(number)
              if (typeof got === "string" || wanted.some((byte, at) => got[at] !== byte))
                throw new Error(`pop ${number} returned ${got}, and should have returned ${wanted}`)
            }
          }
        },
      },
    ],
    nameOf: address => nameInRing(address - FRAME, producerPartBytes(geometry)),
  }
}

/** What stands at an offset in a ring, by where its consumer's part begins. */
export function nameInRing(offset: number, consumerPart: number): string {
  const words: Readonly<Record<number, string>> = {
    [RING_WRITE_INDEX]: "writeIndex",
    [RING_PRODUCER_SLEEP]: "producer's sleep number",
    [RING_PRODUCER_CLOSED]: "producer closed",
    [consumerPart + RING_READ_INDEX]: "readIndex",
    [consumerPart + RING_CONSUMER_SLEEP]: "consumer's sleep number",
    [consumerPart + RING_CONSUMER_CLOSED]: "consumer closed",
    [consumerPart + RING_READ_PROGRESS]: "consumer's progress",
    [consumerPart + RING_READ_HANDED]: "slots handed out",
  }
  return words[offset] ?? (offset >= RING_SLOTS ? `slots + ${offset - RING_SLOTS}` : `header + ${offset}`)
}
