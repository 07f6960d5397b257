// corpus.ts: the inputs of a target, each of which runs something that no other does; a line each, in hex.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const pathOf = (target: string): string => join(import.meta.dirname, "corpus", `${target}.txt`)

export function readCorpus(target: string): Uint8Array[] {
  const path = pathOf(target)
  if (!existsSync(path)) return []
  const lines = readFileSync(path, "utf8").split("\n")
  return lines.filter(line => line !== "").map(line => Uint8Array.from(Buffer.from(line, "hex")))
}

export function writeCorpus(target: string, inputs: readonly Uint8Array[]): void {
  writeFileSync(pathOf(target), inputs.map(input => `${Buffer.from(input).toString("hex")}\n`).join(""))
}
