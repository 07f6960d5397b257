// process.test.ts: the life of a component, from its creation to what is left behind.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import {
  ConventionSlot,
  MAX_COMPONENTS,
  MAX_PRINT_BYTES,
  MAX_REPORT_BYTES,
  MAX_SPAWN_ARGUMENTS,
  MAX_SPAWN_CAPABILITIES,
} from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import { NO_SLOT } from "../../../src/kernel-daemon/abi/syscalls.ts"
import { OWN_CNODE, ROOT, ROOT_BYTES, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const plain = {
  componentName: "child",
  arguments: [] as number[],
  capabilities: [] as number[],
  priority: 0,
  confined: 1,
  tcb: NO_SLOT as number,
  vspace: NO_SLOT as number,
}

t.test("boot() makes the root task with its own objects, an untyped and process control", async t => {
  const k = new TestKernel()
  t.strictSame(
    Object.entries(ConventionSlot).map(([name, slot]) => [
      name,
      k.state.components.get(ROOT)?.cspace.slots[slot]?.object.type,
    ]),
    [
      ["ownTcb", "TCB"],
      ["ownCNode", "CNode"],
      ["ownVSpace", "VSpace"],
      ["untyped", "Untyped"],
      ["processControl", "ProcessControl"],
    ],
  )
  t.strictSame(k.of("start"), [{ kind: "start", component: ROOT, arguments: [] }])
  t.equal(k.freeBytes, ROOT_BYTES)
  t.strictSame(violations(k.state), [])
})

t.test("process_create makes a suspended component, process_start runs it once", async t => {
  const k = new TestKernel()
  const { pid, tcb } = k.call(ROOT, "process_create", { ...plain, arguments: [1, 2 ** 53 - 1] })
  t.equal(pid, 2)
  t.equal(tcb, 100)
  t.equal(k.outcome(pid, "yield", {}), "IllegalOperation", "it cannot call before it is started")
  t.equal(k.outcome(ROOT, "process_start", { tcb }), "ok")
  t.strictSame(k.of("start").at(-1), { kind: "start", component: pid, arguments: [1, 2 ** 53 - 1] })
  t.equal(k.outcome(pid, "yield", {}), "ok")
  t.equal(k.outcome(ROOT, "process_start", { tcb }), "IllegalOperation")
  t.equal(k.of("start").length, 2)
})

t.test("process_create refuses every wrong argument, with nothing half done", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  k.derive(ROOT, frame, 50, 3)
  const triples = (count: number) => Array.from({ length: count }, (_, n) => [4 + n, frame, 1]).flat()
  for (const [what, over, expected] of [
    ["an empty name", { componentName: "" }, "InvalidArgument"],
    ["a path", { componentName: "../child" }, "InvalidArgument"],
    ["a capital", { componentName: "Child" }, "InvalidArgument"],
    ["a newline", { componentName: "child\n" }, "InvalidArgument"],
    ["65 letters", { componentName: "a".repeat(65) }, "InvalidArgument"],
    ["64 letters", { componentName: "a".repeat(64) }, "ok"],
    ["too many arguments", { arguments: new Array(MAX_SPAWN_ARGUMENTS + 1).fill(0) }, "RangeError"],
    ["as many as allowed", { arguments: new Array(MAX_SPAWN_ARGUMENTS).fill(0) }, "ok"],
    ["no triple", { capabilities: [20, frame] }, "InvalidArgument"],
    ["too many capabilities", { capabilities: triples(MAX_SPAWN_CAPABILITIES + 1) }, "RangeError"],
    ["as many as allowed", { capabilities: triples(MAX_SPAWN_CAPABILITIES) }, "ok"],
    ["a priority too high", { priority: 256 }, "RangeError"],
    ["the child's own slot", { capabilities: [3, frame, 1] }, "RangeError"],
    ["a slot beyond", { capabilities: [256, frame, 1] }, "RangeError"],
    ["a slot beyond any", { capabilities: [2 ** 53 - 1, frame, 1] }, "RangeError"],
    ["one slot twice", { capabilities: [20, frame, 1, 20, frame, 1] }, "DeleteFirst"],
    ["an empty source", { capabilities: [20, 60, 1] }, "FailedLookup"],
    ["a source beyond any", { capabilities: [20, 2 ** 53 - 1, 1] }, "FailedLookup"],
    ["a source without grant", { capabilities: [20, 50, 1] }, "IllegalOperation"],
    ["unknown rights", { capabilities: [20, frame, 8] }, "IllegalOperation"],
    ["rights that are none in 32 bits", { capabilities: [20, frame, 2 ** 32] }, "IllegalOperation"],
  ] as const) {
    const before = { bytes: k.freeBytes, components: k.kernel.components().length }
    t.equal(k.outcome(ROOT, "process_create", { ...plain, ...over }), expected, what)
    if (expected === "ok") continue
    t.strictSame({ bytes: k.freeBytes, components: k.kernel.components().length }, before, "nothing has changed")
  }
  t.strictSame(violations(k.state), [])
})

