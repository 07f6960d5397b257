// line-splitter.ts: turns a component's output into lines, however it is cut. A line without end is cut at a limit.

/** Longer lines are broken, so that a component cannot make the daemon keep its output in memory. */
const MAX_LINE_CHARACTERS = 4_096

export class LineSplitter {
  readonly #onLine: (line: string) => void
  readonly #utf8 = new TextDecoder()
  #rest = ""

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine
  }

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#utf8.decode(chunk, { stream: true })).split("\n")
    this.#rest = lines.pop() ?? ""
    for (const line of lines) this.#onLine(line)
    while (this.#rest.length > MAX_LINE_CHARACTERS) {
      this.#onLine(this.#rest.slice(0, MAX_LINE_CHARACTERS))
      this.#rest = this.#rest.slice(MAX_LINE_CHARACTERS)
    }
  }

  /** The last line, where it did not end with a line feed. */
  flush(): void {
    if (this.#rest !== "") this.#onLine(this.#rest)
    this.#rest = ""
  }
}
