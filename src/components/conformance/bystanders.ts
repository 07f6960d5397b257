// bystanders.ts: what stands beside a syscall and is none of its business: slots, memory, pending bits, another component.

import { ConventionSlot, Right } from "../runtime/index.ts"
import type { Kit } from "./kit.ts"

const WORDS = [0, 1, 511, 1023]
const PENDING = 0xa5n
const FORMS = [0x0101_0101, 0x7fff_ffff, 0xffff_ffff, 3]

export class Bystanders {
  readonly frame: number
  readonly notification: number
  /** Derived from the frame, with read only. */
  readonly reader: number
  readonly #kit: Kit
  readonly #address: number
  readonly #readAddress: number
  readonly #private: number
  readonly #attached: string

  constructor(kit: Kit) {
    this.#kit = kit
    this.frame = kit.frame()
    this.reader = kit.derive(this.frame, Right.read)
    this.notification = kit.notification()
    this.#address = kit.map(this.frame)
    this.#readAddress = kit.map(this.reader, Right.read)
    this.#private = kit.self.vspace.allocatePrivate(4 * FORMS.length, 4)
    for (const [index, form] of FORMS.entries()) {
      kit.store(this.#wordAt(index), form)
      kit.store(this.#private + 4 * index, form)
    }
    kit.self.notification(this.notification).signal(PENDING)
    this.#attached = this.#attachments()
  }

  /** @throws {Error} something is not as it was */
  ensureUndisturbed(after: string): void {
    const kit = this.#kit
    for (const [index, form] of FORMS.entries()) {
      kit.equal(`word ${index} of the bystanders' frame after ${after}`, kit.load(this.#wordAt(index)), form)
      kit.equal(`word ${index} of private memory after ${after}`, kit.load(this.#private + 4 * index), form)
    }
    kit.equal(`first word of the read-only mapping after ${after}`, kit.load(this.#readAddress), FORMS[0])
    kit.equal(`write to the read-only mapping after ${after}`, kit.store(this.#readAddress, 1), "PageFault")
    kit.equal(`rights of the frame's capability after ${after}`, kit.rightsOf(this.frame), 7)
    kit.equal(`rights of the derived capability after ${after}`, kit.rightsOf(this.reader), Right.read)
    const own = [ConventionSlot.ownTcb, ConventionSlot.ownCNode, ConventionSlot.ownVSpace, ConventionSlot.untyped]
    kit.equal(`own slots after ${after}`, kit.picture(own), "oooo")
    kit.equal(`mappings after ${after}`, this.#attachments(), this.#attached)
    const notification = kit.self.notification(this.notification)
    kit.equal(`pending bits after ${after}`, notification.poll(), PENDING)
    notification.signal(PENDING)
  }

  remove(): void {
    this.#kit.delete(this.reader, this.frame, this.notification)
  }

  #wordAt(index: number): number {
    return this.#address + 4 * (WORDS[index] as number)
  }

  #attachments(): string {
    return JSON.stringify(
      [this.frame, this.reader].map(slot => this.#kit.call("object_attach", { slot, role: 0 })),
      (_key, value) => (typeof value === "bigint" ? String(value) : value),
    )
  }
}
