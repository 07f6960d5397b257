// check-wasm.test.ts: the check on the ring's WebAssembly finds each thing that would turn a page fault into a death.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import binaryen from "assemblyscript/binaryen"
import t from "tap"
import { checkWasm } from "../../../scripts/check-wasm.ts"

const MEMORY = `(import "env" "memory" (memory 1 1 shared))`

function binary(text: string): Uint8Array {
  const module = binaryen.parseText(`(module ${text})`)
  module.setFeatures(binaryen.Features.All)
  try {
    return module.emitBinary()
  } finally {
    module.dispose()
  }
}

const body = (code: string): string => `${MEMORY} (func (export "f") ${code})`

t.test("checkWasm() passes the ring's own module and what it is allowed to do", async t => {
  t.same(checkWasm(readFileSync(join(import.meta.dirname, "../../../dist/ring.wasm"))), [])
  const allowed = [
    "(drop (i32.atomic.load (i32.const 0)))",
    "(i64.atomic.store (i32.const 0) (i64.const 1))",
    "(drop (i32.atomic.rmw.xchg (i32.const 0) (i32.const 1)))",
    "(drop (i64.atomic.rmw.cmpxchg (i32.const 0) (i64.const 1) (i64.const 2)))",
    "(v128.store (i32.const 0) (v128.load (i32.const 16)))",
    "(drop (i32.add (i32.const 1) (i32.const 2)))",
  ]
  for (const code of allowed) t.same(checkWasm(binary(body(code))), [], code)
})

t.test("checkWasm() names each violation and its reason", async t => {
  const rmw = ["add", "sub", "and", "or", "xor"].flatMap(operation => [
    [body(`(drop (i32.atomic.rmw.${operation} (i32.const 0) (i32.const 1)))`), /use cmpxchg/] as const,
    [body(`(drop (i64.atomic.rmw32.${operation}_u (i32.const 0) (i64.const 1)))`), /use cmpxchg/] as const,
  ])
  const cases = [
    ...rmw,
    [body("(memory.copy (i32.const 0) (i32.const 8) (i32.const 8))"), /memory.copy.*: runs outside compiled code/],
    [body("(memory.fill (i32.const 0) (i32.const 8) (i32.const 8))"), /memory.fill/],
    [body("(drop (memory.grow (i32.const 1)))"), /never grows/],
    [body("(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))"), /futexWait/],
    [body("(drop (memory.atomic.notify (i32.const 0) (i32.const 1)))"), /futexWake/],
    [`${MEMORY} (data (i32.const 0) "x")`, /data segment/],
    [`${MEMORY} (data $d "x") (func (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)))`, /memory.init/],
    [`${MEMORY} (func $s (nop)) (start $s)`, /instantiation must touch no memory/],
    [`(import "env" "memory" (memory 1 2 shared))`, /initial equals its maximum/],
    [`(import "env" "memory" (memory 1 1))`, /imported shared memory/],
    [`(memory 1 1 shared)`, /imported shared memory/],
    ["", /no memory/],
  ] as const
  for (const [text, message] of cases) t.match(checkWasm(binary(text)).join("\n"), message, text)
})
