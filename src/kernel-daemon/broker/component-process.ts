// component-process.ts: one component's operating-system side: process, sockets, pages, output. Everything is released once.

import { Socket } from "node:net"
import { type ExitStatus, type Fd, native } from "../../../native/index.ts"
import type { StartMessage } from "../abi/boot.ts"
import { BOOT_DEADLINE_MS, MAPPER_DEADLINE_MS, PAGE_BYTES, REVOKE_DEADLINE_MS } from "../abi/limits.ts"
import type { Ending, HandleStatus } from "../invocation/effects.ts"
import { type ConfinementKind, isReadable, reaped } from "./confinement-run.ts"
import { Connection } from "./connection.ts"
import { isEnding } from "./is-ending.ts"
import type { Launch } from "./launch.ts"
import { LineSplitter } from "./line-splitter.ts"
import { Mapper, type MapperDone } from "./mapper.ts"
import type { StatusPage, StatusPages } from "./status-pages.ts"

export interface ComponentEvents {
  readonly onMessage: (message: Uint8Array) => void
  readonly onPrint: (lines: readonly string[]) => void
  /** The process is reaped and everything it had is released; of its output more may come. */
  readonly onEnded: (ending: Ending) => void
  /** Nothing more comes of its output; at the latest OUTPUT_GRACE_MS after its end. */
  readonly onSilent: () => void
}

/** How long the last output of a dead component is waited for. */
const OUTPUT_GRACE_MS = 50

/** Of a process that nobody will watch: it is gone when this returns. */
function endNow(pid: number, pidfd: Fd): void {
  native.sendSignal(pidfd, "SIGKILL")
  reaped(pid)
}

export class ComponentProcess {
  readonly name: string
  readonly confinement: ConfinementKind
  readonly pid: number
  readonly #pidfd: Fd
  readonly #unwatchPidfd: () => void
  readonly #connection: Connection
  readonly #mapper: Mapper
  readonly #faultRecord: Fd
  readonly #statusPages: StatusPages
  readonly #statusPage: StatusPage
  readonly #output: Socket
  readonly #events: ComponentEvents
  readonly #bootTimer: NodeJS.Timeout
  #booted = false
  #canBeRead = false
  #whenBooted: (() => void) | undefined
  #killReason: string | undefined
  /** From then on the pidfd's number may be somebody else's. */
  #reaped = false

