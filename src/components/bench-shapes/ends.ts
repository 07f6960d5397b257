// ends.ts: what the children of bench-shapes do. Messages are stamped, and who receives one checks its stamps; the shape
// carries all of it.

import { ShapesArg, type ShapesReport } from "../../protocols/bench-shapes.ts"
import { checkStamps, stamp, wordsOf } from "../../protocols/stamps.ts"
import { type Component, monotonicNs } from "../runtime/index.ts"
import { CALLS_AT_ONCE, FIRST_SLOT } from "./wiring.ts"

const PATIENCE_NS = 10e9

type Outcome = ShapesReport | undefined

/** By Shape. Who reports nothing has only helped. */
export const senders: readonly ((self: Component) => Outcome)[] = [
  self => send(self, self.producer(FIRST_SLOT)),
  self => send(self, self.broadcastProducer(FIRST_SLOT, 2)),
  self => send(self, self.broadcastProducer(FIRST_SLOT, 1)),
  self => {
    self.serviceServer(FIRST_SLOT, 1).serve(payload => payload)
    return undefined
  },
]

export const receivers: readonly ((self: Component) => Outcome)[] = [receiveMerged, receiveAll, receiveLeft, callServer]

function send(
  self: Component,
  producer: { staging: Uint8Array; push(message: undefined, ns: number): string },
): Outcome {
  const messages = self.argument(ShapesArg.messages)
  const words = wordsOf(producer.staging)
  for (let sequence = 0; sequence < messages; sequence++) {
    stamp(words, sequence)
    const outcome = producer.push(undefined, PATIENCE_NS)
    if (outcome !== "pushed") throw new Error(`Message ${sequence}: ${outcome}`)
  }
  return undefined
}

/** The rate and the shares while both send. */
function receiveMerged(self: Component): Outcome {
  const merge = self.mergeConsumer(FIRST_SLOT, 2)
  const messages = self.argument(ShapesArg.messages)
  const next = [0, 0]
  const views = new Map<Uint8Array, Float64Array>()
  const take = (): number => {
    let message = merge.pop(PATIENCE_NS)
    // Who has sent all goes first.
    while (message === "producer-gone") message = merge.pop(PATIENCE_NS)
    if (typeof message === "string") throw new Error(`After ${next.join(" and ")}: ${message}`)
    const words = views.get(message) ?? wordsOf(message)
    views.set(message, words)
    const sequence = next[merge.source] as number
    checkStamps(words, sequence)
    next[merge.source] = sequence + 1
    return sequence + 1
  }
  // Both have begun.
  while (next.includes(0)) take()
  const [begun, before] = [monotonicNs(), [...next]]
  while (take() < messages);
  const seconds = (monotonicNs() - begun) / 1e9
  const shares = next.map((count, producer) => count - (before[producer] as number))
  while (next.some(count => count < messages)) take()
  const sum = shares.reduce((total, share) => total + share, 0)
  return { perSecond: sum / seconds, shareRatio: Math.max(...shares) / Math.min(...shares), lostPart: null }
}

function receiveAll(self: Component): Outcome {
  const consumer = self.broadcastConsumer(FIRST_SLOT)
  const messages = self.argument(ShapesArg.messages)
  const words = wordsOf(consumer.staging)
  let begun = 0
  for (let sequence = 0; sequence < messages; sequence++) {
    const message = consumer.pop(PATIENCE_NS)
    if (typeof message === "string") throw new Error(`Message ${sequence}: ${message}`)
    if (sequence === 0) begun = monotonicNs()
    checkStamps(words, sequence)
  }
  return { perSecond: ((messages - 1) * 1e9) / (monotonicNs() - begun), shareRatio: null, lostPart: null }
}

/** What is left of an overtaken stream: each message whole, each gap counted. */
function receiveLeft(self: Component): Outcome {
  const consumer = self.broadcastConsumer(FIRST_SLOT)
  const messages = self.argument(ShapesArg.messages)
  const words = wordsOf(consumer.staging)
  let received = 0
  let begun = 0
  for (let sequence = -1; sequence < messages - 1; received++) {
    const message = consumer.pop(PATIENCE_NS)
    if (typeof message === "string") throw new Error(`After ${sequence}: ${message}`)
    if (begun === 0) begun = monotonicNs()
    sequence = words[0] as number
    checkStamps(words, sequence)
    if (received + consumer.lost !== sequence) throw new Error(`Message ${sequence}: ${received} and ${consumer.lost}`)
  }
  const perSecond = (received * 1e9) / (monotonicNs() - begun)
  return { perSecond, shareRatio: null, lostPart: consumer.lost / messages }
}

/** Calls several at a time; a reply is its request. */
function callServer(self: Component): Outcome {
  const client = self.serviceClient(FIRST_SLOT, CALLS_AT_ONCE)
  const messages = self.argument(ShapesArg.messages)
  const payload = new Uint8Array(self.argument(ShapesArg.bytes))
  const words = wordsOf(payload)
  const begun = monotonicNs()
  for (let sequence = 0; sequence < messages; sequence++) {
    stamp(words, sequence)
    const reply = client.call(payload, { timeoutNs: PATIENCE_NS })
    if (typeof reply === "string") throw new Error(`Call ${sequence}: ${reply}`)
    checkStamps(wordsOf(reply), sequence)
  }
  return { perSecond: (messages * 1e9) / (monotonicNs() - begun), shareRatio: null, lostPart: null }
}
