// broadcast.ts: one producer and two consumers, which it waits for, overtakes or disconnects.

import { BroadcastConsumer } from "../../ring/shapes/broadcast-consumer.ts"
import { broadcastPartBytes, type ConsumerPolicy, createBroadcast } from "../../ring/shapes/broadcast-place.ts"
import { BroadcastProducer } from "../../ring/shapes/broadcast-producer.ts"
import {
  BROADCAST_CLOSED,
  BROADCAST_SLOTS,
  BROADCAST_WRITE_INDEX,
  CONSUMER_ATTACH,
  CONSUMER_LOST,
  CONSUMER_PART_BYTES,
  CONSUMER_READ_INDEX,
  CONSUMER_SLEEP,
  LINK_ACCEPTED,
  LINK_BYTES,
  LINK_ENDED,
  LINK_PRODUCER_SLEEP,
  LINK_START,
  LINK_WAKE,
} from "../../ring/shapes/words.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as PRODUCER_PART } from "../instrument.ts"
import { type How, waitBy } from "./how.ts"

/** Two words: a message of one could not be torn. */
const SLOT_BYTES = 16
/** Where bells hang; no memory. */
const BELL = 64
/** Of the first message's number the lower half is about to wrap. */
const ABOUT_TO_WRAP = 0xffff_ffffn

/**
 * @param policies of its consumers, 1 or 2
 * @param how the consumers wait
 */
export function broadcastCase(
  policies: readonly ConsumerPolicy[],
  capacity: number,
  messages: number,
  how: How = "blocking",
): Case {
  const geometry = { capacity, slotBytes: SLOT_BYTES }
  const producerPart = { address: PRODUCER_PART, bytes: broadcastPartBytes(geometry) }
  const links = policies.map((_, at) => {
    const address = PRODUCER_PART + producerPart.bytes + at * (LINK_BYTES + CONSUMER_PART_BYTES)
    return {
      link: { address, bytes: LINK_BYTES },
      consumerPart: { address: address + LINK_BYTES, bytes: CONSUMER_PART_BYTES },
    }
  })
  const payload = (number: number): Uint8Array => new Uint8Array(SLOT_BYTES).fill(number)
  const consumer = (at: number): Case["programs"][number] => ({
    name: `consumer ${at + 1}`,
    bells: [{ address: BELL, own: at }],
    attach: (vspace, begin) => {
      const end = new BroadcastConsumer(vspace, producerPart, links[at] as (typeof links)[number], { bell: BELL })
      return () => {
        for (let number = 0; number < messages; ) {
          begin(`pop ${number + 1}`)
          const got = waitBy(
            how,
            () => end.pop(),
            options => end.pop(options),
          )
          if (got === "disconnected" && policies[at] === "disconnect") return
          if (typeof got === "string") throw new Error(`pop ${number + 1} ended with ${got}`)
          const { received, lost } = end.stats()
          if (lost > 0 && policies[at] !== "drop-oldest") throw new Error(`lost ${lost} by policy ${policies[at]}`)
          number = received + lost
          const wanted = payload(number)
          if (wanted.some((byte, index) => got[index] !== byte))
            throw new Error(
              `message ${number}, by its count of ${lost} lost, is ${got}, and should have been ${wanted}`,
            )
        }
      }
    },
  })
  return {
    name: `broadcast, ${policies.join(" and ")}, capacity ${capacity}, ${messages} messages, ${how}`,
    create: {
      name: "creator",
      attach: vspace => () =>
        createBroadcast(vspace, producerPart, links, {
          ...geometry,
          consumers: policies,
          initialIndex: ABOUT_TO_WRAP,
        }),
    },
    programs: [
      {
        name: "producer",
        bells: links.map((_, at) => ({ address: BELL + at, peers: at })),
        attach: (vspace, begin) => {
          const targets = links.map((link, at) => ({ ...link, bell: BELL + at }))
          const end = new BroadcastProducer(vspace, producerPart, targets)
          return () => {
            for (let number = 1; number <= messages; number++) {
              begin(`push ${number}`)
              const outcome = end.push(payload(number))
              if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
            }
          }
        },
      },
      ...policies.map((_, at) => consumer(at)),
    ],
    nameOf: address => {
      const at = links.findLastIndex(({ link }) => address >= link.address)
      if (at < 0) return nameInProducerPart(address - PRODUCER_PART)
      return `${nameInLink(address - (links[at]?.link.address ?? 0))} of consumer ${at + 1}`
    },
  }
}

function nameInProducerPart(offset: number): string {
  if (offset === BROADCAST_WRITE_INDEX) return "writeIndex"
  if (offset === BROADCAST_CLOSED) return "producer closed"
  return offset >= BROADCAST_SLOTS ? `slots + ${offset - BROADCAST_SLOTS}` : `header + ${offset}`
}

function nameInLink(offset: number): string {
  const words: Readonly<Record<number, string>> = {
    [LINK_WAKE]: "wake word",
    [LINK_ACCEPTED]: "attach accepted",
    [LINK_ENDED]: "attach ended",
    [LINK_START]: "first message",
    [LINK_PRODUCER_SLEEP]: "producer's sleep number",
    [LINK_BYTES + CONSUMER_READ_INDEX]: "readIndex",
    [LINK_BYTES + CONSUMER_ATTACH]: "attach",
    [LINK_BYTES + CONSUMER_SLEEP]: "sleep number",
    [LINK_BYTES + CONSUMER_LOST]: "lost",
  }
  return words[offset] ?? `link + ${offset}`
}
