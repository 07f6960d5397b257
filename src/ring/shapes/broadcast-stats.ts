// broadcast-stats.ts: what a broadcast's producer tells of its consumers.

import type { ConsumerPolicy } from "./broadcast-place.ts"

/** A consumer at the last push. */
export interface ConsumerStats {
  readonly policy: ConsumerPolicy
  /** Whether it takes part: "absent" has not come, has gone, or was disconnected; a "page-fault" is for ever. */
  readonly state: "present" | "absent" | "page-fault"
  /** Messages that it has lost since it attached, as it says. */
  readonly lost: number
  /** How often it was too slow, and how often it claimed to have read what was never sent: each ended its part. */
  readonly disconnected: number
  readonly misbehaved: number
}

export interface BroadcastStats {
  /** Messages sent since this producer attached. */
  readonly sent: number
  readonly consumers: readonly ConsumerStats[]
}
