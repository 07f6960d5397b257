// equivalent-mutants.ts: mutants by rule that are no fault in any schedule of the cases that there are, and why.

export interface Equivalent {
  /** In src/ring or src/ring/wasm. */
  readonly file: string
  readonly within: string
  /** What stands there and what it becomes, as scripts/ring-mutants.ts writes them. */
  readonly changes: readonly (readonly [from: string, to: string])[]
  readonly reason: string
}

export const EQUIVALENT: readonly Equivalent[] = []
