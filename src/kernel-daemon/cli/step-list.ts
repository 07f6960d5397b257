// step-list.ts: steps ticking off as they happen, on a terminal or in a log.

import { styleText } from "node:util"

export type Output = NodeJS.WriteStream

export class StepList {
  /** What took how long, in order: [step, ms]. */
  readonly times: [string, number][] = []
  readonly #out: Output
  #pending = false

  constructor(out: Output) {
    this.#out = out
  }

  begin(text: string): void {
    // A log has no use for a line that is about to be replaced.
    if (!this.#out.isTTY) return
    this.#out.write(`${paint("dim", `… ${text}`)}`)
    this.#pending = true
  }

  done(text: string, ms: number): void {
    this.times.push([text, ms])
    this.line(`${paint("green", "✓")} ${text} ${paint("dim", `${ms.toFixed(0)} ms`)}`)
  }

  failed(text: string): void {
    this.line(`${paint("red", "✗")} ${text}`)
  }

  line(text: string): void {
    if (this.#pending) this.#out.write("\r\u001b[K")
    this.#pending = false
    this.#out.write(`${text}\n`)
  }
}

/** Colours only where somebody sees them. */
export function paint(style: Parameters<typeof styleText>[0], text: string): string {
  return process.stdout.isTTY && process.env.NO_COLOR === undefined ? styleText(style, text) : text
}
