// row.ts: the lines of a bench's output: the machine, each trial, and each figure that trials were made for.

/** Where the host has put the two processors, told by the bare cache-line round trip; "1" where both ends share one. */
export type Placement = "S" | "N" | "F" | "X" | "1"

export interface Machine {
  readonly what: "machine"
  readonly cpu: string
  readonly processors: readonly number[]
  readonly tsc_hz: number
  readonly kernel: string
  readonly node: string
  readonly placement: Placement
  readonly probe_ns: number | null
  /** Other load: the average of one minute before the run. */
  readonly load: number
  /** What others, the host among them, took of both processors while they were busy just before the run: hold-ups.ts. */
  readonly held_up: { readonly share: number; readonly longest_ms: number }
  /** ISO 8601. */
  readonly at: string
}

/** Nanoseconds of a round trip. */
export interface RoundTrip {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** Pairs [b, count]: round trips of 2^(b/8) up to 2^((b+1)/8) ns. */
export type Histogram = readonly (readonly [bucket: number, count: number])[]

/** What one pair of fresh processes did. Figures that the work does not have are null. */
export interface Trial {
  readonly what: "trial"
  readonly suite: string
  /** What both did: "spin-pingpong", "stream" and so on. */
  readonly work: string
  /** Who did it: "kaal-ipc", "C++", or a peer. */
  readonly of: string
  /** Which of its ways; null where it has one. */
  readonly variant: string | null
  readonly bytes: number
  readonly rtt_ns: RoundTrip | null
  readonly histogram: Histogram | null
  readonly oneway_cycles_p50: number | null
  readonly msgs_per_s: number | null
  /** Bare cache-line round trip before and after; null where both ends share a processor. */
  readonly probe_ns: { readonly before: number; readonly after: number } | null
  /** Any other figure, by name. */
  readonly more?: Readonly<Record<string, number>>
}

export interface Limit {
  /** What it holds for: our figure, or ours divided by theirs. */
  readonly of: "ratio" | "ours"
  readonly atMost?: number
  readonly atLeast?: number
}

/** "shown" where there is no limit, or too few trials were asked for to judge by one. */
export type Verdict = "ok" | "missed" | "not measurable" | "shown"

export interface Figure {
  readonly what: "figure"
  readonly suite: string
  /** Stable, unique in a suite: by it a gate finds the baseline's. */
  readonly key: string
  readonly title: string
  readonly unit: string
  readonly moreIsBetter: boolean
  /** Medians; null when nothing was measured. */
  readonly ours: number | null
  readonly theirs: number | null
  /** Which of ours, and beside whom. */
  readonly by: string
  readonly against: string | null
  /** Ours divided by theirs, one for each pair. */
  readonly ratios: readonly number[]
  readonly ratio: number | null
  readonly limit: Limit | null
  readonly verdict: Verdict
  readonly placement: Placement | null
  readonly probe_ns: number | null
  readonly note: string
}

export type Row = Machine | Trial | Figure
