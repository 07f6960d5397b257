// closing.ts: ends that close, and attach, while their peer is at work. Here the attaching is explored too.

import { native } from "../../../native/index.ts"
import { bytesNeeded, producerPartBytes, type RingForm } from "../../ring/ring-header.ts"
import { SharedRing } from "../../ring/shared-ring.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { Case } from "../explore.ts"
import type { Program } from "../process.ts"
import { SHARED_START as FRAME } from "../shared-space.ts"
import { expect, nameInRing, payloadOf, ringCreator } from "./ring.ts"

type Body = (vspace: VSpace, begin: (operation: string) => void) => void
type Ends = ReturnType<typeof endsOf>

/** The producer sends its messages and closes: the consumer gets all of them, and then "closed". */
export function producerClosesCase(form: RingForm, capacity: number, messages: number): Case {
  const numbers = numbersTo(messages)
  return closingCase(`a producer that closes after ${messages}`, form, capacity, ({ producer, consumer }) => [
    (vspace, begin) => {
      const end = producer(vspace, begin)
      for (const number of numbers) push(end, number, begin)
      begin("close")
      end.close()
    },
    (vspace, begin) => {
      const end = consumer(vspace, begin)
      for (const number of numbers) pop(end, number, begin)
      begin("pop no more")
      const last = end.pop()
      if (last !== "closed") throw new Error(`the last pop returned ${last}, and should have returned "closed"`)
    },
  ])
}

/** The consumer takes 1 message and closes: what it gave back is room still, and then a push is told "closed". */
export function consumerClosesCase(form: RingForm, capacity: number): Case {
  return closingCase("a consumer that closes after 1 message", form, capacity, ({ producer, consumer }) => [
    (vspace, begin) => {
      const end = producer(vspace, begin)
      const room = capacity + 1
      for (let number = 1; number <= room; number++) push(end, number, begin)
      begin(`push ${room + 1}`)
      const last = end.push(Uint8Array.from(payloadOf(room + 1)))
      if (last !== "closed") throw new Error(`push ${room + 1} ended with ${last}, and should have ended with "closed"`)
    },
    (vspace, begin) => {
      const end = consumer(vspace, begin)
      pop(end, 1, begin)
      begin("close")
      end.close()
    },
  ])
}

/** A consumer closes after each message, and the next one takes over. The ring has room for all, so nobody is told. */
export function consumersCase(form: RingForm, messages: 2 | 4): Case {
  const numbers = numbersTo(messages)
  return closingCase(`a consumer for each of ${messages} messages`, form, messages, ({ producer, consumer }) => [
    (vspace, begin) => {
      const end = producer(vspace, begin)
      for (const number of numbers) push(end, number, begin)
    },
    (vspace, begin) => {
      for (const number of numbers) {
        const end = consumer(vspace, begin)
        pop(end, number, begin)
        begin("close")
        end.close()
      }
    },
  ])
}

/** A producer closes after a message, and the next one takes over. A consumer that was told waits for it. */
export function producersCase(form: RingForm, capacity: number): Case {
  const name = "a producer for each of 2 messages"
  return closingCase(name, form, capacity, ({ producer, consumer, attached }) => [
    (vspace, begin) => {
      const first = producer(vspace, begin)
      push(first, 1, begin)
      begin("close")
      first.close()
      const second = producer(vspace, begin)
      begin("tell")
      vspace.storeWord(attached, 1)
      native.futexWake(attached, 1)
      push(second, 2, begin)
    },
    (vspace, begin) => {
      const end = consumer(vspace, begin)
      pop(end, 1, begin)
      begin("pop 2")
      let got = end.pop()
      if (got === "closed") {
        begin("wait")
        native.futexWait(Uint32Array.of(attached, 0), 1, Number.POSITIVE_INFINITY)
        begin("pop 2")
        got = end.pop()
      }
      expect("pop 2", got, payloadOf(2))
    },
  ])
}

function closingCase(what: string, form: RingForm, capacity: number, bodies: (ends: Ends) => readonly Body[]): Case {
  const geometry = { capacity, slotBytes: 8, form }
  const attached = FRAME + bytesNeeded(geometry)
  const [producer, consumer] = bodies(endsOf(bytesNeeded(geometry), attached))
  const program = (name: string, body: Body = () => {}): Program => ({
    name,
    attach: (vspace, begin) => () => body(vspace, begin),
  })
  return {
    name: `ring, ${form} form, capacity ${capacity}, ${what}`,
    create: ringCreator(geometry),
    programs: [program("producer", producer), program("consumer", consumer)],
    nameOf: address =>
      address === attached ? "attached again" : nameInRing(address - FRAME, producerPartBytes(geometry)),
  }
}

function numbersTo(last: number): number[] {
  return Array.from({ length: last }, (_, at) => at + 1)
}

function endsOf(bytes: number, attached: number) {
  return {
    /** A word of the case's own, behind the ring. */
    attached,
    producer: (vspace: VSpace, begin: (operation: string) => void) => {
      begin("attach")
      return SharedRing.producer(vspace, FRAME, bytes)
    },
    consumer: (vspace: VSpace, begin: (operation: string) => void) => {
      begin("attach")
      return SharedRing.consumer(vspace, FRAME, bytes)
    },
  }
}

function push(end: ReturnType<Ends["producer"]>, number: number, begin: (operation: string) => void): void {
  begin(`push ${number}`)
  const outcome = end.push(Uint8Array.from(payloadOf(number)))
  if (outcome !== "pushed") throw new Error(`push ${number} ended with ${outcome}`)
}

function pop(end: ReturnType<Ends["consumer"]>, number: number, begin: (operation: string) => void): void {
  begin(`pop ${number}`)
  expect(`pop ${number}`, end.pop(), payloadOf(number))
}
