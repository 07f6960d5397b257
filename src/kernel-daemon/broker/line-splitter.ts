// line-splitter.ts: turns a component's output into lines, however it is cut. A line without end is cut at a limit.

/** Longer lines are broken, so that a component cannot make the daemon keep its output in memory. */
const MAX_LINE_CHARACTERS = 4_096

export class LineSplitter {
  readonly #onLines: (lines: readonly string[]) => void
  readonly #utf8 = new TextDecoder()
  #rest = ""

  /** `onLines` gets what each chunk completed, at least one line. */
  constructor(onLines: (lines: readonly string[]) => void) {
    this.#onLines = onLines
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#utf8.decode(chunk, { stream: true })).split("\n")
    this.#rest = lines.pop() ?? ""
    while (this.#rest.length > MAX_LINE_CHARACTERS) {
      lines.push(this.#rest.slice(0, MAX_LINE_CHARACTERS))
      this.#rest = this.#rest.slice(MAX_LINE_CHARACTERS)
    }
    if (lines.length > 0) this.#onLines(lines)
  }

  /** The last line, where it did not end with a line feed. */
  flush(): void {
    if (this.#rest !== "") this.#onLines([this.#rest])
    this.#rest = ""
  }
}