t.test("process_create needs process control and memory", async t => {
  const k = new TestKernel()
  const { untyped, processControl } = ConventionSlot
  const poor = k.spawn(ROOT, [untyped, untyped, 7])
  t.equal(k.outcome(poor.pid, "process_create", plain), "FailedLookup")
  const rich = k.spawn(ROOT, [untyped, untyped, 7, processControl, processControl, 7])
  t.equal(k.outcome(rich.pid, "process_create", plain), "ok")
  k.frame(ROOT, k.freeBytes - 8192)
  t.equal(k.outcome(ROOT, "process_create", plain), "NotEnoughMemory")
})

t.test("a component that cannot be spawned leaves nothing", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const before = k.freeBytes
  k.refuse = effect => (effect.kind === "spawn" ? new KernelError("FailedLookup", "no such component") : undefined)
  t.equal(k.outcome(ROOT, "process_create", { ...plain, capabilities: [20, frame, 3] }), "FailedLookup")
  t.equal(k.freeBytes, before)
  t.equal(k.kernel.components().length, 1)
  t.notOk(k.occupied(ROOT, 101))
  t.strictSame(violations(k.state), [])
})

t.test("no more than MAX_COMPONENTS live", async t => {
  const k = new TestKernel()
  // The slots of one root CNode hold fewer than that, so each TCB capability moves to a CNode of its own.
  const args = {
    untyped: ConventionSlot.untyped,
    type: ObjectType.CNode,
    sizeBits: 11,
    cnode: OWN_CNODE,
    slot: 50,
    count: 1,
  }
  k.call(ROOT, "retype", args)
  let last = 0
  for (let target = 0; target < MAX_COMPONENTS - 1; target++) {
    const { pid, tcb } = k.call(ROOT, "process_create", plain)
    k.call(ROOT, "cap_move", { sourceCNode: OWN_CNODE, source: tcb, targetCNode: 50, target })
    last = pid
  }
  t.equal(k.outcome(ROOT, "process_create", plain), "NotEnoughMemory")
  k.end(last)
  t.equal(k.outcome(ROOT, "process_create", plain), "ok")
})

t.test("process_wait answers with a report, made before or after, and then waits for the end", async t => {
  const k = new TestKernel()
  const { pid, tcb } = k.spawn()
  const report = (byte: number) => k.call(pid, "report", { report: new Uint8Array([byte]) })
  report(1)
  report(2)
  t.match(k.call(ROOT, "process_wait", { tcb }), { state: 0, report: new Uint8Array([2]) }, "the last one stands")
  const first = k.begin(ROOT, "process_wait", { tcb })
  t.equal(k.outcome(ROOT, "process_wait", { tcb }), "IllegalOperation", "one call at a time")
  const other = k.spawn()
  k.call(ROOT, "cap_grant", { source: tcb, tcb: other.tcb, slot: 50, rights: 1 })
  const second = k.begin(other.pid, "process_wait", { tcb: 50 })
  t.equal(first(), undefined)
  report(3)
  t.match(first(), { state: 0, report: new Uint8Array([3]) })
  t.match(second(), { state: 0, report: new Uint8Array([3]) }, "all who wait are answered")
  const third = k.begin(ROOT, "process_wait", { tcb })
  t.equal(third(), undefined)
  k.end(pid, { kind: "exited", code: 7 })
  t.match(third(), { state: 1, status: 7, detail: "" })
  t.match(k.call(ROOT, "process_wait", { tcb }), { state: 1, status: 7 }, "again and again")
})

