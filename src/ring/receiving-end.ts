// receiving-end.ts: what the consumers of slots and of records offer alike.

import type { Readable } from "node:stream"
import { AttachedEnd } from "./attached-end.ts"
import { Messages } from "./loop/iterate.ts"
import type { LoopWaitOptions } from "./loop/loop-waiting.ts"
import { messageStreamOf, messagesOf } from "./loop/streams.ts"
import type { Interruption } from "./wait.ts"

/** What a consumer has done since it attached. */
export interface ConsumerStats {
  /** Messages. */
  readonly popped: number
  /** Operations that found the ring empty; a wait counts once. */
  readonly empty: number
  readonly sleeps: number
  /** Wake-ups of the producer: a system call each. */
  readonly wakes: number
}

export abstract class ReceivingEnd extends AttachedEnd {
  abstract pop(options: LoopWaitOptions): Promise<Uint8Array | Interruption>

  /**
   * All messages from now on, each valid until the next is asked for. Ends when nothing more will come; `interruption()`
   * says why. Leaving the loop early takes nothing that was not yielded.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    return new Messages(
      () => this.pop({}),
      () => this.cancel(),
    )
  }

  /** A Node stream of messages (loop/streams.ts). */
  readable(highWaterMark?: number): Readable {
    return messagesOf(this, highWaterMark)
  }

  /** A Web stream of messages (loop/streams.ts). */
  readableStream(highWaterMark?: number): ReadableStream<Uint8Array> {
    return messageStreamOf(this, highWaterMark)
  }

  /**
   * Tells the producer at once of all that was read. Otherwise it is told by quarters of the ring, and when the ring is found
   * empty: call this before you wait for something else that depends on the producer.
   * @throws {PageFault} the frame is not mapped here any more
   */
  giveBack(): void {
    try {
      this.isDone(this.hot.giveBack(this.state))
    } catch (error) {
      throw this.vspace.faultOf(error)
    }
  }

  /** Counts since this end attached; they stay after `close`. */
  stats(): ConsumerStats {
    const { sleeps, wakes } = this.end
    return { popped: this.popped, empty: this.misses, sleeps, wakes }
  }

  /** Messages taken since it attached. */
  protected abstract readonly popped: number
}
