// main.ts: one of two who exchange numbered messages over a ring, about one a millisecond, until they are ended.

import { BystanderRole, BystanderSlot, Progress } from "../../protocols/attacks.ts"
import { type Component, component, monotonicNs } from "../runtime/index.ts"

const PATIENCE_NS = 10e9
const word = new Int32Array(new SharedArrayBuffer(4))

component(self => {
  if (self.argument(0) === BystanderRole.producer) produce(self)
  else consume(self)
})

function produce(self: Component): void {
  const ring = self.producer(BystanderSlot.channel)
  const message = new Uint32Array(1)
  const bytes = new Uint8Array(message.buffer)
  for (let number = 1; ; number++) {
    message[0] = number
    const outcome = ring.push(bytes, PATIENCE_NS)
    if (outcome !== "pushed") throw new Error(`item ${number}: ${outcome}`)
    Atomics.wait(word, 0, 0, 1)
  }
}

function consume(self: Component): void {
  const ring = self.consumer(BystanderSlot.channel)
  const { address } = self.frame(BystanderSlot.progress)
  const count = (offset: number, value: number): void => self.vspace.storeWord(address + offset, value)
  let wrong = 0
  let longestMs = 0
  for (let number = 1; ; number++) {
    const begun = monotonicNs()
    const message = ring.pop(PATIENCE_NS)
    if (typeof message === "string") throw new Error(`item ${number}: ${message}`)
    if (new DataView(message.slice().buffer).getUint32(0, true) !== number) count(Progress.wrong, ++wrong)
    longestMs = Math.max(longestMs, Math.round((monotonicNs() - begun) / 1e6))
    count(Progress.longestMs, longestMs)
    count(Progress.items, number)
  }
}
