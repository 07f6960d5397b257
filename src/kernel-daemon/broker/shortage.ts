// shortage.ts: a message that Linux does not take for want of memory is tried again for a while, then its receiver is ended.

import type { NativeError } from "../../../native/index.ts"

export const RETRY_MS = 5
export const RETRIES = 40

/** Whether the refusal of a message means that nobody is there to receive it. Any other is a shortage. */
export function isGone(error: unknown): boolean {
  return (error as NativeError).code === "EPIPE"
}
