// ring.ts: a producer and a consumer of a small ring, which sleep and wake one another, with counters about to wrap: single
// messages, batches of one publish, and ends that spin.

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
import { bytesNeeded, type Geometry, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import type { Case } from "../explore.ts"
import type { Program } from "../process.ts"
import { SHARED_START as FRAME } from "../shared-space.ts"

/** Of 2 messages the second is the first beyond 2^32. */
export const ABOUT_TO_WRAP = 0xffff_ffff

interface RingUse {
  readonly name: string
  readonly form: RingForm
  readonly capacity: number
  /** Messages of each push; where one has several, the consumer takes as many as it can get at once. */
  readonly pushes: readonly number[]
  readonly wait?: WaitStrategy
}

export function ringCase(form: RingForm, capacity: number, messages: number): Case {
  const pushes = new Array<number>(messages).fill(1)
  return usedRing({ name: `${messages} messages`, form, capacity, pushes })
}

/** Batches, each of one publish. */
export function batchCase(form: RingForm, capacity: number, pushes: readonly number[]): Case {
  return usedRing({ name: `batches of ${pushes.join(", ")} messages`, form, capacity, pushes })
}

/** Ends that look for a while before they sleep; or, where they never sleep, until there is something. */
export function spinCase(form: RingForm, capacity: number, messages: number, park: boolean): Case {
  const name = `${messages} messages, ends that spin ${park ? "before they sleep" : "and never sleep"}`
  const pushes = new Array<number>(messages).fill(1)
  return usedRing({ name, form, capacity, pushes, wait: { spinNs: 1, park } })
}

export function payloadOf(number: number): number[] {
  return [number & 0xff, 0, 0, 0, 0, 0, 0, 0xa0 ^ (number & 0xff)]
}

function usedRing({ name, form, capacity, pushes, wait = {} }: RingUse): Case {
  const geometry = { capacity, slotBytes: 8, form }
  const bytes = bytesNeeded(geometry)
  const messages = pushes.reduce((sum, count) => sum + count)
  const most = Math.max(...pushes)
  const payload = (first: number, count: number): number[] =>
    Array.from({ length: count }, (_, at) => payloadOf(first + at)).flat()
  const neverSleeps = wait.park === false
  return {
    name: `ring, ${form} form, capacity ${capacity}, ${name}`,
    create: ringCreator(geometry),
    programs: [
      {
        name: "producer",
        neverSleeps,
        attach: (vspace, begin) => {
          const producer = SharedRing.producer(vspace, FRAME, bytes, { wait })
          return () => {
            let next = 1
            for (const count of pushes) {
              begin(`push ${next}`)
              const message = Uint8Array.from(payload(next, count))
              const outcome = most > 1 ? producer.pushMany(message) : producer.push(message)
              if (outcome !== "pushed") throw new Error(`push ${next} ended with ${outcome}`)
              next += count
            }
          }
        },
      },
      {
        name: "consumer",
        neverSleeps,
        attach: (vspace, begin) => {
          const consumer = SharedRing.consumer(vspace, FRAME, bytes, { wait })
          return () => {
            for (let next = 1; next <= messages; ) {
              begin(`pop ${next}`)
              const got = most > 1 ? consumer.popMany(Math.min(most, capacity)) : consumer.pop()
              next += expect(`pop ${next}`, got, payload(next, got.length / 8)) / 8
            }
          }
        },
      },
    ],
    nameOf: address => nameInRing(address - FRAME, producerPartBytes(geometry)),
  }
}

export function ringCreator(geometry: Geometry): Program {
  const options = { ...geometry, initialIndex: ABOUT_TO_WRAP }
  return {
    name: "creator",
    attach: vspace => () => SharedRing.create(vspace, FRAME, bytesNeeded(geometry), options),
  }
}

/** @returns how many bytes came */
export function expect(operation: string, got: Uint8Array | string, wanted: readonly number[]): number {
  if (typeof got !== "string" && got.length === wanted.length && wanted.every((byte, at) => got[at] === byte))
    return got.length
  throw new Error(`${operation} returned ${got}, and should have returned ${wanted}`)
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