t.test("process_wait tells how a component was killed; a report before that comes first", async t => {
  const k = new TestKernel()
  const { pid, tcb } = k.spawn()
  const address = k.map(ROOT, k.frame())
  const { address: there } = k.call(ROOT, "memory_map_into", { frame: 101, bytes: 4096, permissions: 1, pid })
  t.equal(there, address)
  k.call(pid, "report", { report: new Uint8Array([1]) })
  k.end(pid, { kind: "killed", signal: "SIGSEGV", fault: { address: there + 8, access: "write" } })
  t.match(k.call(ROOT, "process_wait", { tcb }), { state: 0 })
  t.match(k.call(ROOT, "process_wait", { tcb }), {
    state: 2,
    detail: /^killed by SIGSEGV: write.* 0x1010008 lies in frame 1, mapped r$/,
  })
})

t.test("process_wait, process_kill and process_start need a TCB capability with the right", async t => {
  const k = new TestKernel()
  const { tcb } = k.call(ROOT, "process_create", plain)
  const frame = k.frame()
  k.derive(ROOT, tcb, 50, 1)
  k.derive(ROOT, tcb, 51, 2)
  t.equal(k.outcome(ROOT, "process_wait", { tcb: 51 }), "IllegalOperation")
  t.equal(k.outcome(ROOT, "process_start", { tcb: 50 }), "IllegalOperation")
  t.equal(k.outcome(ROOT, "process_kill", { tcb: 50 }), "IllegalOperation")
  t.equal(k.outcome(ROOT, "process_wait", { tcb: frame }), "InvalidCapability")
  t.equal(k.outcome(ROOT, "process_kill", { tcb: 60 }), "FailedLookup")
  t.equal(k.outcome(ROOT, "process_wait", { tcb: ConventionSlot.ownTcb }), "IllegalOperation", "not for oneself")
  t.equal(k.outcome(ROOT, "process_wait", { tcb: 50 }), "IllegalOperation", "not for one that was never started")
  const doomed = k.call(ROOT, "process_create", plain)
  k.call(ROOT, "process_kill", { tcb: doomed.tcb })
  t.equal(k.begin(ROOT, "process_wait", { tcb: doomed.tcb })(), undefined, "but for one that was killed before it ran")
  t.equal(k.outcome(ROOT, "process_start", { tcb: 51 }), "ok")
  t.equal(k.begin(ROOT, "process_wait", { tcb: 50 })(), undefined, "with read it waits")
  t.equal(k.outcome(ROOT, "process_kill", { tcb: 51 }), "ok")
})

t.test("process_kill asks the broker, and does nothing to the dead", async t => {
  const k = new TestKernel()
  const { pid, tcb } = k.spawn()
  k.call(ROOT, "process_kill", { tcb })
  t.match(k.of("kill"), [{ component: pid }])
  k.end(pid, { kind: "killed", signal: "SIGKILL" })
  t.equal(k.outcome(ROOT, "process_kill", { tcb }), "ok")
  t.equal(k.of("kill").length, 1)
  t.equal(k.outcome(ROOT, "process_start", { tcb }), "FailedLookup")
})

t.test("a component's end empties its CSpace and gives back all but what others hold", async t => {
  const k = new TestKernel()
  const { untyped } = ConventionSlot
  const before = k.freeBytes
  const { pid, tcb } = k.spawn(ROOT, [untyped, untyped, 7])
  const own = k.frame(pid)
  k.map(pid, own)
  const target = k.spawn()
  k.call(ROOT, "cap_grant", { source: target.tcb, tcb, slot: 40, rights: 7 })
  k.call(pid, "memory_map_into", { frame: own, bytes: 4096, permissions: 3, pid: target.pid })
  t.equal(k.pages.size, 2)
  k.end(pid)
  t.equal(k.pages.size, 0, "what it mapped into others goes as well")
  t.equal(k.memories.size, 0)
  t.equal(k.kernel.componentName(pid), "child", "it is remembered by its TCB capability")
  k.delete(ROOT, tcb)
  k.end(target.pid)
  k.delete(ROOT, target.tcb)
  t.equal(k.freeBytes, before)
  t.equal(k.kernel.components().length, 1)
  t.strictSame(k.kernel.componentEnded(pid, { kind: "exited", code: 0 }), [], "an end that is told twice is none")
  t.strictSame(violations(k.state), [])
})

t.test(
  "deleting the last TCB capability kills; a component that deletes its own lives on by its creator's",
  async t => {
    const k = new TestKernel()
    const { pid, tcb } = k.spawn()
    for (const slot of [ConventionSlot.ownVSpace, ConventionSlot.ownTcb]) k.delete(pid, slot)
    k.call(pid, "cap_delete", { cnode: OWN_CNODE, slot: OWN_CNODE })
    t.equal(k.of("kill").length, 0)
    t.equal(k.outcome(pid, "debug_print", { text: "still here" }), "ok")
    t.strictSame(violations(k.state), [])
    k.delete(ROOT, tcb)
    t.match(k.of("kill"), [{ component: pid }])
    k.end(pid, { kind: "killed", signal: "SIGKILL" })
    t.equal(k.freeBytes, ROOT_BYTES)
  },
)

