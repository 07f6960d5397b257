// control-link.ts: the line to whoever started the daemon: events go out, orders come in, its end ends everything.

import { Socket } from "node:net"
import type { ProfileName } from "../abi/profile.ts"
import type { Ending } from "../invocation/effects.ts"
import type { Confinement } from "./confinement.ts"

/** The descriptor of the link in the daemon's process. */
export const CONTROL_LINK_FD = 3

/** What may wait for the other end before those who print are held. */
const MAX_UNSENT_BYTES = 1024 * 1024

/** Which component is the root task, and its arguments; taken once. */
export interface BootOrder {
  readonly name: string
  readonly arguments: readonly number[]
}

/** What the daemon is told, one JSON object a line: what to boot, or that it shall say who waits on what. */
export type DaemonOrder = { readonly boot: BootOrder } | { readonly tell: "waits" }

/** What the daemon tells, one JSON object a line. */
export type DaemonEvent =
  | {
      readonly event: "ready"
      readonly osPid: number
      readonly confinement: Confinement
      readonly profile: ProfileName
    }
  | {
      readonly event: "spawned"
      readonly component: number
      readonly name: string
      readonly osPid: number
      readonly confined: boolean
    }
  | { readonly event: "print"; readonly component: number; readonly name: string; readonly lines: readonly string[] }
  | { readonly event: "report"; readonly text: string }
  | { readonly event: "waits"; readonly lines: readonly string[] }
  /** Unasked, once: who waits for each other and for nobody else, and what happened last. */
  | { readonly event: "standstill"; readonly lines: readonly string[] }
  | {
      readonly event: "ended"
      readonly component: number
      readonly name: string
      readonly ending: Ending
      readonly text: string
    }
  | { readonly event: "refused"; readonly message: string }
  | { readonly event: "shutdown"; readonly ok: boolean }

export class ControlLink {
  readonly #socket: Socket

  /** `onOrder` is called for each line that comes in, `onGone` once when the other end is closed. */
  constructor(onOrder: (order: DaemonOrder) => void, onGone: () => void, onDrained: () => void) {
    this.#socket = new Socket({ fd: CONTROL_LINK_FD, readable: true, writable: true })
    let rest = ""
    this.#socket.setEncoding("utf8")
    this.#socket.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) onOrder(JSON.parse(line) as DaemonOrder)
    })
    this.#socket.on("error", () => this.#socket.destroy())
    this.#socket.once("close", onGone)
    this.#socket.on("drain", onDrained)
  }

  send(event: DaemonEvent): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(event)}\n`)
  }

  /** More is waiting to be taken by the other end than we want to keep; `onDrained` tells when it is taken. */
  get isCongested(): boolean {
    return this.#socket.writableLength > MAX_UNSENT_BYTES
  }

  /** Calls back when everything that was sent has left this process. */
  end(done: () => void): void {
    this.#socket.removeAllListeners("close")
    this.#socket.end(done)
  }
}
