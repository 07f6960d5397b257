// bench-await.ts: what `bench await` and bench-await tell each other. Plain data; imports nothing.

/** Positions in the arguments of bench-await, whichever role it plays. */
export const BenchAwaitArg = { role: 0, samples: 1, pauseMs: 2, leaderCpu: 3, followerCpu: 4 } as const

/** root: makes two channels and the others. leader: sends, awaits the answer, measures. follower: answers. */
export const BenchAwaitRole = { root: 0, leader: 1, follower: 2 } as const

/** Round trips of messages, both ends on their event loops. */
export interface AwaitReport {
  readonly rttNs: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number }
  /** Pairs [b, count]: round trips of 2^(b/8) up to 2^((b+1)/8) ns. */
  readonly histogram: readonly (readonly [number, number])[]
}
