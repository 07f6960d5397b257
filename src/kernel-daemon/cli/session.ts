// session.ts: one root task from boot to end, with the watchdog and the signals that every command needs.

import type { ProfileName } from "../abi/profile.ts"
import type { DaemonEvent } from "../broker/control-link.ts"
import { Daemon } from "./daemon.ts"

export interface SessionOptions {
  readonly rootTask: string
  readonly arguments: readonly number[]
  readonly timeoutSeconds: number
  readonly components?: string
  readonly confine?: boolean
  /** Default: strict. */
  readonly profile?: ProfileName
  /** As of DaemonOptions. */
  readonly graceMs?: number
  readonly onEvent: (event: DaemonEvent) => void
}

/** How a session ended. `ok` is the root task's own exit; `reason` is set when it did not come to that. */
export interface SessionEnd {
  readonly ok: boolean
  readonly reason?: string
}

/** How long the daemon may take to say who waits on what, before it is ended without. */
const WAITS_MS = 500
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const
/** 128 + the signal's number, as shells say it. */
const EXIT_CODE = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/**
 * Boots `rootTask` in a daemon of its own and resolves when daemon and components are gone. On SIGINT, SIGTERM and
 * SIGHUP it ends them and exits; on SIGUSR2 an event says who waits on what. Never hangs: after `timeoutSeconds` that event
 * comes, everything is ended and `reason` says so.
 */
export async function runSession(options: SessionOptions): Promise<SessionEnd> {
  let shutdown: { ok: boolean } | undefined
  let reason: string | undefined
  let isPaused = false
  let onWaits: (() => void) | undefined
  let patience: NodeJS.Timeout | undefined
  const daemon = new Daemon({
    ...(options.components === undefined ? {} : { components: options.components }),
    ...(options.confine === undefined ? {} : { confine: options.confine }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
    onEvent: event => {
      if (event.event === "shutdown") shutdown = event
      if (event.event === "refused") reason = event.message
      if (event.event === "waits") onWaits?.()
      options.onEvent(event)
      if (!process.stdout.writableNeedDrain || isPaused) return
      isPaused = true
      daemon.pause()
      process.stdout.once("drain", () => {
        isPaused = false
        daemon.resume()
      })
    },
  })
  const onSignal = (signal: (typeof SIGNALS)[number]): void => {
    reason = `${signal}: everything was ended`
    void daemon.end().finally(() => process.exit(EXIT_CODE[signal]))
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  const askWaits = (): void => daemon.askWaits()
  process.on("SIGUSR2", askWaits)
  const watchdog = setTimeout(() => {
    reason = `not finished within ${options.timeoutSeconds} s (--timeout); everything was ended`
    daemon.askWaits()
    onWaits = () => void daemon.end()
    patience = setTimeout(onWaits, WAITS_MS)
  }, options.timeoutSeconds * 1000)
  try {
    daemon.boot({ name: options.rootTask, arguments: options.arguments })
    const end = await daemon.ended
    if (reason !== undefined) return { ok: false, reason }
    if ("signal" in end) return { ok: false, reason: `the kernel daemon was killed by ${end.signal}` }
    if (shutdown === undefined) return { ok: false, reason: `the kernel daemon exited with code ${end.code}` }
    return { ok: shutdown.ok }
  } finally {
    clearTimeout(watchdog)
    clearTimeout(patience)
    for (const signal of SIGNALS) process.off(signal, onSignal)
    process.off("SIGUSR2", askWaits)
  }
}
