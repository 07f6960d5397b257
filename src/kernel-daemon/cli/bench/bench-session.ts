// bench-session.ts: a session that measures: boots a root task and returns what it reported.

import type { DaemonEvent } from "../../broker/control-link.ts"
import { runSession } from "../session.ts"

const SESSION_TIMEOUT_SECONDS = 60

export interface BenchSession {
  readonly rootTask: string
  readonly arguments: readonly number[]
  readonly timeoutSeconds?: number
  /** Sees every event first. */
  readonly onEvent?: (event: DaemonEvent) => void
}

/** @throws {Error} it did not end well, or without a report; the message says what was printed */
export async function benchSession<R>(session: BenchSession): Promise<R> {
  const { rootTask, arguments: args, timeoutSeconds = SESSION_TIMEOUT_SECONDS, onEvent } = session
  const said: string[] = []
  let report: R | undefined
  const { ok, reason } = await runSession({
    rootTask,
    arguments: args,
    timeoutSeconds,
    onEvent: event => {
      onEvent?.(event)
      if (event.event === "report") report = JSON.parse(event.text) as R
      if (event.event === "print") said.push(...event.lines.map(line => `${event.name}: ${line}`))
      if (event.event === "ended" && event.text !== "exited with code 0") said.push(`${event.name} ${event.text}`)
    },
  })
  if (ok && report !== undefined) return report
  throw new Error(`${rootTask} ${args.join(" ")} failed: ${[reason, ...said].filter(Boolean).join("\n")}`)
}
