// recent-events.ts: what happened last, for whoever has to explain why nothing happens any more.

import { syscallName } from "../abi/syscalls.ts"
import type { ComponentId } from "../invocation/effects.ts"

const MOST = 16

interface Event {
  readonly atMs: number
  readonly component: ComponentId
  /** A syscall's number, or what it was in words. */
  readonly what: number | string
}

export class RecentEvents {
  readonly #events: Event[] = []
  #next = 0

  /** Cost: one small object, on the way of every syscall. */
  note(component: ComponentId, what: number | string): void {
    this.#events[this.#next] = { atMs: performance.now(), component, what }
    this.#next = (this.#next + 1) % MOST
  }

  /** The oldest first, a line each. */
  describe(nameOf: (component: ComponentId) => string): string[] {
    const now = performance.now()
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)].map(
      ({ atMs, component, what }) => {
        const did = typeof what === "number" ? `called ${syscallName(what) ?? `syscall ${what}`}` : what
        return `${((now - atMs) / 1000).toFixed(1)} s ago component ${component} "${nameOf(component)}" ${did}`
      },
    )
  }
}
