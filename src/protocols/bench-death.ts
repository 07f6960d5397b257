// bench-death.ts: what `bench death` and bench-death tell each other. Plain data; imports nothing.

/** Positions in the arguments of bench-death: for a root `count` victims, for a waiter how it waits. */
export const BenchDeathArg = { role: 0, wait: 1, count: 2 } as const

/** root: makes the pairs, one after the other. waiter: waits for a message. victim: sends one, and then none. */
export const BenchDeathRole = { root: 0, waiter: 1, victim: 2 } as const

/** How a waiter waits; its place here is its number. */
export const DEATH_WAITS = ["parked", "spinning", "await"] as const

/** What the root prints when the waiter has the victim's message and is about to wait for another. */
export const WAITING = "waiting"

export interface DeathReport {
  /** When each waiter was told, by the clock that process.hrtime reads, ns. */
  readonly toldAtNs: readonly number[]
}
