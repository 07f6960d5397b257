// broadcast.ts: one producer and two consumers, which it waits for, overtakes or disconnects.

import type { Part } from "../../ring/ring-place.ts"
import { BroadcastConsumer } from "../../ring/shapes/broadcast-consumer.ts"
import {
  type BroadcastLink,
  type BroadcastOptions,
  broadcastPartBytes,
  type ConsumerPolicy,
  createBroadcast,
  loadLong,
} from "../../ring/shapes/broadcast-place.ts"
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
import type { WaitStrategy } from "../../ring/wait.ts"
import type { Case } from "../explore.ts"
import { type Program, watch } from "../process.ts"
import { SHARED_START as PRODUCER_PART } from "../shared-space.ts"
import { type How, LOOKS_FIRST, waitBy } from "./how.ts"

/** Two words: a message of one could not be torn. */
const SLOT_BYTES = 16
/** Where bells hang; no memory. */
const BELL = 64
/** Of the first message's number the lower half is about to wrap. */
const ABOUT_TO_WRAP = 0xffff_ffffn

/** `how` it waits: "looking" never sleeps. */
export interface BroadcastCaseConsumer {
  readonly policy: ConsumerPolicy
  readonly how: How | "looking"
}

/**
 * @param consumers 1 or 2, which attach before the first message
 * @param looksFirst whoever waits looks for a while before it sleeps
 */
export function broadcastCase(
  consumers: readonly BroadcastCaseConsumer[],
  capacity: number,
  messages: number,
  looksFirst = false,
): Case {
  const wait = looksFirst ? LOOKS_FIRST : {}
  const place = placeOf(consumers.length, capacity)
  const consumer = ({ policy, how }: BroadcastCaseConsumer, at: number): Program => ({
    name: `consumer ${at + 1}`,
    bells: [{ address: BELL, own: at }],
    attach: (vspace, begin) => {
      const end = new BroadcastConsumer(vspace, place.producerPart, place.link(at), { bell: BELL, wait })
      return () => {
        for (let number = 0; number < messages; ) {
          begin(`pop ${number + 1}`)
          const got = how === "looking" ? look(end, number) : pop(end, how)
          const { received, lost } = end.stats()
          if (got === "disconnected" && policy === "disconnect") return
          if (lost > 0 && (policy !== "drop-oldest" || messages <= capacity))
            throw new Error(`lost ${lost} by policy ${policy}`)
          // It has learnt of losses, and not got what comes next.
          const hasOnlyLost = got === "nothing" && received + lost > number
          number = received + lost
          if (!hasOnlyLost) expect(got, number)
        }
      }
    },
  })
  const names = consumers.map(({ policy, how }) => `${policy} ${how}`).join(" and ")
  return {
    name: `broadcast, ${names}, capacity ${capacity}, ${messages} messages${looksFirst ? ", looking first" : ""}`,
    create: creator(
      place,
      consumers.map(({ policy }) => policy),
    ),
    programs: [producer(place, messages, false, wait), ...consumers.map(consumer)],
    nameOf: place.nameOf,
  }
}

/**
 * One consumer, which attaches while the producer is at work and never sleeps: it gets a piece of what is sent, up to the end;
 * or nothing, where the producer had closed before it noticed.
 */
