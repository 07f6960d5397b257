// symbols.ts: what a place in one of our binaries is called, and from where they make a call at all.

import { execFileSync } from "node:child_process"

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024

export class Symbols {
  readonly #symbols: readonly { readonly at: number; readonly name: string }[]

  constructor(binary: string) {
    const text = run("nm", "--demangle", "--defined-only", "--numeric-sort", binary)
    this.#symbols = [...text.matchAll(/^([0-9a-f]+) [tTwW] (.*)$/gm)].map(([, at = "", name = ""]) => ({
      at: Number.parseInt(at, 16),
      name: name
        .replace(/\(anonymous namespace\)::|kaal::/g, "")
        .replace(/\(.*/, "")
        .replace(/ \[clone .*/, ""),
    }))
  }

  /** The function that a return address lies in; where it was inlined, its caller. */
  nameOf(offset: number): string {
    return this.#symbols.findLast(({ at }) => at < offset)?.name ?? "?"
  }
}

/** The return addresses of all calls of that function of the C library. */
export function callSites(binary: string): { readonly symbol: string; readonly offset: number }[] {
  const text = run("objdump", "--disassemble", "--no-show-raw-insn", binary)
  const calls = text.matchAll(/^ *[0-9a-f]+:\s+(?:call|bl)\s.*<(\w+)@plt>\n *([0-9a-f]+):/gm)
  return [...calls].map(([, symbol = "", offset = ""]) => ({ symbol, offset: Number.parseInt(offset, 16) }))
}

function run(file: string, ...args: string[]): string {
  return execFileSync(file, args, { encoding: "utf8", maxBuffer: MAX_OUTPUT_BYTES })
}
