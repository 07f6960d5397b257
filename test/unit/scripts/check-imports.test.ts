// check-imports.test.ts: every rule about who may import whom, and about the pure rooms, refuses what it is there for.

import t from "tap"
import { importViolations } from "../../../scripts/check-imports.ts"

const KERNEL = "src/kernel-daemon"
const COMPONENTS = "src/components"

t.test("importViolations() lets each room import exactly what the design says", async t => {
  const cases = [
    [`${KERNEL}/abi/errors.ts`, "./limits.ts", "ok"],
    [`${KERNEL}/abi/errors.ts`, "../objects/frame.ts", "refused"],
    [`${KERNEL}/abi/errors.ts`, "node:fs", "refused"],
    [`${KERNEL}/objects/frame.ts`, "../abi/errors.ts", "ok"],
    [`${KERNEL}/objects/frame.ts`, "./cnode.ts", "ok"],
    [`${KERNEL}/objects/frame.ts`, "../invocation/effects.ts", "refused"],
    [`${KERNEL}/objects/frame.ts`, "../../../native/index.ts", "refused"],
    [`${KERNEL}/objects/frame.ts`, "node:crypto", "refused"],
    [`${KERNEL}/objects/frame.ts`, "commander", "refused"],
    [`${KERNEL}/invocation/decode.ts`, "../objects/frame.ts", "ok"],
    [`${KERNEL}/invocation/decode.ts`, "../abi/errors.ts", "ok"],
    [`${KERNEL}/invocation/decode.ts`, "../broker/mapper.ts", "refused"],
    [`${KERNEL}/invocation/decode.ts`, "node:fs", "refused"],
    [`${KERNEL}/broker/mapper.ts`, "../invocation/effects.ts", "ok"],
    [`${KERNEL}/broker/mapper.ts`, "../../../native/index.ts", "ok"],
    [`${KERNEL}/broker/mapper.ts`, "../../ring/layout.ts", "ok"],
    [`${KERNEL}/broker/mapper.ts`, "node:fs", "ok"],
    [`${KERNEL}/broker/mapper.ts`, "../cli/main.ts", "refused"],
    [`${KERNEL}/broker/mapper.ts`, "../../components/runtime/boot.ts", "refused"],
    [`${KERNEL}/main.ts`, "./broker/mapper.ts", "ok"],
    [`${KERNEL}/main.ts`, "../components/root-task/main.ts", "refused"],
    [`${KERNEL}/cli/main.ts`, "commander", "ok"],
    [`${KERNEL}/cli/main.ts`, "../../protocols/ipc-test.ts", "ok"],
    [`${KERNEL}/cli/main.ts`, "../../components/root-task/main.ts", "refused"],
    ["src/ring/wait.ts", "../../native/index.ts", "ok"],
    ["src/ring/wait.ts", "./words.ts", "ok"],
    ["src/ring/wait.ts", "../kernel-daemon/abi/limits.ts", "refused"],
    ["src/ring/wait.ts", "./wasm/index.ts", "refused"],
    ["src/ring/words.ts", "./layout.ts", "refused"],
    ["src/ring/wasm/slot.ts", "./word", "ok"],
    ["src/ring/wasm/slot.ts", "../words", "ok"],
    ["src/ring/wasm/slot.ts", "../layout", "refused"],
    ["src/ring/wasm/slot.ts", "../../../native/index", "refused"],
    ["src/protocols/ipc-test.ts", "../kernel-daemon/abi/limits.ts", "refused"],
    [`${COMPONENTS}/runtime/boot.ts`, "../../kernel-daemon/abi/boot.ts", "ok"],
    [`${COMPONENTS}/runtime/boot.ts`, "../../ring/vspace.ts", "ok"],
    [`${COMPONENTS}/runtime/boot.ts`, "../../../native/index.ts", "ok"],
    [`${COMPONENTS}/runtime/boot.ts`, "../../kernel-daemon/objects/frame.ts", "refused"],
    [`${COMPONENTS}/runtime/boot.ts`, "../root-task/main.ts", "refused"],
    [`${COMPONENTS}/root-task/main.ts`, "./criteria.ts", "ok"],
    [`${COMPONENTS}/root-task/main.ts`, "../runtime/index.ts", "ok"],
    [`${COMPONENTS}/root-task/main.ts`, "../../protocols/ipc-test.ts", "ok"],
    [`${COMPONENTS}/root-task/main.ts`, "../ipc-producer/main.ts", "refused"],
    [`${COMPONENTS}/root-task/main.ts`, "../../kernel-daemon/abi/rights.ts", "refused"],
    [`${COMPONENTS}/root-task/main.ts`, "../../ring/shared-ring.ts", "refused"],
    [`${COMPONENTS}/root-task/main.ts`, "../../../native/index.ts", "refused"],
    [`${COMPONENTS}/root-task/main.ts`, "node:fs", "refused"],
    ["native/index.ts", "node:module", "ok"],
    ["native/index.ts", "../src/kernel-daemon/abi/errors.ts", "refused"],
  ] as const
  for (const [path, specifier, expected] of cases) {
    const found = importViolations(path, `import { x } from "${specifier}"\n`)
    t.equal(found.length === 0 ? "ok" : "refused", expected, `${path} <- ${specifier}`)
  }
})

