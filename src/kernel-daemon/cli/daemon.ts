// daemon.ts: the CLI's end of a kernel daemon: starts it, boots a root task in it, and sees to it that it ends.

import { type ChildProcess, spawn } from "node:child_process"
import { dirname, join } from "node:path"
import type { Duplex } from "node:stream"
import { fileURLToPath } from "node:url"
import { launcherPath } from "../../../native/index.ts"
import { DEFAULT_GRACE_MS } from "../abi/boot.ts"
import type { ProfileName } from "../abi/profile.ts"
import { CONFINE_VARIABLE } from "../broker/confinement.ts"
import type { BootOrder, DaemonEvent, DaemonOrder } from "../broker/control-link.ts"
import { CONTROL_LINK_FD } from "../broker/control-link.ts"

/** How the daemon's process ended: 0, another exit code, or the signal that killed it. */
export type DaemonEnd = { readonly code: number } | { readonly signal: string }

/**
 * A small nursery: what is new and stays is copied once, at most 2 MiB in one pause. With the default of 16 MiB a
 * component that makes many capabilities holds everybody up for 15 ms at a time. And what start.ts had compiled is kept,
 * though it may be long until it is needed.
 */
export const DAEMON_NODE_FLAGS = ["--max-semi-space-size=2", "--no-flush-bytecode"] as const

/** How long a daemon may take to end its components before it is killed, and they with it. */
const END_GRACE_MS = 2_000

export interface DaemonOptions {
  /** Folder of bundled components, NAME.cjs each; by default those of the build. */
  readonly components?: string
  /** False leaves components unconfined, as KAAL_CONFINE=off in the environment does. */
  readonly confine?: boolean
  readonly profile?: ProfileName
  /** How long components go on when the daemon dies, in milliseconds from 0; by default 2,000. */
  readonly graceMs?: number
  readonly onEvent: (event: DaemonEvent) => void
}

export class Daemon {
  readonly #process: ChildProcess
  readonly #link: Duplex
  /** Resolves when the daemon and its components have ended and all its events have been handed on. */
  readonly ended: Promise<DaemonEnd>

  /** Starts the daemon's process below a guard. All of them die with this one, whatever happens to it. */
  constructor(options: DaemonOptions) {
    const script = join(dirname(fileURLToPath(import.meta.url)), "kernel-daemon.cjs")
    const components = options.components === undefined ? [] : [options.components]
    const grace = String(options.graceMs ?? DEFAULT_GRACE_MS)
    const guard = ["--guard", grace, String(process.pid)]
    this.#process = spawn(
      launcherPath(),
      [...guard, process.execPath, ...DAEMON_NODE_FLAGS, script, options.profile ?? "strict", grace, ...components],
      {
        // In a session of its own: Ctrl-C reaches the CLI only, which ends the daemon in order.
        detached: true,
        stdio: ["ignore", "inherit", "inherit", "pipe"],
        env: isConfining(options) ? {} : { [CONFINE_VARIABLE]: "off" },
      },
    )
    this.#link = this.#process.stdio[CONTROL_LINK_FD] as Duplex
    this.#link.on("error", () => {}) // The daemon is gone; `ended` says how.
    let rest = ""
    this.#link.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) options.onEvent(JSON.parse(line) as DaemonEvent)
    })
    this.ended = new Promise((resolve, reject) => {
      this.#process.once("error", reject)
      this.#process.once("close", (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }))
    })
  }

  boot(order: BootOrder): void {
    this.#order({ boot: order })
  }

  /** Has it tell who waits on what: an event "waits" follows. */
  askWaits(): void {
    this.#order({ tell: "waits" })
  }

  /** Takes no events until `resume`: whoever reads our output is behind. */
  pause(): void {
    this.#link.pause()
  }

  resume(): void {
    this.#link.resume()
  }

  #order(order: DaemonOrder): void {
    if (this.#link.writable) this.#link.write(`${JSON.stringify(order)}\n`)
  }

  /** Ends the daemon and every component; resolves when its process is gone, at the latest after END_GRACE_MS. */
  async end(): Promise<DaemonEnd> {
    this.#link.resume()
    this.#link.end()
    const timer = setTimeout(() => this.#process.kill("SIGTERM"), END_GRACE_MS)
    try {
      return await this.ended
    } finally {
      clearTimeout(timer)
    }
  }
}

function isConfining({ confine = true }: DaemonOptions): boolean {
  return confine && process.env[CONFINE_VARIABLE] !== "off"
}
