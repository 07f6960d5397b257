// bystanders.ts: a pair that exchanges messages all the time, and whether something keeps it, or the kernel, from its work.

import { BystanderRole, BystanderSlot, Progress } from "../../protocols/attacks.ts"
import { type Child, type Component, PAGE_BYTES, Permission, Right } from "../runtime/index.ts"

const READ_WRITE = Permission.read | Permission.write
/** Items that must come after an attack, and how long they may take on a busy machine. */
const ITEMS_AFTER = 5
const PATIENCE_MS = 5_000
const word = new Int32Array(new SharedArrayBuffer(4))

export interface Look {
  readonly items: number
  readonly wrong: number
  readonly longestMs: number
}

export class Bystanders {
  /** A slot of ours, and the pid of a bystander: nothing that an attacker has a capability to. */
  readonly slot: number
  readonly pid: number
  readonly #self: Component
  readonly #address: number
  readonly #producer: Child
  /** Of a frame that the producer can be given and that can be revoked from it. */
  readonly #spare: number

  private constructor(self: Component, progress: number, spare: number, address: number, producer: Child) {
    this.#self = self
    this.slot = progress
    this.pid = producer.pid
    this.#address = address
    this.#producer = producer
    this.#spare = spare
  }

  /** Returns when the first items have come. */
  static start(self: Component): Bystanders {
    const channel = self.createChannel({ capacity: 8, slotBytes: 64 })
    const [progress, spare] = [0, 1].map(() => self.call("memory_allocate", { bytes: PAGE_BYTES }).slot) as [
      number,
      number,
    ]
    const { address } = self.call("memory_map", { frame: progress, bytes: PAGE_BYTES, permissions: Permission.read })
    const spawn = (role: keyof typeof BystanderRole): Child => {
      const child = self.spawnWithCaps({
        componentName: "attack-bystander",
        capabilities: [
          ...channel[role](BystanderSlot.channel),
          [BystanderSlot.progress, { slot: progress, rights: Right.read | Right.write }],
        ],
        arguments: [BystanderRole[role]],
      })
      channel.mapInto(child, role)
      self.call("memory_map_into", { frame: progress, bytes: PAGE_BYTES, permissions: READ_WRITE, pid: child.pid })
      return child
    }
    const [producer, consumer] = [spawn("producer"), spawn("consumer")]
    for (const child of [producer, consumer]) child.start()
    const bystanders = new Bystanders(self, progress, spare, address, producer)
    const stopped = bystanders.#waitForItems(0)
    if (stopped !== "") throw new Error(stopped)
    return bystanders
  }

  look(): Look {
    const load = (offset: number): number => this.#self.vspace.loadWord(this.#address + offset)
    return { items: load(Progress.items), wrong: load(Progress.wrong), longestMs: load(Progress.longestMs) }
  }

  /** What is amiss since `before`, empty when nothing: with the items, or with what the kernel does for others. */
  disturbance(before: Look): string {
    const { wrong } = this.look()
    if (wrong > before.wrong) return `${wrong - before.wrong} items were wrong`
    try {
      this.#mapAndRevoke()
    } catch (error) {
      return `the kernel refused others: ${(error as Error).message}`
    }
    return this.#waitForItems(this.look().items)
  }

  /** A revoke is proved by a look at the bystander, who would be killed if it could not be looked at. */
  #mapAndRevoke(): void {
    const { ownCNode: cnode } = this.#self
    const target = this.#self.call("cap_allocate", {}).slot
    this.#self.call("cap_derive", { cnode, source: this.#spare, target, rights: Right.read })
    const map = { frame: target, bytes: PAGE_BYTES, permissions: Permission.read, pid: this.#producer.pid }
    this.#self.call("memory_map_into", map)
    this.#self.call("cap_revoke", { cnode, slot: this.#spare })
  }

  #waitForItems(since: number): string {
    for (let ms = 0; ms < PATIENCE_MS; ms++) {
      if (this.look().items >= since + ITEMS_AFTER) return ""
      Atomics.wait(word, 0, 0, 1)
    }
    return `no items came within ${PATIENCE_MS} ms`
  }
}
