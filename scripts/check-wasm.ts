// check-wasm.ts: the rules that keep a page fault in the ring's WebAssembly an exception, checked on the binary.
// What a binary cannot show, that whatever is polled or decided upon is loaded atomically, is the reviewer's part.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import binaryen from "assemblyscript/binaryen"

/** What must not occur in the module's text form, and why. */
const FORBIDDEN: readonly (readonly [RegExp, string])[] = [
  [/\(i(32|64)\.atomic\.rmw\d*\.(add|sub|and|or|xor)/, "V8 expands it to a loop whose fault kills; use cmpxchg"],
  [/\(memory\.(copy|fill|init)\b/, "runs outside compiled code, where a fault kills; use loads and stores"],
  [/\(memory\.atomic\.(wait|notify)/, "never crosses processes; use the addon's futexWait and futexWake"],
  [/\(memory\.grow\b/, "the VSpace never grows"],
  [/\(data\b/, "a data segment would be written over mapped pages"],
  [/\(start\b/, "instantiation must touch no memory"],
]

/** One line of the text form for each violation, with its reason; empty when the module keeps the rules. */
export function checkWasm(binary: Uint8Array): string[] {
  const module = binaryen.readBinaryWithFeatures(binary, binaryen.Features.All)
  const lines = module.emitText().split("\n")
  module.dispose()
  const violations = lines.flatMap(line =>
    FORBIDDEN.filter(([pattern]) => pattern.test(line)).map(([, why]) => `${line.trim()}: ${why}`),
  )
  const memories = lines.filter(line => line.includes("(memory "))
  const [memory] = memories
  const limits = memory?.match(/\(import "env" "memory" \(memory \S+ (\d+) (\d+) shared\)\)/)
  if (memories.length !== 1 || limits?.[1] === undefined || limits[1] !== limits[2]) {
    violations.push(
      `${memory?.trim() ?? "no memory"}: must be one imported shared memory whose initial equals its maximum`,
    )
  }
  return violations
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const file = process.argv[2] ?? join(import.meta.dirname, "..", "dist", "ring.wasm")
  const violations = checkWasm(readFileSync(file))
  for (const violation of violations) console.error(violation)
  if (violations.length > 0) process.exitCode = 1
  else console.log("check-wasm: ok")
}
