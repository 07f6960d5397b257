// words.ts: words that a peer may leave behind, at both sides of each bound: what is possible is taken, what is not is refused. One
// process alone, which plays the peer too; what such words do while others are at work is hostile.ts's to show.

import { PeerMisbehaviorError } from "../../ring/errors.ts"
import { RECORD_PADDING, RING_MAGIC_WORD, RING_READ_INDEX, RING_SLOTS, RING_WRITE_INDEX } from "../../ring/layout.ts"
import { RecordRing } from "../../ring/record-ring.ts"
import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Case } from "../explore.ts"
import { SHARED_START as FRAME } from "../instrument.ts"

const CAPACITY = 2
const RECORD_CAPACITY = 64
const START = 0xffff_fff8
const REFUSED = "refused"

/** Stores the words, by their offset in the ring, between attaching and what is tried. */
interface Trial {
  readonly words: readonly (readonly [offset: number, value: number])[]
  /** What comes of it: how many bytes are popped, "pushed", "empty" or "full"; or REFUSED. */
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
const RECORDS: readonly Trial[] = [
  { words: [[AT_END, RECORD_PADDING | REST], [RING_SLOTS, 1], writeIndex(REST + 16)], outcome: "1" },
  { words: [[AT_END, RECORD_PADDING | REST], [RING_SLOTS, 24], writeIndex(REST + 32)], outcome: "24" },
  { words: [[AT_END, RECORD_PADDING | REST], [RING_SLOTS, 25], writeIndex(REST + 40)], outcome: REFUSED },
  { words: [[AT_END, RECORD_PADDING | REST], [RING_SLOTS, 0], writeIndex(REST + 16)], outcome: REFUSED },
  { words: [[AT_END, RECORD_PADDING | REST], [RING_SLOTS, 9], writeIndex(REST + 16)], outcome: REFUSED },
  { words: [[AT_END, RECORD_PADDING | REST], [RING_SLOTS, 9], writeIndex(REST + 24)], outcome: "9" },
  { words: [[AT_END, RECORD_PADDING | REST], writeIndex(REST)], outcome: REFUSED },
  { words: [[AT_END, RECORD_PADDING | (REST + 8)], [RING_SLOTS, 1], writeIndex(REST + 24)], outcome: REFUSED },
  // It would run over the ring's end.
  { words: [[AT_END, 1], writeIndex(REST + 16)], outcome: REFUSED },
]

export function wordsCase(form: RingForm): Case {
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
  const pushes = form === "index" ? PUSHES.map(trial => [trial, push] as const) : []
  return trialsCase(`${form} form`, create, [...POPS[form].map(trial => [trial, pop] as const), ...pushes])
}

export function recordWordsCase(): Case {
  const options = { capacityBytes: RECORD_CAPACITY, initialIndex: START }
  const bytes = RecordRing.bytesNeeded(options)
  const pop = (vspace: VSpace, poke: () => void): string => {
    const consumer = RecordRing.consumer(vspace, FRAME, bytes)
    poke()
    const outcome = outcomeOf(() => consumer.tryPop()?.length ?? "empty")
    consumer.close()
    return outcome
  }
  const create = (vspace: VSpace): void => RecordRing.create(vspace, FRAME, bytes, options)
  return trialsCase(
    "records",
    create,
    RECORDS.map(trial => [trial, pop] as const),
  )
}

type Attempt = (vspace: VSpace, poke: () => void) => string

function trialsCase(
  what: string,
  create: (vspace: VSpace) => void,
  trials: readonly (readonly [Trial, Attempt])[],
): Case {
  return {
    name: `words at their bounds, ${what}`,
    create: { name: "creator", attach: () => () => {} },
    programs: [
      {
        name: "both ends",
        attach: (vspace, begin) => () => {
          for (const [number, [{ words, outcome }, attempt]] of trials.entries()) {
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
