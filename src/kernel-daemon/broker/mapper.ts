// mapper.ts: the daemon's end of one component's mapper thread, which changes the component's page tables on command.

import { getSystemErrorName } from "node:util"
import { type Fd, native } from "../../../native/index.ts"
import { KernelError } from "../abi/errors.ts"
import { isGone, RETRIES, RETRY_MS } from "./shortage.ts"

/** Called once: with nothing when the page tables are changed, else with why not. */
export type MapperDone = (refused?: Error) => void

interface Command {
  readonly callId: number
  readonly address: number
  readonly bytes: number
  readonly permissions: number
  readonly memory: Fd
  readonly deadlineMs: number
  readonly done: MapperDone
}

interface Sent {
  readonly command: Command
  readonly allowedMs: number
  readonly lateAtMs: number
}

const NO_MEMORY: Fd = -1

/** The number is the component's word: it may be none. */
function nameOf(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : String(errno)
}

/** What a command may take longer for each that was sent before it and is not answered yet. */
const BEHIND_ANOTHER_MS = 5

export class Mapper {
  readonly #fd: Fd
  readonly #unwatch: () => void
  /** Commands that the socket has not taken yet, in order. Their descriptors are duplicates of our own. */
  #waiting: Command[] = []
  readonly #sent = new Map<number, Sent>()
  /**
   * When it is looked for an answer that is late: not after the first of their times. One timer for all commands, which goes on
   * when the answer has come: one for each costs a tenth of a map.
   */
  #lookAtMs = Number.POSITIVE_INFINITY
  #look: NodeJS.Timeout | undefined
  readonly #onHangUp: (reason: string) => void
  readonly #onMisbehaviour: (reason: string) => void
  #nextCallId = 1
  #isClosed = false
  #retry: NodeJS.Timeout | undefined
  #retries = 0

  /**
   * Owns `fd` from now on. `onHangUp` is called, from the event loop, when the component closes its end or sends what looks
   * like that; `onMisbehaviour` when it answers what was not asked, or not in time.
   */
  constructor(fd: Fd, onHangUp: (reason: string) => void, onMisbehaviour: (reason: string) => void) {
    this.#fd = fd
    this.#onHangUp = onHangUp
    this.#onMisbehaviour = onMisbehaviour
    this.#unwatch = native.watchReadable(fd, () => this.#receive())
  }

  /**
   * `permissions` 0 unmaps, and then `memory` is -1; a MapperCommand in its place is about bells. Commands are carried out in
   * order; the deadline runs from the moment at which the socket has taken this one, and is later by BEHIND_ANOTHER_MS for
   * each that is under way then.
   */
  command(address: number, bytes: number, permissions: number, memory: Fd, deadlineMs: number, done: MapperDone): void {
    // What is asked for when an earlier command is refused by close comes after it: the descriptor may be another's by now.
    if (this.#isClosed) return done(ended())
    const command = { callId: this.#nextCallId++, address, bytes, permissions, memory, deadlineMs, done }
    let refused: Error | undefined
    try {
      if (this.#waiting.length > 0 || !this.#send(command)) this.#waiting.push(withOwnDescriptor(command))
    } catch (error) {
      refused = isGone(error) ? ended() : (error as Error)
    }
    if (refused !== undefined) done(refused)
  }

  /** Closes the socket and refuses whatever was under way. */
  close(): void {
    this.#isClosed = true
    this.#unwatch()
    clearTimeout(this.#retry)
    clearTimeout(this.#look)
    native.closeFd(this.#fd)
    const waiting = this.#waiting
    this.#waiting = []
    for (const { memory } of waiting) if (memory !== NO_MEMORY) native.closeFd(memory)
    const sent = [...this.#sent.values()]
    this.#sent.clear()
    for (const { done } of [...sent.map(({ command }) => command), ...waiting]) {
      done(ended())
    }
  }

  /** False when the socket is full, or Linux short of memory; it is then tried again. @throws {NativeError} the component is gone */
  #send(command: Command): boolean {
    const { callId, address, bytes, permissions, memory, deadlineMs } = command
    try {
      if (!native.sendMapperCommand(this.#fd, callId, address, bytes, permissions, memory))
        return this.#refused("it is full")
    } catch (error) {
      if (isGone(error)) throw error
      return this.#refused((error as Error).message)
    }
    this.#retries = 0
    const allowedMs = deadlineMs + this.#sent.size * BEHIND_ANOTHER_MS
    const lateAtMs = performance.now() + allowedMs
    this.#sent.set(callId, { command, allowedMs, lateAtMs })
    if (lateAtMs < this.#lookAtMs) this.#lookAt(lateAtMs, allowedMs)
    return true
  }

  #lookAt(timeMs: number, fromNowMs: number): void {
    clearTimeout(this.#look)
    this.#lookAtMs = timeMs
    this.#look = setTimeout(() => this.#findLate(), fromNowMs)
  }

  /** The answer may be here, and only this daemon behind with its work: timers run before the sockets are looked at. */
  #findLate(): void {
    this.#lookAtMs = Number.POSITIVE_INFINITY
    if (!this.#receive()) return
    let first: Sent | undefined
    for (const sent of this.#sent.values()) if (first === undefined || sent.lateAtMs < first.lateAtMs) first = sent
    if (first === undefined) return
    const leftMs = first.lateAtMs - performance.now()
    if (leftMs > 0) this.#lookAt(first.lateAtMs, leftMs)
    else this.#onMisbehaviour(`its mapper has not answered within ${first.allowedMs} ms`)
  }

  /** False when it sends what cannot be believed: that has been told. */
  #receive(): boolean {
    for (;;) {
      const reply = native.receiveMapperReply(this.#fd)
      if (reply === undefined) break
      const sent = reply === null ? undefined : this.#sent.get(reply.callId)
      if (reply === null || sent === undefined) {
        // No further answer can be believed. One that is just ending closes its socket too, and keeps its exit code.
        this.#unwatch()
        if (reply === null) this.#onHangUp("it closed its mapper socket or sent nonsense there")
        else this.#onMisbehaviour("its mapper answered a command that was not sent")
        return false
      }
      this.#sent.delete(reply.callId)
      sent.command.done(reply.errno === 0 ? undefined : new Error(`mmap refused, ${nameOf(reply.errno)}`))
      // One that comes unasked is seen in the next turn: no system call to ask for it.
      if (this.#sent.size === 0) break
    }
    this.#sendWaiting()
    return true
  }

  /** Who owes no answer is waited for by no deadline of a command. */
  #refused(why: string): false {
    if (this.#sent.size === 0 && ++this.#retries > RETRIES) {
      this.#onMisbehaviour(`its mapper's socket takes no command: ${why}`)
    } else {
      clearTimeout(this.#retry)
      this.#retry = setTimeout(() => this.#sendWaiting(), RETRY_MS)
    }
    return false
  }

  #sendWaiting(): void {
    try {
      for (let next = this.#waiting[0]; next !== undefined && this.#send(next); next = this.#waiting[0]) {
        if (next.memory !== NO_MEMORY) native.closeFd(next.memory)
        this.#waiting.shift()
      }
    } catch {
      // The component is gone; close() follows and refuses what waits.
    }
  }
}

function ended(): KernelError {
  return new KernelError("PeerGone", "The component ended before its pages were changed")
}

/** Whoever asked may close its descriptor before the socket has room. */
function withOwnDescriptor(command: Command): Command {
  return command.memory === NO_MEMORY ? command : { ...command, memory: native.duplicateFd(command.memory) }
}
