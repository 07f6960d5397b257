// words.ts: words that a peer may leave behind, at both sides of each bound: what is possible is taken, what is not is refused; and
// how much a batch takes. One process alone, which plays the peer too: what such words do to a peer at work is for npm run hostile.

import { PeerMisbehaviorError } from "../../ring/errors.ts"
import {
  RECORD_HEAD_BYTES,
  RECORD_PADDING,
  RING_MAGIC_WORD,
  RING_READ_INDEX,
  RING_SLOTS,
  RING_WRITE_INDEX,
} from "../../ring/layout.ts"
import type { RecordConsumer } from "../../ring/record-consumer.ts"
import { RecordRing } from "../../ring/record-ring.ts"
import { RingEnd } from "../../ring/ring-end.ts"
import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { placeOf } from "../../ring/ring-place.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Case } from "../explore.ts"
import { accessesMade } from "../process.ts"
import { SHARED_START as FRAME } from "../shared-space.ts"

const CAPACITY = 4
const RECORD_CAPACITY = 64
const START = 0xffff_fff0
const REFUSED = "refused"

/** Stores the words, by their offset in the ring, between attaching and what is tried. */
interface Trial {
  readonly words: readonly (readonly [offset: number, value: number])[]
  /** What comes of it: how many bytes are there, "pushed", "empty" or "full"; or REFUSED. */
  readonly outcome: string
}

const writeIndex = (moved: number): readonly [number, number] => [RING_WRITE_INDEX, (START + moved) >>> 0]

const POPS: Readonly<Record<RingForm, readonly Trial[]>> = {
  index: [
    { words: [writeIndex(0)], outcome: "empty" },
    { words: [writeIndex(1)], outcome: "8" },
    { words: [writeIndex(CAPACITY)], outcome: "8" },
    { words: [writeIndex(CAPACITY + 1)], outcome: REFUSED },
    { words: [writeIndex(-1)], outcome: REFUSED },
  ],
  slot: [
    { words: [[RING_SLOTS, START + 1]], outcome: "8" },
    { words: [[RING_SLOTS, 0]], outcome: "empty" },
    { words: [[RING_SLOTS, START + 1 - CAPACITY]], outcome: "empty" },
    { words: [[RING_SLOTS, START]], outcome: REFUSED },
    { words: [[RING_SLOTS, START + 2]], outcome: REFUSED },
    { words: [[RING_SLOTS, START + 1 + CAPACITY]], outcome: REFUSED },
  ],
}

const READ_INDEX = producerPartBytes({ capacity: CAPACITY, slotBytes: 8 }) + RING_READ_INDEX
/** After so many pushes as there are slots. */
const PUSHES: readonly Trial[] = [
  { words: [[READ_INDEX, START]], outcome: "full" },
  { words: [[READ_INDEX, START + 1]], outcome: "pushed" },
  { words: [[READ_INDEX, START + CAPACITY]], outcome: "pushed" },
  { words: [[READ_INDEX, START + CAPACITY + 1]], outcome: REFUSED },
  { words: [[READ_INDEX, START - 1]], outcome: REFUSED },
]

/** The ring's end, so many bytes behind the first record's head. */
const REST = 2 ** 32 - START
const AT_END = RING_SLOTS + RECORD_CAPACITY - REST
const PADDED = [AT_END, RECORD_PADDING | REST] as const
const RECORDS: readonly Trial[] = [
  { words: [], outcome: "empty" },
  { words: [PADDED, [RING_SLOTS, 1], writeIndex(REST + 16)], outcome: "1" },
  { words: [PADDED, [RING_SLOTS, 24], writeIndex(REST + 32)], outcome: "24" },
  { words: [PADDED, [RING_SLOTS, 25], writeIndex(REST + 40)], outcome: REFUSED },
  { words: [PADDED, [RING_SLOTS, 0], writeIndex(REST + 16)], outcome: REFUSED },
  { words: [PADDED, [RING_SLOTS, 9], writeIndex(REST + 16)], outcome: REFUSED },
  { words: [PADDED, [RING_SLOTS, 9], writeIndex(REST + 24)], outcome: "9" },
  { words: [PADDED, [RING_SLOTS, 1], writeIndex(REST)], outcome: REFUSED },
  { words: [PADDED, [RING_SLOTS, 1], writeIndex(REST - 8)], outcome: REFUSED },
  { words: [[AT_END, RECORD_PADDING | (REST + 8)], [RING_SLOTS, 1], writeIndex(REST + 24)], outcome: REFUSED },
  { words: [[AT_END, 8], writeIndex(REST)], outcome: "8" },
  // It would run over the ring's end.
  { words: [[AT_END, 9], writeIndex(REST + 8)], outcome: REFUSED },
]

