// conformance.ts: what the conformance components and the CLI say to one another. Plain data; imports nothing.

/** Every case, named as seL4's own tests are. One that is not reported has not run, and counts as failed. */
// biome-ignore format: a line for each family
export const CASE_NAMES = [
  "CNODEOP0001", "CNODEOP0002", "CNODEOP0003", "CNODEOP0004", "CNODEOP0007", "SMC0002", "SMC0003", "SMC0004",
  "SMC0005", "SMC0006", "SMC0007", "SMC0008", "RETYPE0000", "RETYPE0001", "RETYPE0002", "PREEMPT_REVOKE",
  "FRAMEDIPC0003", "FRAMEXN0001", "PT0002", "SYNC001", "SYNC002", "SYNC003", "SYNC004", "NBWAIT0001", "THREADS0004",
  "THREADS0005", "SYSCALL0000", "SYSCALL0001", "SYSCALL0002", "SYSCALL0003", "SYSCALL0004", "SYSCALL0005",
  "SYSCALL0006", "SYSCALL0007", "SYSCALL0008", "SYSCALL0009", "SYSCALL0010", "SYSCALL0011", "SYSCALL0012",
  "SYSCALL0013", "SYSCALL0014", "SYSCALL0015", "SYSCALL0016", "SYSCALL0017", "SYSCALL0018",
] as const

/** What the suite reports, one a case, as they end. */
export interface CaseReport {
  readonly name: string
  readonly ok: boolean
  /** The sentence that the case shows to hold. */
  readonly shows: string
  /** What went wrong; empty when `ok`. */
  readonly failure: string
  readonly ms: number
  readonly seen: readonly Seen[]
}

/** What a case has seen at a point in which the profiles differ. */
export interface Seen {
  /** The switch of abi/profile.ts. */
  readonly by: string
  readonly what: string
  readonly got: string
}

/** What the component of one case reports to the suite. */
export interface CaseVerdict {
  readonly failure: string
  readonly seen: readonly Seen[]
}

/** Position in the arguments of the component "conformance"; without one it is the suite and starts the others. */
export const CaseArg = { index: 0 } as const

/** What a conformance-helper does; its first argument. */
export const HelperTask = { obey: 0, watch: 1, count: 2, contend: 3, produce: 4, consume: 5, await: 6 } as const

/** Positions in the arguments of a helper. */
export const HelperArg = { task: 0, number: 1, rounds: 2 } as const

/** Slots that helpers find filled, each task those that it needs. */
export const HelperSlot = { watched: 20, go: 21, requests: 22, grants: 23, frame: 24 } as const

/** A command to a helper that obeys: it is written into the frame as JSON, its length in front, and answered by a report. */
export type Command =
  | { readonly do: "call"; readonly name: string; readonly args: Readonly<Record<string, unknown>> }
  | { readonly do: "load"; readonly address: number }
  | { readonly do: "store"; readonly address: number; readonly value: number }
  | { readonly do: "signal"; readonly slot: number; readonly bits: string }
  | { readonly do: "poll"; readonly slot: number }
  | { readonly do: "leave" }

/** "ok" with a value where there is one, or the name of the refusal or fault. */
export interface Answer {
  readonly outcome: string
  readonly value?: unknown
}

/** What a contender can ask of a monitor, as bits of its own notification badge. */
export const Request = { notifyOne: 1n, await: 2n, leave: 4n, enter: 8n } as const
const REQUEST_BITS = 4n
export const ALL_REQUESTS = (1n << REQUEST_BITS) - 1n

/** The bits of one contender, `number` from 0 to 15, among those of all. */
export function requestBits(number: number, requests: bigint): bigint {
  return requests << (BigInt(number) * REQUEST_BITS)
}

/** What one contender asks for, out of the bits of all. */
export function requestsOf(number: number, bits: bigint): bigint {
  return (bits >> (BigInt(number) * REQUEST_BITS)) & ALL_REQUESTS
}

/** Words of the frame that contenders share, by index. */
export const SharedWord = {
  sum: 0,
  inside: 1,
  most: 2,
  wanted: 3,
  item: 4,
  full: 5,
  gate: 6,
  wakings: 7,
  stop: 8,
} as const
