// connection.ts: the daemon's end of one component's control socket. Copies a message out, then hands it on.

import { type Fd, native } from "../../../native/index.ts"
import { HELLO, type StartMessage } from "../abi/boot.ts"
import { MAX_KEPT_REPLIES, MAX_KEPT_REPLY_BYTES, MAX_MESSAGE_BYTES } from "../abi/limits.ts"
import { isGone, RETRIES, RETRY_MS } from "./shortage.ts"

export interface ConnectionEvents {
  /** The component's runtime stands and waits for its start. */
  readonly onHello: () => void
  /** One syscall. The bytes are the receiver's own. */
  readonly onMessage: (message: Uint8Array) => void
  /** It closed its end, or sent what looks like that. Called from the event loop. */
  readonly onHangUp: (reason: string) => void
  readonly onMisbehaviour: (reason: string) => void
}

/** Messages taken from one component before others get their turn. */
const FAIR_SHARE = 16

// One buffer for all: a message is copied out before anything else is received.
const buffer = new Uint8Array(MAX_MESSAGE_BYTES)
const utf8 = new TextDecoder()

export class Connection {
  readonly #fd: Fd
  readonly #events: ConnectionEvents
  #unwatch: () => void
  #held = false
  /** The last message had its reply at once. */
  #answered = false
  /** In order; nothing but memory is in the way of the first. At most MAX_KEPT_REPLIES, of MAX_KEPT_REPLY_BYTES. */
  #unsent: Uint8Array[] = []
  #unsentBytes = 0
  /** It has gone, or is being ended: what follows a message that it did not get is not for it either. */
  #takesNoMore = false
  #retry: NodeJS.Timeout | undefined
  #state: "booting" | "open" | "closed" = "booting"

  /** Owns `fd` from now on. */
  constructor(fd: Fd, events: ConnectionEvents) {
    this.#fd = fd
    this.#events = events
    this.#unwatch = native.watchReadable(fd, () => this.#receive())
  }

  sendStart(start: StartMessage): void {
    this.send(new TextEncoder().encode(JSON.stringify(start)))
  }

  /**
   * Sends a reply. A component that leaves so many unread that the socket is full has misbehaved. While Linux has no memory
   * for the first, those behind it are kept; a component for which there are more than we keep is ended.
   */
  send(message: Uint8Array): void {
    this.#answered = true
    if (this.#takesNoMore) return
    if (this.#unsent.length > 0 && !this.#hasRoomFor(message)) {
      const kept = `${this.#unsent.length} replies, ${this.#unsentBytes} bytes`
      const limits = `at most ${MAX_KEPT_REPLIES}, ${MAX_KEPT_REPLY_BYTES} bytes`
      return this.#giveUp(`Linux takes no reply to it, ${kept} are kept and one of ${message.length} comes: ${limits}`)
    }
    this.#unsent.push(message)
    this.#unsentBytes += message.length
    if (this.#unsent.length === 1) this.#sendUnsent(RETRIES)
  }

  #hasRoomFor(message: Uint8Array): boolean {
    return this.#unsent.length < MAX_KEPT_REPLIES && this.#unsentBytes + message.length <= MAX_KEPT_REPLY_BYTES
  }

  #sendUnsent(retries: number): void {
    for (let next = this.#unsent[0]; next !== undefined; next = this.#unsent[0]) {
      try {
        if (!native.sendMessage(this.#fd, next, [])) return this.#giveUp("it leaves its replies unread")
      } catch (error) {
        if (isGone(error)) return this.#sendNoMore() // Its pidfd tells the supervisor.
        if (retries === 0) return this.#giveUp(`Linux takes no reply to it: ${(error as Error).message}`)
        this.#retry = setTimeout(() => this.#sendUnsent(retries - 1), RETRY_MS)
        return
      }
      this.#unsent.shift()
      this.#unsentBytes -= next.length
    }
  }

  #sendNoMore(): void {
    this.#takesNoMore = true
    clearTimeout(this.#retry)
    this.#unsent = []
    this.#unsentBytes = 0
  }

  #giveUp(reason: string): void {
    this.#sendNoMore()
    this.#misbehave(reason)
  }

  /** Takes no message until `release`. */
  hold(): void {
    this.#held = true
    this.#unwatch()
  }

  release(): void {
    if (!this.#held || this.#state === "closed") return
    this.#held = false
    try {
      this.#unwatch = native.watchReadable(this.#fd, () => this.#receive())
    } catch (error) {
      this.#misbehave(`Linux does not let it be heard: ${(error as Error).message}`)
    }
  }

  close(): void {
    if (this.#state === "closed") return
    this.#state = "closed"
    this.#sendNoMore()
    this.#unwatch()
    native.closeFd(this.#fd)
  }

  #receive(): void {
    for (let taken = 0; taken < FAIR_SHARE && this.#state !== "closed" && !this.#held; taken++) {
      const received = native.receiveMessage(this.#fd, buffer)
      if (received === undefined) return
      for (const fd of received.fds) native.closeFd(fd)
      // An empty message, or its end of the socket closed, which Linux reports alike. A component that is just exiting does
      // the latter too, and keeps its exit code.
      if (received.bytes === 0) {
        this.#unwatch()
        return this.#events.onHangUp("it closed its control socket or sent an empty message")
      }
      // Cut before the buffer's end: what did not fit are descriptors, which are then none.
      const isCut = received.truncated && received.bytes < buffer.length
      if (received.fds.length > 0 || isCut) return this.#misbehave("it sent descriptors that nobody asked for")
      if (received.truncated) return this.#misbehave(`it sent a message over ${MAX_MESSAGE_BYTES} bytes`)
      const message = buffer.slice(0, received.bytes)
      if (this.#state === "open") {
        this.#answered = false
        this.#events.onMessage(message)
        // It most likely waits for what is under way: no system call to ask for more. What there is, the next turn finds.
        if (!this.#answered) return
      } else if (utf8.decode(message) === HELLO) {
        this.#state = "open"
        this.#events.onHello()
      } else return this.#misbehave("its first message is not the hello")
    }
  }

  #misbehave(reason: string): void {
    if (this.#state === "closed") return
    this.#unwatch()
    this.#events.onMisbehaviour(reason)
  }
}
