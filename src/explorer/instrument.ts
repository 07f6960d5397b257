// instrument.ts: the ring's WebAssembly with every access to shared memory turned into a call that the explorer answers.
// Works on the module's text: an instruction is replaced by a call of a function of the same shape, and nothing else is.

import binaryen from "assemblyscript/binaryen"
import { SHARED_START, SPACE_BYTES } from "./shared-space.ts"

const WASM_PAGE_BYTES = 65_536

const IMPORTS = `
(import "explorer" "load32" (func $x.load32 (param i32 i32) (result i32)))
(import "explorer" "load64" (func $x.load64 (param i32 i32) (result i64)))
(import "explorer" "store32" (func $x.store32 (param i32 i32 i32)))
(import "explorer" "store64" (func $x.store64 (param i32 i64 i32)))
(import "explorer" "exchange32" (func $x.exchange32 (param i32 i32) (result i32)))
(import "explorer" "compareExchange32" (func $x.compareExchange32 (param i32 i32 i32) (result i32)))`

interface Form {
  /** Of the value that is loaded or stored. */
  readonly type: "i32" | "i64" | "v128"
  /** Of the operands behind the address. */
  readonly operands: readonly ("i32" | "i64" | "v128")[]
  readonly returns: boolean
  /** The access of shared memory, of the address $a. */
  readonly shared: string
}

const load32 = (atomic: 0 | 1): string => `(call $x.load32 (local.get $a) (i32.const ${atomic}))`
const load64 = (atomic: 0 | 1, offset = 0): string =>
  `(call $x.load64 (i32.add (local.get $a) (i32.const ${offset})) (i32.const ${atomic}))`
const store32 = (value: string, atomic: 0 | 1): string =>
  `(call $x.store32 (local.get $a) ${value} (i32.const ${atomic}))`
const V = "(local.get $v0)"
const half = (lane: 0 | 1): string =>
  `(call $x.store64 (i32.add (local.get $a) (i32.const ${8 * lane})) (i64x2.extract_lane ${lane} ${V}) (i32.const 0))`

const loads = (type: Form["type"], shared: string): Form => ({ type, operands: [], returns: true, shared })
const stores = (type: "i32" | "i64" | "v128", shared: string): Form => ({
  type,
  operands: [type],
  returns: false,
  shared,
})

/** Every access of memory that the hot code has. One that is not here is refused, not passed over. */
const FORMS: Readonly<Record<string, Form>> = {
  "i32.load": loads("i32", load32(0)),
  "i64.load": loads("i64", load64(0)),
  "i64.load32_u": loads("i64", `(i64.extend_i32_u ${load32(0)})`),
  "v128.load": loads("v128", `(i64x2.replace_lane 1 (i64x2.splat ${load64(0)}) ${load64(0, 8)})`),
  "i32.store": stores("i32", store32(V, 0)),
  "i64.store": stores("i64", `(call $x.store64 (local.get $a) ${V} (i32.const 0))`),
  "i64.store32": stores("i64", store32(`(i32.wrap_i64 ${V})`, 0)),
  "v128.store": stores("v128", `${half(0)} ${half(1)}`),
  "i32.atomic.load": loads("i32", load32(1)),
  "i64.atomic.load": loads("i64", load64(1)),
  "i64.atomic.load32_u": loads("i64", `(i64.extend_i32_u ${load32(1)})`),
  "i32.atomic.store": stores("i32", store32(V, 1)),
  "i64.atomic.store": stores("i64", `(call $x.store64 (local.get $a) ${V} (i32.const 1))`),
  "i64.atomic.store32": stores("i64", store32(`(i32.wrap_i64 ${V})`, 1)),
  "i32.atomic.rmw.xchg": {
    type: "i32",
    operands: ["i32"],
    returns: true,
    shared: `(call $x.exchange32 (local.get $a) ${V})`,
  },
  "i32.atomic.rmw.cmpxchg": {
    type: "i32",
    operands: ["i32", "i32"],
    returns: true,
    shared: `(call $x.compareExchange32 (local.get $a) ${V} (local.get $v1))`,
  },
}

/** The function that stands in an instruction's place: private addresses as ever, shared ones through the explorer. */
function helper(name: string, { type, operands, returns, shared }: Form): string {
  const values = operands.map((operand, at) => `(param $v${at} ${operand})`).join(" ")
  const own = `(${name} (local.get $a) ${operands.map((_, at) => `(local.get $v${at})`).join(" ")})`
  const result = returns ? `(result ${type})` : ""
  return `(func $x.${name} (param $a i32) ${values} (param $offset i32) ${result}
  (local.set $a (i32.add (local.get $a) (local.get $offset)))
  (if ${result} (i32.lt_u (local.get $a) (i32.const ${SHARED_START})) (then ${own}) (else ${shared})))`
}

const ACCESS = /\((\S+\.(?:load|store|atomic)\S*)((?: (?:offset|align)=\d+)*)(?=\s)/g

/**
 * @param binary the module that scripts/build-wasm.ts makes
 * @returns a module that imports a memory of SPACE_BYTES and SharedAccesses
 * @throws {Error} an instruction that accesses memory in a way not known here
 * Cost: about 0.3 s.
 */
export function instrument(binary: Uint8Array): Uint8Array {
  const plain = binaryen.readBinaryWithFeatures(binary, binaryen.Features.All)
  const text = plain.emitText()
  plain.dispose()
  const used = new Set<string>()
  const out: string[] = []
  // The offset becomes the call's last operand: it goes in front of the parenthesis that ends the instruction.
  const pending: { depth: number; offset: string }[] = []
  let depth = 0
  let at = 0
  for (const token of text.matchAll(/"[^"]*"|;;[^\n]*|[()]/g)) {
    if (token[0].startsWith('"') || token[0].startsWith(";")) continue
    if (token[0] === "(") {
      depth++
      ACCESS.lastIndex = token.index
      const access = ACCESS.exec(text)
      if (access === null || access.index !== token.index) continue
      const [all, name = "", settings = ""] = access
      if (FORMS[name] === undefined) throw new Error(`The explorer does not know ${name}: add it to FORMS`)
      used.add(name)
      out.push(text.slice(at, token.index), `(call $x.${name}`)
      at = token.index + all.length
      pending.push({ depth, offset: settings.match(/offset=(\d+)/)?.[1] ?? "0" })
    } else {
      const last = pending.at(-1)
      if (last?.depth === depth) {
        out.push(text.slice(at, token.index), ` (i32.const ${last.offset}))`)
        at = token.index + 1
        pending.pop()
      }
      depth--
    }
  }
  out.push(text.slice(at))
  const helpers = [...used].map(name => helper(name, FORMS[name] as Form)).join("\n")
  const pages = SPACE_BYTES / WASM_PAGE_BYTES
  const rewritten = out
    .join("")
    .replace(/\(memory (\S+) \d+ \d+ shared\)/, `(memory $1 ${pages} ${pages} shared)`)
    .replace(/\n \(export /, `${IMPORTS}\n (export `)
    .replace(/\)\s*$/, `\n${helpers}\n)`)
  const module = binaryen.parseText(rewritten)
  module.setFeatures(binaryen.Features.All)
  try {
    if (module.validate() === 0) throw new Error("The instrumented WebAssembly is not valid")
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}
