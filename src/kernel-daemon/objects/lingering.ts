// lingering.ts: who may still show memory that was mapped for him and that no mapping in the kernel's tables tells of any
// more, because nobody looked when he was told to unmap it.

import type { Component } from "./component.ts"

export class Lingering {
  /** One that is not confined was among them: it could keep memory where nobody looks, its own death notwithstanding. */
  #forever = false
  /** Confined: a look at one proves that it let go, and so does its end. */
  readonly #confined = new Set<Component>()

  /** Cost: linear in those that are here. */
  add(component: Component): void {
    for (const other of this.#confined) if (other.state === "ended") this.#confined.delete(other)
    if (!component.confined) this.#forever = true
    else if (component.state !== "ended") this.#confined.add(component)
  }

  addAll(others: Lingering): void {
    if (others.#forever) this.#forever = true
    for (const component of others.#confined) this.add(component)
  }

  /** `component` was seen to have let go. */
  forget(component: Component): void {
    this.#confined.delete(component)
  }

  /** Those whom a look proves something of. */
  get visible(): Component[] {
    return [...this.#confined].filter(({ state }) => state !== "ended")
  }

  /** Nobody can have anything any more. */
  get isOver(): boolean {
    return !this.#forever && this.visible.length === 0
  }
}
