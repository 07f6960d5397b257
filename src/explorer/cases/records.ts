// records.ts: records of different lengths in the smallest ring of them: padding at its end, indices that pass 2^32.

import { RecordRing } from "../../ring/record-ring.ts"
import { producerPartBytes } from "../../ring/ring-header.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as FRAME } from "../shared-space.ts"
import { expect, nameInRing } from "./ring.ts"

/** 32 bytes with their head at most, so that some do not fit before the ring's end. */
const CAPACITY = 64
/** The first record begins so many bytes before the index passes 2^32, which is the ring's end too. */
const BEFORE_END = 16

/**
 * @param pushes lengths of the records of each push, 1 to 24; several are sent with one publish. A byte of each is its number
 * @param pops how many of them are taken; by default all
 */
export function recordCase(pushes: readonly (readonly number[])[], pops = pushes.flat().length): Case {
  const options = { capacityBytes: CAPACITY, initialIndex: 2 ** 32 - BEFORE_END }
  const bytes = RecordRing.bytesNeeded(options)
  const lengths = pushes.flat()
  const record = (number: number): number[] => new Array<number>(lengths[number - 1] as number).fill(number)
  return {
    name: `records of ${pushes.map(push => push.join(" + ")).join(", ")} bytes in a ring of ${CAPACITY}, ${pops} taken`,
    create: {
      name: "creator",
      attach: vspace => () => RecordRing.create(vspace, FRAME, bytes, options),
    },
    programs: [
      {
        name: "producer",
        attach: (vspace, begin) => {
          const producer = RecordRing.producer(vspace, FRAME, bytes)
          return () => {
            let next = 1
            for (const push of pushes) {
              begin(`push ${next}`)
              const records = push.map((_, at) => Uint8Array.from(record(next + at)))
              const single = records.length === 1 ? records[0] : undefined
              const outcome = single === undefined ? producer.pushMany(records) : producer.push(single)
              if (outcome !== "pushed") throw new Error(`push ${next} ended with ${outcome}`)
              next += push.length
            }
          }
        },
      },
      {
        name: "consumer",
        attach: (vspace, begin) => {
          const consumer = RecordRing.consumer(vspace, FRAME, bytes)
          return () => {
            for (let next = 1; next <= pops; next++) {
              begin(`pop ${next}`)
              expect(`pop ${next}`, consumer.pop(), record(next))
            }
          }
        },
      },
    ],
    nameOf: address => {
      const shape = { capacity: CAPACITY, slotBytes: 0, form: "record" } as const
      return nameInRing(address - FRAME, producerPartBytes(shape))
    },
  }
}
