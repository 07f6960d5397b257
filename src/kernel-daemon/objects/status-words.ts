// status-words.ts: which words of a component's kernel page are in use, and what each of them says.

import { MAX_STATUS_WORDS } from "../abi/vspace-map.ts"

/** What a component is told about an object that it has attached. */
export type HandleStatus = "live" | "peer-gone" | "revoked"

export class StatusWords {
  readonly #said: HandleStatus[] = []
  /**
   * Freed words, the longest free first: whoever still looks at a freed word is given time to see what it said last.
   */
  readonly #freed: number[] = []

  /** False when all MAX_STATUS_WORDS are in use. */
  get available(): boolean {
    return this.#said.length < MAX_STATUS_WORDS || this.#freed.length > 0
  }

  /** A word that is not in use; there must be one. What it says may be stale. */
  allocate(): number {
    if (this.#said.length < MAX_STATUS_WORDS) return this.#said.push("live") - 1
    return this.#freed.shift() as number
  }

  free(index: number): void {
    this.#freed.push(index)
  }

  /** What a word in use says. */
  said(index: number): HandleStatus {
    return this.#said[index] ?? "live"
  }

  /** Notes what the word is made to say. False when it says so already. */
  say(index: number, status: HandleStatus): boolean {
    if (this.#said[index] === status) return false
    this.#said[index] = status
    return true
  }
}
