// leaving.ts: merges whose ends come and go: a producer closes and another takes its lane while the consumer sleeps; and one
// consumer takes over from another. Here the second attaching is explored too.

import { native } from "../../../native/index.ts"
import { bytesNeeded, producerPartBytes } from "../../ring/ring-header.ts"
import { MergeConsumer } from "../../ring/shapes/merge-consumer.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Case } from "../explore.ts"
import type { Program } from "../process.ts"
import { SHARED_START } from "../shared-space.ts"
import { type How, waitBy } from "./how.ts"
import { ABOUT_TO_WRAP, nameInRing } from "./ring.ts"

/** What there is of a second producer: nobody has attached to its lane; it has closed; or it sends a message and stays. */
export type Other = "a lane nobody takes" | "a closed lane" | "a lane of 1 message"

type Begin = (operation: string) => void

/** Where bells hang; no memory. */
const BELL = 64
const GEOMETRY = { capacity: 1, slotBytes: 8, form: "index" } as const
const BYTES = bytesNeeded(GEOMETRY)
const LANES = [0, 1] as const
/** A word of the cases' own, behind the rings. */
const ATTACHED = SHARED_START + LANES.length * BYTES

const ring = (lane: number): number => SHARED_START + lane * BYTES
const payload = (lane: number, number: number): Uint8Array => Uint8Array.of(number, lane, 0, 0, 0, 0, 0, 0xa0)
const attachProducer = (vspace: VSpace, lane: number) => SharedRing.producer(vspace, ring(lane), BYTES, { bell: BELL })

/** Two producers after one another in the first lane, of `first` messages and of 1; both close. */
export function producersLeaveCase(first: 0 | 1, other: Other, how: How): Case {
  const leaving: Program = {
    name: "producer 1",
    bells: [{ address: BELL, peers: 0 }],
    attach: (vspace, begin) => {
      const leaver = attachProducer(vspace, 0)
      return () => {
        if (first === 1) push(leaver, 0, 1, begin)
        begin("close")
        leaver.close()
        // One operation: that a lane is taken again wakes nobody, and need not before there is a message.
        begin("attach, push")
        const second = attachProducer(vspace, 0)
        if (other === "a closed lane") {
          vspace.storeWord(ATTACHED, 1)
          native.futexWake(ATTACHED, 1)
        }
        push(second, 0, first + 1)
        begin("close")
        second.close()
      }
    },
  }
  return caseOf(
    `${other} beside one of 2 producers after one another, of ${first} and 1 messages, ${how}`,
    [leaving, ...(other === "a lane of 1 message" ? [producerOf(1, 1)] : [])],
    (vspace, begin) => {
      const consumer = attachConsumer(vspace)
      return () => receiveAll(consumer, first + 1, other, how, begin)
    },
    other === "a closed lane",
  )
}

/** A consumer takes one message and closes; the next one takes the other. @param messages of each producer, 2 in all */
export function mergeConsumersCase(messages: readonly [number, number]): Case {
  const senders = LANES.filter(lane => messages[lane] > 0)
  return caseOf(
    `${messages.join(" and ")} messages, a consumer for each`,
    senders.map(lane => producerOf(lane, messages[lane])),
    (vspace, begin) => {
      const first = attachConsumer(vspace)
      return () => {
        const taken = [0, 0]
        begin("pop 1")
        take(first.pop(), first.source, taken)
        begin("close")
        first.close()
        begin("attach")
        const second = attachConsumer(vspace)
        begin("pop 2")
        take(second.pop(), second.source, taken)
      }
    },
  )
}

function caseOf(name: string, producers: readonly Program[], attach: Program["attach"], isClosed = false): Case {
  return {
    name: `merge, ends that come and go, ${name}`,
    create: {
      name: "creator",
      attach: vspace => () => {
        for (const lane of LANES)
          SharedRing.create(vspace, ring(lane), BYTES, { ...GEOMETRY, initialIndex: ABOUT_TO_WRAP })
        if (isClosed) attachProducer(vspace, 1).close()
      },
    },
    programs: [...producers, { name: "consumer", bells: LANES.map(own => ({ address: BELL + own, own })), attach }],
    nameOf: address => {
      if (address === ATTACHED) return "attached again"
      const lane = address < ring(1) ? 0 : 1
      return `${nameInRing(address - ring(lane), producerPartBytes(GEOMETRY))} of ring ${lane + 1}`
    },
  }
}

/** One that stays. */
function producerOf(lane: number, messages: number): Program {
  return {
    name: `producer ${lane + 1}`,
    bells: [{ address: BELL, peers: lane }],
    attach: (vspace, begin) => {
      const end = attachProducer(vspace, lane)
      return () => {
        for (let number = 1; number <= messages; number++) push(end, lane, number, begin)
      }
    },
  }
}

function attachConsumer(vspace: VSpace): MergeConsumer {
  const sources = LANES.map(lane => ({ frames: { address: ring(lane), bytes: BYTES }, bell: BELL + lane }))
  return new MergeConsumer(vspace, sources, { budget: 1 })
}

function push(end: ReturnType<typeof attachProducer>, lane: number, number: number, begin?: Begin): void {
  begin?.(`push ${number}`)
  const outcome = end.push(payload(lane, number))
  if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
}

/** Until all messages have come and the second producer of the first lane is known to have gone: that is told once, and behind its message. */
function receiveAll(consumer: MergeConsumer, total: number, other: Other, how: How, begin: Begin): void {
  const taken = [0, 0]
  const last = other === "a lane of 1 message" ? 1 : 0
  /** How many of a lane had come when it was told that its producer has gone. */
  const goneAt = [-1, other === "a closed lane" ? -1 : last]
  for (let time = 1; goneAt[0] !== total || taken[1] !== last; time++) {
    begin(`pop ${time}`)
    const got = waitBy(
      how,
      () => consumer.pop(),
      options => consumer.pop(options),
    )
    const { source } = consumer
    if (got === "closed" && other === "a closed lane" && goneAt[1] === 0 && goneAt[0] === total - 1) {
      begin("wait")
      native.futexWait(Uint32Array.of(ATTACHED, 0), 1, Number.POSITIVE_INFINITY)
    } else if (got !== "producer-gone") take(got, source, taken)
    else if (goneAt[source] === taken[source] || (source === 1 && other !== "a closed lane"))
      throw new Error(`producer ${source + 1} has gone again`)
    else goneAt[source] = taken[source] ?? 0
  }
  if (other === "a closed lane") {
    begin("pop no more")
    const outcome = consumer.pop()
    if (outcome !== "closed") throw new Error(`with all closed a pop returned ${outcome}`)
  }
  const state = consumer.state(0)
  if (state !== "closed") throw new Error(`the producer that has closed is said to be ${state}`)
}

function take(got: Uint8Array | string, lane: number, taken: number[]): void {
  const number = (taken[lane] ?? 0) + 1
  const wanted = payload(lane, number)
  if (typeof got === "string" || wanted.some((byte, at) => got[at] !== byte))
    throw new Error(`a pop returned ${got} of producer ${lane + 1}, and should have returned ${wanted}`)
  taken[lane] = number
}
