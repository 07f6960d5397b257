// iterate.ts: what comes, a consumer's messages or a notification's bits, as an async iterator.

/**
 * Yields what `pop` resolves with until that is an interruption. A message is valid until the next one is asked for.
 * Cost: of a message that is there already, a few promises: about 0.3 us.
 */
export class Messages<T extends object | bigint> implements AsyncIterableIterator<T> {
  readonly #pop: () => Promise<T | string>
  readonly #cancel: () => void
  #isDone = false

  /** @param cancel ends a pop that is pending with an interruption */
  constructor(pop: () => Promise<T | string>, cancel: () => void) {
    this.#pop = pop
    this.#cancel = cancel
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#isDone) return Promise.resolve({ done: true, value: undefined })
    return this.#pop().then(message => {
      // Taken before the loop was left: it is his who asked, or nobody would get it.
      if (typeof message !== "string") return { done: false, value: message }
      this.#isDone = true
      return { done: true, value: undefined }
    })
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#isDone = true
    this.#cancel()
    return Promise.resolve({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