t.test("importViolations() sees every form of an import, and says where it stands", async t => {
  const forms = [
    'import { x } from "node:fs"',
    'import "node:fs"',
    'import type { X } from "node:fs"',
    'export { x } from "node:fs"',
    'export * from "node:fs"',
    'const x = () => import("node:fs")',
    'type X = import("node:fs").Stats',
  ]
  for (const form of forms) {
    const [first, ...more] = importViolations(`${KERNEL}/abi/errors.ts`, `// A comment.\n${form}\n`)
    t.match(first, `${KERNEL}/abi/errors.ts:2: `, form)
    t.same(more, [])
  }
  t.same(importViolations(`${KERNEL}/abi/errors.ts`, '// import "node:fs"\nconst x = \'import "node:fs"\'\n'), [])
})

t.test("importViolations() refuses a file that belongs to no room", async t => {
  t.match(importViolations("src/elsewhere/x.ts", ""), [/belongs to no room/])
})

t.test("importViolations() keeps waiting, clocks, randomness and the process out of the pure rooms", async t => {
  const impure = [
    ["async function f() {}", "async"],
    ["const f = async () => 1", "async"],
    ["class A { async m() {} }", "async"],
    ["await x", "await"],
    ["const now = Date.now()", "Date"],
    ["const d = new Date()", "Date"],
    ["performance.now()", "performance"],
    ["const r = Math.random()", "Math.random"],
    ["process.exit(1)", "process"],
    ["const p = { process }", "process"],
    ["setTimeout(f, 1)", "setTimeout"],
    ["let p: Promise<void>", "Promise"],
  ] as const
  for (const room of ["objects", "invocation"]) {
    for (const [code, name] of impure) {
      t.match(importViolations(`${KERNEL}/${room}/x.ts`, code), [`"${name}" in a pure room`], `${room}: ${code}`)
    }
  }
  for (const [code] of impure) t.same(importViolations(`${KERNEL}/broker/x.ts`, code), [], `broker: ${code}`)
})

t.test("importViolations() takes names, words and comments for what they are", async t => {
  const pure = [
    "// await process.exit() at some Date",
    'const text = "Math.random() of an async process"',
    "const created = component.process",
    "const entry = { process: 1 }",
    "interface Spawned { readonly process: number }",
    "const half = Math.floor(x / 2)",
  ]
  for (const code of pure) t.same(importViolations(`${KERNEL}/objects/x.ts`, code), [], code)
})

t.test("a pure test of the kernel imports no addon, and nothing that does", async t => {
  const test = "test/unit/kernel-daemon/x.test.ts"
  for (const path of ["native/index.ts", "src/kernel-daemon/broker/mapper.ts"]) {
    t.match(importViolations(test, `import "../../../${path}"`), ["must not import"], path)
  }
  t.same(importViolations(test, 'import "tap"\nimport "../../../src/kernel-daemon/invocation/kernel.ts"'), [])
  t.same(importViolations(test, 'import "../../helpers/kernel.ts"'), [])
})
