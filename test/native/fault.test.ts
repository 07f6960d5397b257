// fault.test.ts: page faults that kill and page faults that WebAssembly survives, as the record page tells them.
import t, { type Test } from "tap"
import { type FaultRecord, native } from "../../native/index.ts"
import { DEADLINE_MS, frame, MEMORY_BYTES, mapped, PLACE, socketPair, startNode } from "../helpers/native.ts"

/**
 * A module that imports env.memory and exports load(address) and store(address, value), 32-bit atomics, in the order of
 * the binary format: types, import, functions, exports, code.
 */
const MODULE = [
  [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  [1, 11, 2, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 0],
  [2, 18, 1, 3, 0x65, 0x6e, 0x76, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 3, 1, 0x80, 0x80, 0x04],
  [3, 3, 2, 0, 1],
  [7, 16, 2, 4, 0x6c, 0x6f, 0x61, 0x64, 0, 0, 5, 0x73, 0x74, 0x6f, 0x72, 0x65, 0, 1],
  [10, 21, 2, 8, 0, 0x20, 0, 0xfe, 0x10, 2, 0, 0x0b, 10, 0, 0x20, 0, 0x20, 1, 0xfe, 0x17, 2, 0, 0x0b],
].flat()

/** In a child: `load` and `store` by optimised WebAssembly, which is the kind whose faults V8 catches. */
const WASM = `
  const v8 = require("node:v8")
  v8.setFlagsFromString("--no-liftoff")
  v8.setFlagsFromString("--no-wasm-lazy-compilation")
  const module_ = new WebAssembly.Module(Uint8Array.from(${JSON.stringify(MODULE)}))
  v8.setFlagsFromString("--liftoff")
  v8.setFlagsFromString("--wasm-lazy-compilation")
  const { load, store } = new WebAssembly.Instance(module_, { env: { memory } }).exports
  const trap = action => { try { action(); return "no trap" } catch (error) { return error.constructor.name } }
`

/** Starts `body` in a child whose record page is on descriptor 3 and which can `tell` things, given to `told`. */
function faulty(t: Test, body: string, fds: readonly number[] = [], record = frame(t)) {
  const [ours, theirs] = socketPair(t)
  const child = startNode(
    t,
    `
    native.installFaultHandler(3)
    const tell = value => native.sendMessage(4, Buffer.from(JSON.stringify(value)), [])
    ${body}
  `,
    { fds: [record, theirs, ...fds] },
  )
  native.closeFd(theirs)
  const into = new Uint8Array(65536)
  const told = <T>(): T => {
    const bytes = native.waitMessage(ours, into, DEADLINE_MS)
    return JSON.parse(Buffer.from(into.subarray(0, bytes)).toString()) as T
  }
  return { record, child, told }
}

for (const [access, statement] of [
  ["write", `bytes[${PLACE + 5}] = 1`],
  ["read", `tell(bytes[${PLACE + 5}])`],
] as const) {
  t.test(`a ${access} through a typed array on an unmapped page kills, and the record tells where`, async t => {
    const { record, child } = faulty(t, statement)
    t.same(await child.ended(), { signal: "SIGSEGV" })
    const expected = { address: PLACE + 5, access, trapped: false, sequence: 1, threadId: child.pid }
    t.same(native.readFaultRecord(record), expected)
  })
}

t.test("a write through a typed array on a read-only page kills as a write", async t => {
  const { record, child } = faulty(
    t,
    `
    native.map(${PLACE}, 4096, 5, 1)
    bytes[${PLACE}] = 1
  `,
    [frame(t)],
  )
  t.same(await child.ended(), { signal: "SIGSEGV" })
  t.match(native.readFaultRecord(record), { address: PLACE, access: "write", trapped: false })
})

t.test("WebAssembly on an unmapped page throws, and the record tells what it did", async t => {
  const { record, child, told } = faulty(
    t,
    `
    ${WASM}
    const seen = []
    for (const action of [() => load(${PLACE}), () => store(${PLACE + 8}, 1), () => load(0)]) {
      seen.push({ error: trap(action), ...native.lastFault() })
    }
    tell(seen)
  `,
  )
  const common = { error: "RuntimeError", threadId: child.pid, trapped: true }
  t.same(told(), [
    { ...common, address: PLACE, access: "read", sequence: 1 },
    { ...common, address: PLACE + 8, access: "write", sequence: 2 },
    { ...common, address: 0, access: "read", sequence: 3 },
  ])
  t.same(await child.ended(), { code: 0 })
  t.match(native.readFaultRecord(record), { address: 0, trapped: true, sequence: 3 })
})

t.test("WebAssembly works on as before after a fault, and on the page once it is mapped", async t => {
  const shared = frame(t)
  const { child, told } = faulty(
    t,
    `
    ${WASM}
    const before = trap(() => store(${PLACE}, 7))
    native.map(${PLACE}, 4096, 5, 3)
    store(${PLACE}, 8)
    native.unmap(${PLACE}, 4096)
    tell([before, trap(() => load(${PLACE}))])
  `,
    [shared],
  )
  t.same(told(), ["RuntimeError", "RuntimeError"])
  t.same(await child.ended(), { code: 0 })
  t.equal(mapped(t, shared, PLACE, 1)[0], 8)
})

t.test("an access beyond the memory has no address in it", async t => {
  const { told } = faulty(
    t,
    `
    ${WASM}
    tell({ error: trap(() => load(${MEMORY_BYTES + 65536})), ...native.lastFault() })
  `,
  )
  t.match(told(), { error: "RuntimeError", address: -1, trapped: true })
})

t.test("the fatal fault is told, however many were trapped before it", async t => {
  const { record, child } = faulty(
    t,
    `
    ${WASM}
    for (let i = 0; i < 1000; i++) trap(() => load(${PLACE}))
    bytes[${PLACE + 1}] = 1
  `,
  )
  t.same(await child.ended(), { signal: "SIGSEGV" })
  t.match(native.readFaultRecord(record), { address: PLACE + 1, access: "write", trapped: false, sequence: 1001 })
})

t.test("the fatal fault is told, even when one was trapped after it", async t => {
  // In one process that takes two threads and luck; here two processes share a record page.
  const { record, child } = faulty(t, `bytes[${PLACE + 2}] = 1`)
  t.same(await child.ended(), { signal: "SIGSEGV" })
  const second = faulty(t, `${WASM}; tell(trap(() => load(${PLACE})))`, [], record)
  t.equal(second.told(), "RuntimeError")
  t.same(await second.child.ended(), { code: 0 })
  t.match(native.readFaultRecord(record), { address: PLACE + 2, trapped: false, sequence: 1 })
})

t.test("a worker's faults are its own, trapped or fatal", async t => {
  const { record, child, told } = faulty(
    t,
    `
    ${WASM}
    const { Worker } = require("node:worker_threads")
    trap(() => load(${PLACE}))
    const worker = new Worker(\`
      const { workerData, parentPort } = require("node:worker_threads")
      const native = require(process.env.KAAL_ADDON)
      const { memory, module_ } = workerData
      native.adoptMemory(new Uint8Array(memory.buffer))
      const { load } = new WebAssembly.Instance(module_, { env: { memory } }).exports
      const before = native.lastFault()
      let error
      try { load(${PLACE + 4}) } catch (caught) { error = caught.constructor.name }
      parentPort.postMessage({ before: before === undefined, error, fault: native.lastFault() })
      parentPort.once("message", () => { new Uint8Array(memory.buffer)[${PLACE + 12}] = 1 })
    \`, { eval: true, workerData: { memory, module_ } })
    worker.once("message", message => {
      tell({ ...message, main: native.lastFault() })
      worker.postMessage("die")
    })
  `,
  )
  const { before, error, fault, main } = told<{
    before: boolean
    error: string
    fault: FaultRecord
    main: FaultRecord
  }>()
  t.equal(before, true, "none of the worker's yet")
  t.equal(error, "RuntimeError")
  t.match(fault, { address: PLACE + 4, trapped: true, sequence: 2 })
  t.match(main, { address: PLACE, threadId: child.pid, sequence: 1 })
  t.same(await child.ended(), { signal: "SIGSEGV" })
  t.match(native.readFaultRecord(record), {
    address: PLACE + 12,
    threadId: fault.threadId,
    trapped: false,
    sequence: 3,
  })
})

t.test("a page beyond the end of its file kills by SIGBUS and is recorded", async t => {
  const path = `${t.testdir({ file: "x".repeat(4096) })}/file`
  const { record, child } = faulty(
    t,
    `
    const { openSync, ftruncateSync } = require("node:fs")
    const fd = openSync(${JSON.stringify(path)}, "r+")
    native.map(${PLACE}, 4096, fd, 3)
    ftruncateSync(fd, 0)
    bytes[${PLACE + 3}] = 1
  `,
  )
  t.same(await child.ended(), { signal: "SIGBUS" })
  t.match(native.readFaultRecord(record), { address: PLACE + 3, trapped: false })
})

for (const signal of ["SIGSEGV", "SIGBUS"]) {
  t.test(`a ${signal} that somebody sends kills as ever and is no fault`, async t => {
    const { record, child, told } = faulty(t, "tell(1); setInterval(() => {}, 1000)")
    told()
    native.sendSignal(child.pidfd, signal)
    t.same(await child.ended(), { signal })
    t.equal(native.readFaultRecord(record), undefined)
  })
}

t.test("installFaultHandler() serves a process once", async t => {
  const { told } = faulty(t, "try { native.installFaultHandler(3) } catch (error) { tell(error.code) }")
  t.equal(told(), "EALREADY")
})

t.test("readFaultRecord() copes with a page full of nonsense", async t => {
  const record = frame(t)
  t.equal(native.readFaultRecord(record), undefined, "no fault yet")
  mapped(t, record, PLACE, 3).fill(0xff)
  const fault = native.readFaultRecord(record) as FaultRecord
  t.ok(fault.access === "write" && Number.isFinite(fault.address), JSON.stringify(fault))
  t.throws(() => native.readFaultRecord(socketPair(t)[0]), { code: "ESPIPE", syscall: "pread" })
})
