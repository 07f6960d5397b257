// closeable.ts: what every end offers to whoever holds it, whatever its shape: `using`, and not to keep a process alive.

/** Whose waits on the event loop keep the process alive, or do not. */
export interface LoopWaits {
  ref(): unknown
  unref(): unknown
}

export abstract class Closeable {
  /** Those of this end. */
  protected abstract readonly waits: LoopWaits

  abstract close(): void

  /** A pending wait on the event loop keeps the process alive: after `unref` no longer, after `ref` again. */
  ref(): this {
    this.waits.ref()
    return this
  }

  unref(): this {
    this.waits.unref()
    return this
  }

  [Symbol.dispose](): void {
    this.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}
