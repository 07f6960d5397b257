// instrument.ts: the ring's WebAssembly, rewritten so that a process can be ended at exactly one of its shared accesses.

import binaryen from "assemblyscript/binaryen"
import { KERNEL_PAGE } from "../../../src/kernel-daemon/abi/vspace-map.ts"

/** A load, store, exchange or compare-exchange of any width, up to its first operand, which is the address. */
const ACCESS =
  /\((?:i32|i64|f64|v128)\.(?:atomic\.)?(?:rmw[0-9]*\.)?(?:load|store|xchg|cmpxchg)[^\s()]*(?:\s+(?:offset|align)=\d+)*\s+(?=\()/g

/**
 * Each access asks $kaalStep for its address first. That counts those of shared memory, from the kernel's page up; when
 * `kaalLeft` becomes 0 it calls the import env.fault, before the access is made.
 */
const FAULT = '(import "env" "fault" (func $kaalFault))'
const STEP = `
 (global $kaalLeft (mut i32) (i32.const 0))
 (global $kaalCount (mut i32) (i32.const 0))
 (export "kaalLeft" (global $kaalLeft))
 (export "kaalCount" (global $kaalCount))
 (export "kaalStep" (func $kaalStep))
 (func $kaalStep (param $address i32) (result i32)
  (if (i32.ge_u (local.get $address) (i32.const ${KERNEL_PAGE})) (then
   (global.set $kaalCount (i32.add (global.get $kaalCount) (i32.const 1)))
   (global.set $kaalLeft (i32.sub (global.get $kaalLeft) (i32.const 1)))
   (if (i32.eqz (global.get $kaalLeft)) (then (call $kaalFault)))))
  (local.get $address))
`

/** Index after the expression that begins at `start` with its bracket. */
function endOf(text: string, start: number): number {
  let depth = 0
  for (let at = start; ; at++) {
    if (text[at] === "(") depth++
    else if (text[at] === ")" && --depth === 0) return at + 1
  }
}

function rewrite(text: string): string {
  const ends = new Map<number, number>()
  const starts = new Set<number>()
  for (const match of text.matchAll(ACCESS)) {
    const operand = match.index + match[0].length
    starts.add(operand)
    const end = endOf(text, operand)
    ends.set(end, (ends.get(end) ?? 0) + 1)
  }
  let out = ""
  for (let at = 0; at <= text.length; at++) {
    out += ")".repeat(ends.get(at) ?? 0)
    if (starts.has(at)) out += "(call $kaalStep "
    out += text[at] ?? ""
  }
  return out
}

/** @throws {Error} the rewritten text is no module */
export function instrument(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm)
  const text = rewrite(module.emitText())
  module.dispose()
  // Imports stand first.
  const stepped = binaryen.parseText(text.replace("(module", `(module ${FAULT}`).replace(/\)\s*$/, `${STEP})`))
  stepped.setFeatures(binaryen.Features.All)
  if (!stepped.validate()) throw new Error("The instrumented WebAssembly is not valid")
  const binary = stepped.emitBinary()
  stepped.dispose()
  return binary
}
