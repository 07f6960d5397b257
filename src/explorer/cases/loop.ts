// loop.ts: ends that wait on their event loop, in a ring and in a notification: announced there, woken by a bell.

import { NotificationFrame } from "../../ring/notification-frame.ts"
import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import { NotificationSignaller } from "../../ring/signaller.ts"
import { NotificationWaiter } from "../../ring/waiter.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as FRAME } from "../shared-space.ts"
import { type How, LOOKS_FIRST, waitBy } from "./how.ts"
import { nameInNotification } from "./notification.ts"
import { ABOUT_TO_WRAP, nameInRing } from "./ring.ts"

/** Where bells hang; no memory. */
const BELL = 64

export interface RingLoopCase {
  readonly form: RingForm
  readonly capacity: number
  readonly messages: number
  readonly producer: How
  readonly consumer: How
  /** Whoever waits looks for a while before it sleeps. */
  readonly looksFirst?: boolean
}

export function ringLoopCase({ form, capacity, messages, looksFirst = false, ...how }: RingLoopCase): Case {
  const options = { bell: BELL, ...(looksFirst && { wait: LOOKS_FIRST }) }
  const geometry = { capacity, slotBytes: 8, form }
  const bytes = bytesNeeded(geometry)
  const payload = (number: number): Uint8Array => Uint8Array.of(number, 0, 0, 0, 0, 0, 0, 0xa0 + number)
  const numbers = Array.from({ length: messages }, (_, at) => at + 1)
  return {
    name: `event loop, ring, ${form} form, capacity ${capacity}, ${messages} messages, producer ${how.producer}, consumer ${how.consumer}${looksFirst ? ", looking first" : ""}`,
    create: {
      name: "creator",
      attach: vspace => () => SharedRing.create(vspace, FRAME, bytes, { ...geometry, initialIndex: ABOUT_TO_WRAP }),
    },
    programs: [
      {
        name: "producer",
        bells: [{ address: BELL, own: 1, peers: 0 }],
        attach: (vspace, begin) => {
          const producer = SharedRing.producer(vspace, FRAME, bytes, options)
          return () => {
            for (const number of numbers) {
              begin(`push ${number}`)
              const message = payload(number)
              const outcome = waitBy(
                how.producer,
                () => producer.push(message),
                options => producer.push(message, options),
              )
              if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
            }
          }
        },
      },
      {
        name: "consumer",
        bells: [{ address: BELL, own: 0, peers: 1 }],
        attach: (vspace, begin) => {
          const consumer = SharedRing.consumer(vspace, FRAME, bytes, options)
          return () => {
            for (const number of numbers) {
              begin(`pop ${number}`)
              const got = waitBy(
                how.consumer,
                () => consumer.pop(),
                options => consumer.pop(options),
              )
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

/** Two signallers, with a bit each, and a waiter that waits until it has as many different bits. */
export function notificationLoopCase(signals: readonly [number, number], how: How, looksFirst = false): Case {
  const options = { bell: BELL, ...(looksFirst && { wait: LOOKS_FIRST }) }
  const lane = (signaller: number) => NotificationFrame.lane(FRAME, signaller)
  const signaller = (which: number): Case["programs"][number] => ({
    name: `signaller ${which + 1}`,
    bells: [{ address: BELL, peers: which }],
    attach: (vspace, begin) => {
      const end = new NotificationSignaller(vspace, lane(which), { bell: BELL })
      return () => {
        for (let time = 1; time <= (signals[which] as number); time++) {
          begin(`signal ${time}`)
          end.signal(BigInt((1 << which) | (0x100 << time)))
        }
      }
    },
  })
  return {
    name: `event loop, notification, ${signals.join(" and ")} signals, waiter ${how}${looksFirst ? ", looking first" : ""}`,
    create: { name: "creator", attach: vspace => () => void NotificationFrame.waiter(vspace, FRAME, 2) },
    programs: [
      signaller(0),
      signaller(1),
      {
        name: "waiter",
        // That of the kernel, which nobody rings here; then those of the lanes.
        bells: [{ address: BELL, own: 2 }, ...[0, 1].map(own => ({ address: lane(own).lane, own }))],
        attach: (vspace, begin) => {
          const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, FRAME, 2), options)
          return () => {
            const wanted = [0, 1].reduce((bits, which) => bits | bitsOf(which, signals[which] as number), 0n)
            for (let time = 1, bits = 0n; bits !== wanted; time++) {
              begin(`wait ${time}`)
              const got = waitBy(
                how,
                () => waiter.wait(),
                options => waiter.wait(options),
              )
              if (typeof got === "string" || got === 0n || (got & ~wanted) !== 0n)
                throw new Error(`wait returned ${got}`)
              bits |= got
            }
          }
        },
      },
    ],
    nameOf: address => nameInNotification(address - FRAME),
  }
}

/** All that a signaller sets: its own bit, and one for each of its signals. */
function bitsOf(which: number, signals: number): bigint {
  let bits = 0n
  for (let time = 1; time <= signals; time++) bits |= BigInt((1 << which) | (0x100 << time))
  return bits
}
