// target.ts: what is fuzzed: code that gets bytes from somebody hostile.

export interface Target {
  readonly name: string
  /** The sources whose coverage guides, by their URL. */
  readonly sources: RegExp
  /** Inputs that are right, to begin with. */
  seeds(): Uint8Array[]
  /** @throws whatever it is, it is a finding: refusals that the contract has are caught */
  run(input: Uint8Array): void
}

export class Finding extends Error {
  override readonly name = "Finding"
}
