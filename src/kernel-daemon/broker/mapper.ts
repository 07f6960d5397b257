// mapper.ts: the daemon's end of one component's mapper thread, which changes the component's page tables on command.

import { type Fd, native } from "../../../native/index.ts"

/** Called once: with nothing when the page tables are changed, else with why not. */
export type MapperDone = (refused?: Error) => void

interface Pending {
  readonly done: MapperDone
  readonly timer: NodeJS.Timeout
}

export class Mapper {
  readonly #fd: Fd
  readonly #unwatch: () => void
  readonly #pending = new Map<number, Pending>()
  readonly #onMisbehaviour: (reason: string) => void
  #nextCallId = 1

  /** Owns `fd` from now on. `onMisbehaviour` is called when the component answers nonsense or not in time. */
  constructor(fd: Fd, onMisbehaviour: (reason: string) => void) {
    this.#fd = fd
    this.#onMisbehaviour = onMisbehaviour
    this.#unwatch = native.watchReadable(fd, () => this.#receive())
  }

  /** `permissions` 0 unmaps, and then `memory` is -1. */
  command(address: number, bytes: number, permissions: number, memory: Fd, deadlineMs: number, done: MapperDone): void {
    const callId = this.#nextCallId++
    let sent = false
    try {
      sent = native.sendMapperCommand(this.#fd, callId, address, bytes, permissions, memory)
    } catch (error) {
      done(error as Error)
      return
    }
    if (!sent) {
      done(new Error("Mapper does not read its commands"))
      this.#onMisbehaviour("its mapper does not read its commands")
      return
    }
    const timer = setTimeout(
      () => this.#onMisbehaviour(`its mapper has not answered within ${deadlineMs} ms`),
      deadlineMs,
    )
    this.#pending.set(callId, { done, timer })
  }

  /** Closes the socket and refuses whatever was under way. */
  close(): void {
    this.#unwatch()
    native.closeFd(this.#fd)
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { done, timer } of pending) {
      clearTimeout(timer)
      done(new Error("Component ended"))
    }
  }

  #receive(): void {
    for (;;) {
      const reply = native.receiveMapperReply(this.#fd)
      if (reply === undefined) return
      const pending = reply === null ? undefined : this.#pending.get(reply.callId)
      if (reply === null || pending === undefined) {
        // Gone, or an answer to nothing we asked: either way no further answer can be believed.
        this.#unwatch()
        if (reply !== null) this.#onMisbehaviour("its mapper answered a command that was not sent")
        return
      }
      this.#pending.delete(reply.callId)
      clearTimeout(pending.timer)
      pending.done(reply.errno === 0 ? undefined : new Error(`mmap refused, errno ${reply.errno}`))
    }
  }
}