t.test("an untyped that is revoked while a component boots takes it along", async t => {
  const k = new TestKernel()
  const creating = k.suspend(ROOT, "process_create", plain)
  k.revoke(ROOT, ConventionSlot.untyped)
  t.match(k.of("kill"), [{ component: 2 }])
  t.throws(() => creating.commit(), { code: "Revoked" })
  k.end(2, { kind: "killed", signal: "SIGKILL" })
  t.equal(k.freeBytes, ROOT_BYTES)
})

t.test("a component that ends while it boots is not one that can be started", async t => {
  const k = new TestKernel()
  const creating = k.suspend(ROOT, "process_create", plain)
  k.end(2, { kind: "killed", signal: "SIGKILL" })
  t.throws(() => creating.commit(), { code: "Revoked", message: /^component 2 ".*" was taken away while it booted$/ })
  const boots = k.suspend(ROOT, "process_create", plain).commit()
  t.match(boots, { pid: 3 }, "one that does not can")
})

t.test("shutdown is the root task's, and so is the end of everything", async t => {
  for (const [name, run, ok] of [
    ["shutdown", (k: TestKernel) => k.call(ROOT, "shutdown", {}), true],
    ["exit 0", (k: TestKernel) => k.end(ROOT), true],
    ["exit 1", (k: TestKernel) => k.end(ROOT, { kind: "exited", code: 1 }), false],
    ["a signal", (k: TestKernel) => k.end(ROOT, { kind: "killed", signal: "SIGKILL" }), false],
  ] as const) {
    const k = new TestKernel()
    const { pid } = k.spawn()
    t.equal(k.outcome(pid, "shutdown", {}), "IllegalOperation")
    t.equal(k.of("shutdown").length, 0)
    run(k)
    t.match(k.of("kill"), [{ component: pid }], name)
    t.strictSame(k.of("shutdown"), [{ kind: "shutdown", ok }])
    k.end(pid)
    k.end(ROOT)
    t.equal(k.of("shutdown").length, 1, "once")
  }
})

t.test("report and debug_print take so many bytes and no more; the root task's report leaves the system", async t => {
  const k = new TestKernel()
  t.equal(k.outcome(ROOT, "report", { report: new Uint8Array(MAX_REPORT_BYTES) }), "ok")
  t.equal(k.of("report")[0]?.report.length, MAX_REPORT_BYTES)
  t.equal(k.outcome(ROOT, "report", { report: new Uint8Array(MAX_REPORT_BYTES + 1) }), "RangeError")
  t.equal(k.outcome(ROOT, "debug_print", { text: "é".repeat(MAX_PRINT_BYTES / 2) }), "ok")
  t.equal(k.outcome(ROOT, "debug_print", { text: "é".repeat(MAX_PRINT_BYTES / 2 + 1) }), "RangeError")
  t.match(k.of("print"), [{ component: ROOT }])
})

t.test("a component that nobody is left to start is ended with its creator", async t => {
  const authority = [ConventionSlot.untyped, ConventionSlot.processControl].flatMap(slot => [slot, slot, 7])
  for (const [what, prepare, ends] of [
    ["not started", () => {}, true],
    [
      "its TCB copied, into its own slots",
      (k, child) => k.call(child.by, "cap_grant", { ...child, source: child.tcb, slot: 40, rights: 7 }),
      true,
    ],
    ["started", (k, child) => k.call(child.by, "process_start", child), false],
    [
      "its TCB in another's slots",
      (k, child) => {
        const third = k.spawn(child.by)
        k.call(child.by, "cap_grant", { source: child.tcb, tcb: third.tcb, slot: 40, rights: 7 })
      },
      false,
    ],
  ] as [string, (k: TestKernel, child: { by: number; tcb: number }) => void, boolean][]) {
    const k = new TestKernel()
    const by = k.spawn(ROOT, authority).pid
    const { pid, tcb } = k.call(by, "process_create", plain)
    prepare(k, { by, tcb })
    k.end(by)
    t.equal(
      k.of("kill").some(({ component }) => component === pid),
      ends,
      what,
    )
    k.end(pid)
    t.strictSame(violations(k.state), [])
  }
})