  /**
   * Starts the process of `script`; it boots by itself and then waits for `start`.
   * @throws {NativeError} out of processes, descriptors or memory; nothing is then left
   */
  static spawn(
    name: string,
    script: string,
    launch: Launch,
    confinement: ConfinementKind,
    statusPages: StatusPages,
    events: ComponentEvents,
  ): ComponentProcess {
    const held: Fd[] = []
    const hold = (fd: Fd): Fd => {
      held.push(fd)
      return fd
    }
    const closeHeld = (): void => {
      for (const fd of held.splice(0)) native.closeFd(fd)
    }
    /** What is to be undone when a later step is refused. */
    const made: (() => void)[] = []
    // Used by what the event loop calls back, which is not before this returns.
    let process: ComponentProcess
    const onMisbehaviour = (reason: string): void => process.kill(reason)
    const onHangUp = (reason: string): void => process.#onHangUp(reason)
    try {
      const [control, childControl] = native.createSocketPair().map(hold) as [Fd, Fd]
      const [mapperFd, childMapper] = native.createSocketPair().map(hold) as [Fd, Fd]
      const [outputRead, outputWrite] = native.createPipe().map(hold) as [Fd, Fd]
      const nothing = hold(native.openNothing())
      const faultRecord = hold(native.createFrame(PAGE_BYTES, "kaal-fault"))
      const statusPage = statusPages.create()
      made.push(() => statusPages.destroy(statusPage))
      // Whatever can be refused comes before the process, and its pidfd last.
      const connection = new Connection(control, {
        onHello: () => process.#onHello(),
        onMessage: message => events.onMessage(message),
        onHangUp,
        onMisbehaviour,
      })
      held.splice(held.indexOf(control), 1)
      made.push(() => connection.close())
      const mapper = new Mapper(mapperFd, onHangUp, onMisbehaviour)
      held.splice(held.indexOf(mapperFd), 1)
      made.push(() => mapper.close())
      const output = new Socket({ fd: outputRead, readable: true, writable: false })
      held.splice(held.indexOf(outputRead), 1)
      made.push(() => output.destroy())
      const fds = [nothing, outputWrite, outputWrite, childControl, childMapper, faultRecord, statusPage.fd]
      const { pid, pidfd } = launch.start(script, fds, confinement)
      hold(pidfd)
      made.push(() => endNow(pid, pidfd))
      const unwatchPidfd = native.watchReadable(pidfd, () => process.#reap())
      for (const fd of [faultRecord, pidfd]) held.splice(held.indexOf(fd), 1)
      closeHeld()
      process = new ComponentProcess(
        { name, confinement, pid, pidfd, unwatchPidfd, connection, mapper, output, faultRecord, statusPage },
        statusPages,
        events,
      )
      return process
    } catch (error) {
      for (const undo of made.reverse()) undo()
      closeHeld()
      throw error
    }
  }

  private constructor(
    parts: {
      name: string
      confinement: ConfinementKind
      pid: number
      pidfd: Fd
      unwatchPidfd: () => void
      connection: Connection
      mapper: Mapper
      output: Socket
      faultRecord: Fd
      statusPage: StatusPage
    },
    statusPages: StatusPages,
    events: ComponentEvents,
  ) {
    this.name = parts.name
    this.confinement = parts.confinement
    this.pid = parts.pid
    this.#pidfd = parts.pidfd
    this.#faultRecord = parts.faultRecord
    this.#statusPage = parts.statusPage
    this.#statusPages = statusPages
    this.#events = events
    this.#connection = parts.connection
    this.#mapper = parts.mapper
    this.#output = parts.output
    this.#unwatchPidfd = parts.unwatchPidfd
    const lines = new LineSplitter(printed => events.onPrint(printed))
    this.#output
      .on("data", chunk => lines.push(chunk))
      .on("close", () => {
        lines.flush()
        events.onSilent()
      })
    this.#output.on("error", () => this.#output.destroy())
    this.#bootTimer = setTimeout(() => this.kill(`it has not booted within ${BOOT_DEADLINE_MS} ms`), BOOT_DEADLINE_MS)
  }

  /**
   * Whether its page tables and descriptors can be looked at. While it boots that is only becoming so: then it is found
   * out each time. Cost: see isReadable; nothing where it was found readable once.
   */
  get canBeRead(): boolean {
    this.#canBeRead ||= isReadable(this.pid)
    return this.#canBeRead
  }

  /** Makes it runnable, as soon as it has booted. */
  start(message: Omit<StartMessage, "name">): void {
    const send = (): void => this.#connection.sendStart({ name: this.name, ...message })
    if (this.#booted) send()
    else this.#whenBooted = send
  }

  reply(message: Uint8Array): void {
    this.#connection.send(message)
  }

  /**
   * Changes its page tables; `permissions` 0 unmaps, and then `memory` is -1. Or its bells, by a MapperCommand. While it boots the
   * command waits for it.
   */
  changeMapping(address: number, bytes: number, permissions: number, memory: Fd, done: MapperDone): void {
    const deadlineMs = !this.#booted ? BOOT_DEADLINE_MS : memory < 0 ? REVOKE_DEADLINE_MS : MAPPER_DEADLINE_MS
    this.#mapper.command(address, bytes, permissions, memory, deadlineMs, done)
  }

  setStatus(index: number, status: HandleStatus): void {
    this.#statusPages.set(this.#statusPage, index, status)
  }

  /** Takes no more output and no more calls from it until `release`: what it said last has not been passed on yet. */
  hold(): void {
    this.#output.pause()
    this.#connection.hold()
  }

  release(): void {
    this.#output.resume()
    this.#connection.release()
  }

  /** Its end is reported through `onEnded`, with the reason. Does nothing to one that has ended. */
  kill(reason: string): void {
    if (this.#reaped) return
    // Whoever is ending closes its sockets, and would be blamed for that. Killed it is all the same: perhaps only one of its
    // threads has ended.
    if (!isEnding(this.pid)) this.#killReason ??= reason
    native.sendSignal(this.#pidfd, "SIGKILL")
  }

  #onHello(): void {
    this.#booted = true
    clearTimeout(this.#bootTimer)
    this.#whenBooted?.()
    this.#whenBooted = undefined
  }

  /**
   * From the event loop only: an end makes effects, and none may be under way. A process that ends closes its sockets a
   * moment before its pidfd says so, and its peers wait for the news.
   */
  #onHangUp(reason: string): void {
    if (!this.#reap()) this.kill(reason)
  }

  /** Whether it has ended. */
  #reap(): boolean {
    if (this.#reaped) return true
    const status = native.reap(this.pid)
    if (status === undefined) return false
    this.#reaped = true
    clearTimeout(this.#bootTimer)
    this.#unwatchPidfd()
    native.closeFd(this.#pidfd)
    const ending = this.#endingOf(status)
    // In this order: what was under way is refused before the kernel hears of the end.
    this.#mapper.close()
    this.#connection.close()
    this.#statusPages.destroy(this.#statusPage)
    native.closeFd(this.#faultRecord)
    this.#endOutput()
    this.#events.onEnded(ending)
    return true
  }

  /** What it printed last still counts; a process that inherited the pipe must not keep it open, though. */
  #endOutput(): void {
    const timer = setTimeout(() => this.#output.destroy(), OUTPUT_GRACE_MS)
    this.#output.once("close", () => clearTimeout(timer))
  }

  #endingOf(status: ExitStatus): Ending {
    if (status.signal === undefined) return { kind: "exited", code: status.code ?? 0 }
    const fault = native.readFaultRecord(this.#faultRecord)
    if (fault !== undefined && !fault.trapped && (status.signal === "SIGSEGV" || status.signal === "SIGBUS")) {
      return { kind: "killed", signal: status.signal, fault: { address: fault.address, access: fault.access } }
    }
    const reason = this.#killReason
    return { kind: "killed", signal: status.signal, ...(reason === undefined ? {} : { reason }) }
  }
}
