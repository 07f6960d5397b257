// how.ts: the ways in which a process of a case can wait for the same thing.

import type { LoopWaitOptions } from "../../ring/loop/loop-waiting.ts"
import { Begun, turn } from "../event-loop.ts"

/**
 * "blocking": its thread sleeps. "loop": it awaits. The others await, give that up while nothing has come, at once or after
 * a turn of the event loop, and then do the one or the other.
 */
export type How =
  | "blocking"
  | "loop"
  | `abandoned, then ${"blocking" | "loop"}`
  | "abandoned after a turn, then blocking"

export function waitBy<T>(how: How, block: () => T, inLoop: (options: LoopWaitOptions) => Promise<T>): T {
  if (how === "blocking") return block()
  if (how === "loop") return new Begun(() => inLoop({})).get()
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
