// monitor.ts: a semaphore and a monitor, made of nothing but notifications. The case waits on one, to which each contender
// has a capability with a badge of its own; and each contender waits on one of its own. So one component waits on each.

import { ALL_REQUESTS, HelperSlot, Request, requestBits, requestsOf } from "../../protocols/conformance.ts"
import { type Child, Right } from "../runtime/index.ts"
import type { Kit } from "./kit.ts"
import { endHelper, startHelper } from "./peer.ts"

const REQUEST_TIMEOUT_NS = 10e9

interface Member {
  readonly child: Child
  readonly grants: number
  readonly requests: number
}

export class Monitor {
  readonly #kit: Kit
  readonly #capacity: number
  readonly #requests: number
  readonly #frame: number
  readonly #address: number
  readonly #members: Member[] = []
  #inside = 0
  #left = 0
  /** Numbers of members that are to be let in, and of those that wait to be notified; the first come first. */
  readonly #entering: number[] = []
  readonly #awaiting: number[] = []
  /** How often somebody had to wait for being let in. */
  contention = 0

  /** @param capacity how many may be inside at once: 1 for a mutex or a monitor */
  constructor(kit: Kit, capacity: number) {
    this.#kit = kit
    this.#capacity = capacity
    this.#requests = kit.notification()
    this.#frame = kit.frame()
    this.#address = kit.map(this.#frame)
  }

  /** A word of the frame that all members share. */
  load(word: number): number {
    return this.#kit.self.vspace.loadWord(this.#address + 4 * word)
  }

  store(word: number, value: number): void {
    this.#kit.self.vspace.storeWord(this.#address + 4 * word, value)
  }

  /** How many wait to be notified. */
  get awaiting(): number {
    return this.#awaiting.length
  }

  /** How often somebody has left for good. */
  get left(): number {
    return this.#left
  }

  /** Starts a member: a helper that does `task`, `rounds` times. */
  join(task: number, rounds: number): void {
    const kit = this.#kit
    const number = this.#members.length
    const grants = kit.notification()
    const requests = kit.mint(this.#requests, requestBits(number, ALL_REQUESTS), Right.write | Right.grant)
    const gifts = [
      [HelperSlot.requests, { slot: requests, rights: Right.write }],
      [HelperSlot.grants, { slot: grants, rights: Right.read }],
    ] as const
    this.#members.push({ child: startHelper(kit, task, this.#frame, [number, rounds], gifts), grants, requests })
  }

  /** Does what members ask for, until `done`. */
  serve(done: () => boolean): void {
    while (!done()) {
      const bits = this.#kit.self.notification(this.#requests).wait(REQUEST_TIMEOUT_NS)
      if (typeof bits === "string") throw new Error(`No member asked for anything: ${bits}`)
      this.#members.forEach((_, number) => {
        this.#take(number, requestsOf(number, bits))
      })
      this.#admit()
    }
  }

  /** The one that waits longest is to go on. */
  notifyOne(): void {
    this.#entering.push(...this.#awaiting.splice(0, 1))
    this.#admit()
  }

  notifyAll(): void {
    this.#entering.push(...this.#awaiting.splice(0))
    this.#admit()
  }

  /** Waits for all members to exit, and gives back what the monitor took. */
  end(): void {
    for (const { child, grants, requests } of this.#members) {
      endHelper(this.#kit, child)
      this.#kit.delete(grants, requests)
    }
    this.#kit.delete(this.#requests, this.#frame)
  }

  /** In the order in which a member can have asked since it was last looked at. */
  #take(number: number, asked: bigint): void {
    if (asked & Request.notifyOne) this.#entering.push(...this.#awaiting.splice(0, 1))
    if (asked & Request.await) {
      this.#inside -= 1
      this.#awaiting.push(number)
    }
    if (asked & Request.leave) {
      this.#inside -= 1
      this.#left += 1
    }
    if (asked & Request.enter) this.#entering.push(number)
  }

  #admit(): void {
    while (this.#inside < this.#capacity && this.#entering.length > 0) {
      const member = this.#members[this.#entering.shift() as number] as Member
      this.#inside += 1
      this.#kit.self.notification(member.grants).signal(1n)
    }
    if (this.#entering.length > 0) this.contention += 1
  }
}
