// how.ts: the ways in which a process of a case can wait for the same thing.

import type { LoopWaitOptions } from "../../ring/loop/loop-waiting.ts"
import { Begun, turn } from "../event-loop.ts"

/** By the clock of a run, a wait looks twice for so long before it sleeps. */
export const LOOKS_FIRST = { spinNs: 1_500_000, checkNs: 1_500_000 }

/**
 * "blocking": its thread sleeps. "loop": it awaits; "loop, late": when its event loop is due a turn. The others await, give that up while nothing has come, at once or after
 * a turn of the event loop, and then do the one or the other.
 */
export type How =
  | "blocking"
  | "loop"
  | "loop, late"
  | `abandoned, then ${"blocking" | "loop"}`
  | "abandoned after a turn, then blocking"

export function waitBy<T>(how: How, block: () => T, inLoop: (options: LoopWaitOptions) => Promise<T>): T {
  if (how === "blocking") return block()
  if (how === "loop" || how === "loop, late") return new Begun(() => inLoop({}), how === "loop, late").get()
  const abort = new AbortController()
  const begun = new Begun(() => inLoop({ signal: abort.signal }))
  if (how.includes("turn") && begun.isPending) turn()
  if (!begun.isPending) return begun.get()
  abort.abort()
  return how.endsWith("blocking") ? block() : new Begun(() => inLoop({})).get()
}

export function usesLoop(how: How): boolean {
  return how !== "blocking"
}