/** How often a consumer may spin, and the loads that it makes of an empty ring. */
const LOOKS = [
  [1, 2],
  [2, 4],
  [16, 18],
  [17, 19],
  [18, 21],
  [50, 55],
] as const

export function wordsCases(form: RingForm): Case[] {
  const geometry = { capacity: CAPACITY, slotBytes: 8, form }
  const bytes = bytesNeeded(geometry)
  const create = (vspace: VSpace): void => SharedRing.create(vspace, FRAME, bytes, { ...geometry, initialIndex: START })
  const pop = (vspace: VSpace, poke: () => void): string => {
    const consumer = SharedRing.consumer(vspace, FRAME, bytes)
    poke()
    const outcome = outcomeOf(() => consumer.tryPop()?.length ?? "empty")
    consumer.close()
    return outcome
  }
  const push = (vspace: VSpace, poke: () => void): string => {
    const producer = SharedRing.producer(vspace, FRAME, bytes)
    for (let number = 0; number < CAPACITY; number++) producer.tryPush(new Uint8Array(8))
    poke()
    const outcome = outcomeOf(() => (producer.tryPush(new Uint8Array(8)) ? "pushed" : "full"))
    producer.close()
    return outcome
  }
  const batches = (vspace: VSpace): string => {
    const producer = SharedRing.producer(vspace, FRAME, bytes)
    const consumer = SharedRing.consumer(vspace, FRAME, bytes)
    const take = (max: number): number => (consumer.tryPopMany(max)?.length ?? 0) / 8
    producer.tryPushMany(new Uint8Array(8 * 3))
    const taken = [take(2), take(2)]
    producer.tryPushMany(new Uint8Array(8 * 2))
    taken.push(take(1))
    // One that was seen then, and one that was not.
    producer.tryPush(new Uint8Array(8))
    taken.push(take(4))
    producer.close()
    consumer.close()
    return taken.join()
  }
  const reopened = (vspace: VSpace): string => {
    const consumer = SharedRing.consumer(vspace, FRAME, bytes)
    SharedRing.producer(vspace, FRAME, bytes).close()
    const closed = consumer.interruption()
    const producer = SharedRing.producer(vspace, FRAME, bytes)
    const open = consumer.interruption()
    producer.close()
    consumer.close()
    return `${closed}, ${open}`
  }
  /** Time passes by being looked at; who must not sleep does not, even where nothing else is left to do. */
  const deadline = (vspace: VSpace): string => {
    const producer = SharedRing.producer(vspace, FRAME, bytes)
    const consumer = SharedRing.consumer(vspace, FRAME, bytes, { wait: { spinNs: 1, park: false } })
    const outcome = consumer.pop(3_000_000)
    producer.close()
    consumer.close()
    return `${outcome}`
  }
  /** A look for each spin but the first, which looks at the status too, as each sixteenth does; and one whether it is closed. */
  const looks = (vspace: VSpace): string => {
    const producer = SharedRing.producer(vspace, FRAME, bytes)
    const consumer = new RingEnd(vspace, "consumer", placeOf(vspace, { address: FRAME, bytes }, "slots"), {})
    const counts = LOOKS.map(([spins]) => {
      const before = accessesMade()
      vspace.hot.pop(consumer.state, spins)
      return accessesMade() - before
    })
    producer.close()
    consumer.close()
    return counts.join()
  }
  const pushes = form === "index" ? PUSHES.map(trial => [trial, push] as const) : []
  return trialsCases(`${form} form`, create, [
    ...POPS[form].map(trial => [trial, pop] as const),
    ...pushes,
    [{ words: [], outcome: "2,1,1,2" }, batches],
    [{ words: [], outcome: "closed, undefined" }, reopened],
    [{ words: [], outcome: LOOKS.map(([, accesses]) => accesses).join() }, looks],
    [{ words: [], outcome: "deadline" }, deadline],
  ])
}

