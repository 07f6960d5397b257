// main.ts: bench-scale-node: sends a batch on each of its channels, receives one on each, and checks every word.

import {
  SCALE_BATCH,
  SCALE_LINE_WORDS,
  SCALE_STEPS,
  ScaleNodeArg,
  ScaleSlot,
  ScaleWord,
} from "../../protocols/bench-scale.ts"
import { component, monotonicNs, type RingConsumer, type RingProducer } from "../runtime/index.ts"

/** Rounds before anything is measured: all are up then, and run optimised code, which takes each of them that many messages. */
const WARM_UP_ROUNDS = 100
const MESSAGE_TIMEOUT_NS = 60e9

component(self => {
  const number = self.argument(ScaleNodeArg.number)
  const count = self.argument(ScaleNodeArg.components)
  const line = self.frame(ScaleSlot.board).address / 8 + number * SCALE_LINE_WORDS
  const say = (word: number, value: number): void => {
    self.vspace.f64[line + word] = value
  }
  // Who spins takes the processor from all the others.
  const out = ScaleSlot.out.map(slot => self.producer(slot, { spinNs: 0 }))
  const into = ScaleSlot.in.map(slot => self.consumer(slot, { spinNs: 0 }))
  const senders = SCALE_STEPS.map(step => (number - step + count) % count)
  const play = (round: number): void => {
    for (const [channel, ring] of out.entries()) send(ring, number, channel, round)
    for (const [channel, ring] of into.entries()) receive(ring, senders[channel] as number, channel, round)
  }
  for (let round = 0; round < WARM_UP_ROUNDS; round++) play(round)
  say(ScaleWord.begunNs, monotonicNs())
  const last = WARM_UP_ROUNDS + self.argument(ScaleNodeArg.rounds)
  for (let round = WARM_UP_ROUNDS; round < last; round++) play(round)
  say(ScaleWord.endedNs, monotonicNs())
  say(ScaleWord.checked, into.length * SCALE_BATCH * (last - WARM_UP_ROUNDS))
  say(ScaleWord.done, 1)
  // Whoever is a round behind still has to read what we sent: the end of a peer does not take that away.
})

/** Word 0 tells sender, channel, round and place, and so differs among all messages; the others follow from it. */
function stampOf(sender: number, channel: number, round: number, place: number): number {
  return ((round * SCALE_BATCH + place) * SCALE_STEPS.length + channel) * 1_024 + sender
}

function send(ring: RingProducer, sender: number, channel: number, round: number): void {
  const words = wordsOf(ring)
  for (let place = 0; place < SCALE_BATCH; place++) {
    const stamp = stampOf(sender, channel, round, place)
    for (let word = 0; word < words.length; word++) words[word] = stamp + word
    const outcome = ring.push(undefined, MESSAGE_TIMEOUT_NS)
    if (outcome !== "pushed") throw new Error(`Round ${round}, channel ${channel}: ${outcome} while pushing`)
  }
}

function receive(ring: RingConsumer, sender: number, channel: number, round: number): void {
  const words = wordsOf(ring)
  for (let place = 0; place < SCALE_BATCH; place++) {
    const message = ring.pop(MESSAGE_TIMEOUT_NS)
    if (typeof message === "string") throw new Error(`Round ${round}, channel ${channel}: ${message} while waiting`)
    const stamp = stampOf(sender, channel, round, place)
    for (let word = 0; word < words.length; word++) {
      if (words[word] !== stamp + word)
        throw new Error(`Round ${round}, channel ${channel}, word ${word}: ${words[word]}`)
    }
  }
}

const views = new WeakMap<object, Float64Array>()

function wordsOf(ring: RingProducer | RingConsumer): Float64Array {
  let words = views.get(ring)
  if (words === undefined) {
    const { buffer, byteOffset, length } = ring.staging
    words = new Float64Array(buffer, byteOffset, length / 8)
    views.set(ring, words)
  }
  return words
}
