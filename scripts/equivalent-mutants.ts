// equivalent-mutants.ts: checks whose absence nobody could notice, each with the reason.

export interface Equivalent {
  readonly path: string
  /** As check-mutants.ts prints it. */
  readonly text: string
  readonly reason: string
}

export const EQUIVALENT: readonly Equivalent[] = [
  {
    path: "src/kernel-daemon/invocation/creation.ts",
    text: "slot >= length",
    reason: "the check of count behind it refuses the same calls with the same code; this one has the better message",
  },
]