export function recordWordsCases(): Case[] {
  const options = { capacityBytes: RECORD_CAPACITY, initialIndex: START }
  const bytes = RecordRing.bytesNeeded(options)
  const found = (vspace: VSpace, poke: () => void, look: (consumer: RecordConsumer) => number | undefined): string => {
    const consumer = RecordRing.consumer(vspace, FRAME, bytes)
    poke()
    const outcome = outcomeOf(() => look(consumer) ?? "empty")
    consumer.close()
    return outcome
  }
  const pop: Attempt = (vspace, poke) => found(vspace, poke, consumer => consumer.tryPop()?.length)
  const peek: Attempt = (vspace, poke) =>
    found(vspace, poke, consumer => (consumer.peek() === 0 ? undefined : consumer.peekedBytes))
  const claim: Attempt = vspace => {
    const producer = RecordRing.producer(vspace, FRAME, bytes)
    const places = [REST - RECORD_HEAD_BYTES, REST].map(length => producer.claim(length) - FRAME - RECORD_HEAD_BYTES)
    producer.close()
    return places.join()
  }
  const padded: Attempt = vspace => {
    const producer = RecordRing.producer(vspace, FRAME, bytes)
    const consumer = RecordRing.consumer(vspace, FRAME, bytes)
    const push = (length: number): boolean => producer.tryPush(new Uint8Array(length))
    const outcomes = [push(8), push(8), push(24)]
    consumer.tryPopMany(2)
    outcomes.push(push(24), push(8), push(24))
    producer.close()
    consumer.close()
    return outcomes.join()
  }
  const behindPadding: Attempt = vspace => {
    const producer = RecordRing.producer(vspace, FRAME, bytes)
    const consumer = RecordRing.consumer(vspace, FRAME, bytes)
    const lengths = [24, 8].map(length => producer.tryPush(new Uint8Array(length)) && consumer.tryPop()?.length)
    producer.close()
    consumer.close()
    return lengths.join()
  }
  const create = (vspace: VSpace): void => RecordRing.create(vspace, FRAME, bytes, options)
  return trialsCases("records", create, [
    ...RECORDS.flatMap(trial => [[trial, pop] as const, [trial, peek] as const]),
    // What fits before the ring's end is put there; what does not, at its start.
    [{ words: [], outcome: `${AT_END},${RING_SLOTS}` }, claim],
    // Half of the ring is free, but with the padding before it a record of half the ring needs more.
    [{ words: [], outcome: "true,true,true,false,true,false" }, padded],
    // A release takes the padding before the record along.
    [{ words: [], outcome: "24,8" }, behindPadding],
  ])
}

type Attempt = (vspace: VSpace, poke: () => void) => string

/** In small cases: each access is behind all those before it, which are run again. */
const TRIALS_OF_A_CASE = 3

function trialsCases(
  what: string,
  create: (vspace: VSpace) => void,
  trials: readonly (readonly [Trial, Attempt])[],
): Case[] {
  const numbered = [...trials.entries()]
  const parts = Array.from({ length: Math.ceil(trials.length / TRIALS_OF_A_CASE) }, (_, at) => at * TRIALS_OF_A_CASE)
  return parts.map(first =>
    trialsCase(`${what}, from trial ${first}`, create, numbered.slice(first, first + TRIALS_OF_A_CASE)),
  )
}

function trialsCase(
  what: string,
  create: (vspace: VSpace) => void,
  trials: readonly (readonly [number: number, readonly [Trial, Attempt]])[],
): Case {
  return {
    name: `words at their bounds, ${what}`,
    create: { name: "creator", attach: () => () => {} },
    programs: [
      {
        name: "both ends",
        attach: (vspace, begin) => () => {
          for (const [number, [{ words, outcome }, attempt]] of trials) {
            begin(`trial ${number}`)
            // What create() and attaching do not write anew.
            vspace.storeWord(FRAME + RING_MAGIC_WORD, 0)
            for (let at = RING_SLOTS; at < RING_SLOTS + RECORD_CAPACITY; at += 4) vspace.storeWord(FRAME + at, 0)
            create(vspace)
            const found = attempt(vspace, () => {
              for (const [offset, value] of words) vspace.storeWord(FRAME + offset, value)
            })
            if (found !== outcome) throw new Error(`trial ${number}: ${found}, which should be ${outcome}`)
          }
        },
      },
    ],
    nameOf: address => `frame + ${address - FRAME}`,
  }
}

function outcomeOf(operation: () => string | number): string {
  try {
    return String(operation())
  } catch (error) {
    if (error instanceof PeerMisbehaviorError) return REFUSED
    throw error
  }
}
