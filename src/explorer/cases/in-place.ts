// in-place.ts: messages that are written and read where they lie, in slots that are longer than what is copied at once.

import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as FRAME, SCRATCH } from "../shared-space.ts"
import { nameInRing, ringCreator } from "./ring.ts"

const MESSAGES = [1, 2]
const SLOT_BYTES = 72

/** Two messages in a ring of two: the producer never waits. */
export function inPlaceCase(form: RingForm): Case {
  const geometry = { capacity: MESSAGES.length, slotBytes: SLOT_BYTES, form }
  const bytes = bytesNeeded(geometry)
  return {
    name: `ring, ${form} form, capacity ${MESSAGES.length}, ${MESSAGES.length} messages in place, of ${SLOT_BYTES} bytes`,
    create: ringCreator(geometry),
    programs: [
      {
        name: "producer",
        attach: (vspace, begin) => {
          const producer = SharedRing.producer(vspace, FRAME, bytes)
          return () => {
            for (const number of MESSAGES) {
              begin(`send ${number}`)
              const slot = producer.claim()
              if (slot === 0) throw new Error(`slot ${number} could not be claimed`)
              vspace.u8.fill(number, SCRATCH, SCRATCH + SLOT_BYTES)
              vspace.hot.copy(slot, SCRATCH, SLOT_BYTES)
              producer.commit()
            }
          }
        },
      },
      {
        name: "consumer",
        attach: (vspace, begin) => {
          const consumer = SharedRing.consumer(vspace, FRAME, bytes)
          return () => {
            for (const number of MESSAGES) {
              begin(`read ${number}`)
              const outcome = consumer.awaitMessage()
              const slot = consumer.peek()
              if (outcome !== "ready" || slot === 0) throw new Error(`${outcome}, and slot ${number} is at ${slot}`)
              vspace.hot.copy(SCRATCH, slot, SLOT_BYTES)
              const found = vspace.u8.slice(SCRATCH, SCRATCH + SLOT_BYTES)
              if (found.some(byte => byte !== number)) throw new Error(`slot ${number} holds ${found}`)
              consumer.release()
            }
          }
        },
      },
    ],
    nameOf: address => nameInRing(address - FRAME, producerPartBytes(geometry)),
  }
}
