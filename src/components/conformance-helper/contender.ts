// contender.ts: those who compete for a semaphore or meet in a monitor. All they have is two notifications and a frame.

import { HelperArg, HelperSlot, Request, requestBits, SharedWord } from "../../protocols/conformance.ts"
import { type Component, monotonicNs, type Notification } from "../runtime/index.ts"

const GRANT_TIMEOUT_NS = 10e9
const COMPANY_TIMEOUT_NS = 2e9

/** One component's side of the monitor that the case keeps (conformance/monitor.ts). */
class Contender {
  readonly #self: Component
  readonly #requests: Notification
  readonly #grants: Notification
  readonly #number: number
  readonly #address: number

  constructor(self: Component) {
    this.#self = self
    this.#address = self.frame(HelperSlot.frame).address
    this.#requests = self.notification(HelperSlot.requests)
    this.#grants = self.notification(HelperSlot.grants)
    this.#number = self.argument(HelperArg.number)
  }

  enter(): void {
    this.#ask(Request.enter)
    this.#granted()
  }

  leave(): void {
    this.#ask(Request.leave)
  }

  notifyOne(): void {
    this.#ask(Request.notifyOne)
  }

  /** Leaves, and is inside again when it returns. */
  await(): void {
    this.#ask(Request.await)
    this.#granted()
  }

  load(index: number): number {
    return this.#self.vspace.loadWord(this.#addressOf(index))
  }

  /** Two contenders at once would lose one of two stores: whoever is let in alone may use this. */
  store(index: number, value: number): void {
    this.#self.vspace.storeWord(this.#addressOf(index), value)
  }

  /** Adds to a word that others change at the same time. Returns the sum. */
  add(index: number, amount: number): number {
    for (;;) {
      const before = this.load(index)
      const sum = (before + amount) >>> 0
      if (this.#self.vspace.compareExchangeWord(this.#addressOf(index), before, sum) === before) return sum
    }
  }

  #addressOf(index: number): number {
    return this.#address + 4 * index
  }

  #ask(request: bigint): void {
    this.#requests.signal(requestBits(this.#number, request))
  }

  #granted(): void {
    const outcome = this.#grants.wait(GRANT_TIMEOUT_NS)
    if (typeof outcome === "string") throw new Error(`Contender ${this.#number} was not let in: ${outcome}`)
  }
}

/** Enters and leaves, and notes how many were inside together. In the first round it waits for as many as there may be. */
export function contend(self: Component): void {
  const contender = new Contender(self)
  const wanted = contender.load(SharedWord.wanted)
  const until = monotonicNs() + COMPANY_TIMEOUT_NS
  for (let round = 0; round < self.argument(HelperArg.rounds); round++) {
    contender.enter()
    const sum = contender.load(SharedWord.sum)
    const inside = contender.add(SharedWord.inside, 1)
    if (inside > contender.load(SharedWord.most)) contender.store(SharedWord.most, inside)
    while (round === 0 && contender.load(SharedWord.most) < wanted && monotonicNs() < until) self.call("yield", {})
    contender.store(SharedWord.sum, sum + 1)
    contender.add(SharedWord.inside, -1)
    contender.leave()
  }
}

/** Puts 1, 2, 3 and so on into a place for one item. */
export function produceItems(self: Component): void {
  const contender = new Contender(self)
  for (let item = 1; item <= self.argument(HelperArg.rounds); item++) {
    contender.enter()
    while (contender.load(SharedWord.full) === 1) contender.await()
    contender.store(SharedWord.item, item)
    contender.store(SharedWord.full, 1)
    contender.notifyOne()
    contender.leave()
  }
}

/** Takes them out, and checks that each comes once and in order. */
export function consumeItems(self: Component): void {
  const contender = new Contender(self)
  for (let item = 1; item <= self.argument(HelperArg.rounds); item++) {
    contender.enter()
    while (contender.load(SharedWord.full) === 0) contender.await()
    const taken = contender.load(SharedWord.item)
    if (taken !== item) throw new Error(`The consumer got item ${taken}, expected ${item}`)
    contender.store(SharedWord.full, 0)
    contender.store(SharedWord.sum, item)
    contender.notifyOne()
    contender.leave()
  }
}

/** Waits inside the monitor until the gate is open, and counts each time that it is woken. */
export function awaitGate(self: Component): void {
  const contender = new Contender(self)
  contender.enter()
  while (contender.load(SharedWord.gate) === 0) {
    contender.await()
    contender.store(SharedWord.wakings, contender.load(SharedWord.wakings) + 1)
  }
  contender.leave()
}
