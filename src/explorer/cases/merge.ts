// merge.ts: two producers, each with a ring, and one consumer that merges them.

import { RING_WRITE_INDEX } from "../../ring/layout.ts"
import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { MergeConsumer } from "../../ring/shapes/merge-consumer.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { Case } from "../explore.ts"
import { watch } from "../process.ts"
import { SHARED_START } from "../shared-space.ts"
import { type How, LOOKS_FIRST, waitBy } from "./how.ts"
import { ABOUT_TO_WRAP, nameInRing } from "./ring.ts"

export interface MergeCase {
  readonly form: RingForm
  readonly capacity: number
  /** How many each producer sends. */
  readonly messages: readonly [number, number]
  /** By default 1. */
  readonly budget?: number
  /** A ring delivers at most `budget` messages in a row while the other holds one. In index form, whose index is atomic. */
  readonly fair?: boolean
  /** How the consumer waits: by default it blocks; "looking" never sleeps. */
  readonly how?: How | "looking"
  /** Whoever waits looks for a while before it sleeps. */
  readonly looksFirst?: boolean
}

/** Where bells hang; no memory. */
const BELL = 64

export function mergeCase({ form, capacity, messages, budget = 1, ...use }: MergeCase): Case {
  const { fair = false, how = "blocking", looksFirst = false } = use
  const wait = looksFirst ? LOOKS_FIRST : {}
  const geometry = { capacity, slotBytes: 8, form }
  const bytes = bytesNeeded(geometry)
  const ring = (producer: number): number => SHARED_START + producer * bytes
  const payload = (producer: number, number: number): Uint8Array => Uint8Array.of(number, producer, 0, 0, 0, 0, 0, 0xa0)
  const total = messages[0] + messages[1]
  const producer = (which: number): Case["programs"][number] => ({
    name: `producer ${which + 1}`,
    bells: [{ address: BELL, peers: which }],
    attach: (vspace, begin) => {
      const end = SharedRing.producer(vspace, ring(which), bytes, { bell: BELL, wait })
      return () => {
        for (let number = 1; number <= (messages[which] as number); number++) {
          begin(`push ${number}`)
          const outcome = end.push(payload(which, number))
          if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
        }
      }
    },
  })
  const indexWords = (taken: readonly number[]): number[] =>
    taken.flatMap((count, which) => [ring(which) + RING_WRITE_INDEX, (ABOUT_TO_WRAP + count) >>> 0])
  const look = (consumer: MergeConsumer, taken: readonly number[]): Uint8Array | string => {
    watch(...indexWords(taken))
    return consumer.tryPop() ?? "nothing"
  }
  const nameIn = producerPartBytes(geometry)
  return {
    name: `merge, ${form} form, capacity ${capacity}, ${messages.join(" and ")} messages, budget ${budget}${fair ? ", in turn" : ""}, ${how}${looksFirst ? ", looking first" : ""}`,
    create: {
      name: "creator",
      attach: vspace => () => {
        for (const which of [0, 1])
          SharedRing.create(vspace, ring(which), bytes, { ...geometry, initialIndex: ABOUT_TO_WRAP })
      },
    },
    programs: [
      producer(0),
      producer(1),
      {
        name: "consumer",
        bells: [0, 1].map(own => ({ address: BELL + own, own })),
        attach: (vspace, begin) => {
          const sources = [0, 1].map(which => ({ frames: { address: ring(which), bytes }, bell: BELL + which }))
          const consumer = new MergeConsumer(vspace, sources, { budget, wait })
          return () => {
            const taken = [0, 0]
            const overtaken = [0, 0]
            for (let time = 1; time <= total; time++) {
              begin(`pop ${time}`)
              const words = fair ? indexWords(taken) : []
              const waiting = words.flatMap((word, at) =>
                at % 2 === 0 && vspace.loadWord(word) !== words[at + 1] ? [at / 2] : [],
              )
              const got = how === "looking" ? look(consumer, taken) : pop(consumer, how)
              const from = consumer.source
              const number = (taken[from] ?? 0) + 1
              const wanted = payload(from, number)
              if (typeof got === "string" || wanted.some((byte, at) => got[at] !== byte))
                throw new Error(
                  `pop ${time} returned ${got} of producer ${from + 1}, and should have returned ${wanted}`,
                )
              taken[from] = number
              for (const which of [0, 1]) {
                const count = waiting.includes(which) && from !== which ? (overtaken[which] ?? 0) + 1 : 0
                overtaken[which] = count
                if (count > budget)
                  throw new Error(`producer ${which + 1} was overtaken ${count} times, by a budget of ${budget}`)
              }
            }
          }
        },
      },
    ],
    nameOf: address => {
      const which = address < ring(1) ? 0 : 1
      return `${nameInRing(address - ring(which), nameIn)} of ring ${which + 1}`
    },
  }
}

function pop(consumer: MergeConsumer, how: How): Uint8Array | string {
  return waitBy(
    how,
    () => consumer.pop(),
    options => consumer.pop(options),
  )
}
