// steps.ts: tells whoever watches what is being done, as it happens.

import type { RootReport } from "../../protocols/ipc-test.ts"
import { type Component, monotonicNs } from "../runtime/index.ts"

export class Steps {
  readonly #self: Component

  constructor(self: Component) {
    this.#self = self
  }

  /** Says something about the step under way. */
  note(text: string): void {
    const report: RootReport = { kind: "note", text }
    this.#self.report(report)
  }

  /** Does `work` as the step `text`. `failed` says from its result whether it went wrong; a throw is a failure too. */
  run<T>(text: string, work: () => T, failed: (result: T) => boolean = () => false): T {
    const begun = monotonicNs()
    const tell = (state: "begun" | "ok" | "failed"): void => {
      const report: RootReport = { kind: "step", text, state, ms: (monotonicNs() - begun) / 1e6 }
      this.#self.report(report)
    }
    tell("begun")
    try {
      const result = work()
      tell(failed(result) ? "failed" : "ok")
      return result
    } catch (error) {
      tell("failed")
      throw error
    }
  }
}
