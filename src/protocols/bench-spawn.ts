// bench-spawn.ts: what `bench spawn` and bench-spawn tell each other. Plain data; imports nothing.

/** Positions in the arguments of bench-spawn. */
export const BenchSpawnArg = { role: 0, count: 1 } as const

/**
 * messages: root task, spawns `count` children one after the other, each of which sends one message at once.
 * idle: root task, spawns `count` children that wait for a message, says ALL_IDLE, and ends after IDLE_SECONDS.
 * sender, waiter: their children; for a sender `count` is its number.
 */
export const BenchSpawnRole = { messages: 0, idle: 1, sender: 2, waiter: 3 } as const

/** How long idle children stay, for whoever looks at them. */
export const IDLE_SECONDS = 5
/** What the idle root prints when all its children wait. */
export const ALL_IDLE = "all idle"

export interface SpawnReport {
  /** From the call that spawns to the first message's receipt, one for each child, ns. */
  readonly firstMessageNs: readonly number[]
}