export function lateConsumerCase(policy: ConsumerPolicy, capacity: number, messages: number): Case {
  const place = placeOf(1, capacity)
  const { link } = place.link(0)
  const consumer: Program = {
    name: "consumer",
    attach: (vspace, begin) => () => {
      begin("attach")
      const end = new BroadcastConsumer(vspace, place.producerPart, place.link(0))
      // Perhaps while the producer accepts it.
      const early = end.tryPop()
      watch(link.address + LINK_ACCEPTED, 0, PRODUCER_PART + BROADCAST_CLOSED, 0)
      if (vspace.loadWord(link.address + LINK_ACCEPTED) === 0) return
      const first = Number(loadLong(vspace, link.address + LINK_START) - ABOUT_TO_WRAP)
      const read = (): number => first + end.stats().received + end.stats().lost
      if (early !== undefined) expect(early, read())
      for (let before = read(); before < messages; ) {
        begin(`pop ${before + 1}`)
        const got = look(end, before)
        if (got === "disconnected" && policy === "disconnect") return
        const hasOnlyLost = got === "nothing" && read() > before
        before = read()
        if (!hasOnlyLost) expect(got, before)
      }
    },
  }
  return {
    name: `broadcast, ${policy} and late, capacity ${capacity}, ${messages} messages, closed`,
    create: creator(place, [{ policy, late: true }]),
    programs: [producer(place, messages, true), consumer],
    nameOf: place.nameOf,
  }
}

interface Place {
  readonly capacity: number
  readonly producerPart: Part
  readonly links: readonly BroadcastLink[]
  link(at: number): BroadcastLink
  nameOf(address: number): string
}

function placeOf(consumers: number, capacity: number): Place {
  const producerPart = { address: PRODUCER_PART, bytes: broadcastPartBytes({ capacity, slotBytes: SLOT_BYTES }) }
  const link = (at: number): BroadcastLink => {
    const address = PRODUCER_PART + producerPart.bytes + at * (LINK_BYTES + CONSUMER_PART_BYTES)
    return {
      link: { address, bytes: LINK_BYTES },
      consumerPart: { address: address + LINK_BYTES, bytes: CONSUMER_PART_BYTES },
    }
  }
  const links = Array.from({ length: consumers }, (_, at) => link(at))
  const nameOf = (address: number): string => {
    const at = links.findLastIndex(other => address >= other.link.address)
    if (at < 0) return nameInProducerPart(address - PRODUCER_PART)
    return `${nameInLink(address - link(at).link.address)} of consumer ${at + 1}`
  }
  return { capacity, producerPart, links, link, nameOf }
}

function creator({ capacity, producerPart, links }: Place, consumers: BroadcastOptions["consumers"]): Program {
  const options = { capacity, slotBytes: SLOT_BYTES, consumers, initialIndex: ABOUT_TO_WRAP }
  return { name: "creator", attach: vspace => () => createBroadcast(vspace, producerPart, links, options) }
}

function producer({ producerPart, links }: Place, messages: number, closes: boolean, wait: WaitStrategy = {}): Program {
  return {
    name: "producer",
    bells: links.map((_, at) => ({ address: BELL + at, peers: at })),
    attach: (vspace, begin) => {
      const targets = links.map((link, at) => ({ ...link, bell: BELL + at }))
      const end = new BroadcastProducer(vspace, producerPart, targets, { wait })
      return () => {
        for (let number = 1; number <= messages; number++) {
          begin(`push ${number}`)
          const outcome = end.push(payload(number))
          if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
        }
        if (!closes) return
        begin("close")
        end.close()
      }
    },
  }
}

function payload(number: number): Uint8Array {
  return new Uint8Array(SLOT_BYTES).fill(number)
}

function pop(end: BroadcastConsumer, how: How): Uint8Array | string {
  return waitBy(
    how,
    () => end.pop(),
    options => end.pop(options),
  )
}

/** Once message `number` + 1 is there. */
function look(end: BroadcastConsumer, number: number): Uint8Array | string {
  watch(PRODUCER_PART + BROADCAST_WRITE_INDEX, Number((ABOUT_TO_WRAP + BigInt(number)) & 0xffff_ffffn))
  const got = end.tryPop()
  if (got !== undefined) return got
  return end.interruption() === "disconnected" ? "disconnected" : "nothing"
}

function expect(got: Uint8Array | string, number: number): void {
  const wanted = payload(number)
  if (typeof got === "string" || wanted.some((byte, index) => got[index] !== byte))
    throw new Error(`message ${number}, by its count of what it lost, is ${got}, and should have been ${wanted}`)
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
