// retyped-component.test.ts: TCBs and VSpaces out of retype, and components that are made in them.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot, OBJECT_BYTES, ROOT_CNODE_SLOTS } from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import { Right } from "../../../src/kernel-daemon/abi/rights.ts"
import { NO_SLOT, type SyscallName } from "../../../src/kernel-daemon/abi/syscalls.ts"
import { OWN_CNODE, ROOT, ROOT_BYTES, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"
import { snapshot } from "../../helpers/kernel-snapshot.ts"

const cnode = OWN_CNODE
const TCB = 50
const VSPACE = 51
const spawn = {
  componentName: "child",
  arguments: [] as number[],
  capabilities: [] as number[],
  priority: 0,
  confined: 1,
  tcb: TCB as number,
  vspace: VSPACE as number,
}
const KILLED = { kind: "killed", signal: "SIGKILL" } as const

function make(k: TestKernel, type: number, slot: number, untyped: number = ConventionSlot.untyped): void {
  k.call(ROOT, "retype", { untyped, type, sizeBits: 0, cnode, slot, count: 1 })
}

/** A kernel whose root task has an inactive TCB and an empty VSpace. */
function withBoth(): TestKernel {
  const k = new TestKernel()
  make(k, ObjectType.TCB, TCB)
  make(k, ObjectType.VSpace, VSPACE)
  return k
}

t.test("retype makes TCBs and VSpaces that are charged, handed on as any, and given back", async t => {
  for (const [type, bytes] of [
    [ObjectType.TCB, OBJECT_BYTES.tcb],
    [ObjectType.VSpace, OBJECT_BYTES.vspace],
  ] as const) {
    const k = new TestKernel()
    const child = k.spawn()
    const before = k.freeBytes
    make(k, type, TCB)
    t.equal(k.freeBytes, before - bytes)
    t.equal(k.rightsOf(ROOT, TCB), 7)
    k.call(ROOT, "cap_copy", { sourceCNode: cnode, source: TCB, targetCNode: cnode, target: 60 })
    k.call(ROOT, "cap_move", { sourceCNode: cnode, source: 60, targetCNode: cnode, target: 61 })
    k.derive(ROOT, 61, 62, Right.read)
    k.call(ROOT, "cap_grant", { source: TCB, tcb: child.tcb, slot: 40, rights: Right.read })
    t.strictSame(violations(k.state), [])
    k.revoke(ROOT, TCB)
    t.strictSame(
      [61, 62].filter(slot => k.occupied(ROOT, slot)),
      [],
    )
    t.notOk(k.occupied(child.pid, 40))
    k.call(ROOT, "cap_grant", { source: TCB, tcb: child.tcb, slot: 40, rights: Right.read })
    k.delete(ROOT, TCB)
    t.equal(k.freeBytes, before - bytes, "the granted one keeps it")
    k.delete(child.pid, 40)
    t.equal(k.freeBytes, before)
    t.equal(k.of("kill").length, 0, "there was nobody to kill")
    make(k, type, TCB)
    k.revoke(ROOT, ConventionSlot.untyped)
    k.end(child.pid, KILLED)
    t.equal(k.freeBytes, ROOT_BYTES)
    t.equal(k.kernel.components().length, 1)
  }
})

t.test("a call on an inactive TCB is refused, and told what to do; made, it is taken", async t => {
  const k = withBoth()
  const frame = k.frame()
  const address = k.map(ROOT, frame)
  const range = { address, bytes: 4096, targetAddress: 0x2000_0000, permissions: 1 }
  const calls: readonly (readonly [SyscallName, object])[] = [
    ["process_describe", { tcb: TCB }],
    ["memory_share", { tcb: TCB, ...range }],
    ["cap_grant", { source: frame, tcb: TCB, slot: 40, rights: 1 }],
    ["cap_insert_into", { source: frame, tcb: TCB, slot: 41 }],
    ["process_start", { tcb: TCB }],
    ["process_kill", { tcb: TCB }],
    ["process_wait", { tcb: TCB }],
  ]
  const run = (name: SyscallName, args: object) => k.begin(ROOT, name, args as never)()
  const before = snapshot(k.state)
  for (const [name, args] of calls) {
    t.throws(() => run(name, args), { code: "IllegalOperation", message: /inactive TCB.*process_create.*50/ }, name)
  }
  t.strictSame(snapshot(k.state), before)
  const { pid } = k.call(ROOT, "process_create", spawn)
  for (const [name, args] of calls) t.doesNotThrow(() => run(name, args), name)
  t.match(k.of("kill"), [{ component: pid }])
})

t.test("a pid names no inactive TCB, whatever else the caller holds", async t => {
  const k = withBoth()
  const map = { frame: k.frame(), bytes: 4096, permissions: 1 }
  for (const pid of [0, 2]) t.equal(k.outcome(ROOT, "memory_map_into", { ...map, pid }), "FailedLookup")
  const { pid } = k.call(ROOT, "process_create", spawn)
  make(k, ObjectType.TCB, 49)
  t.equal(k.outcome(ROOT, "memory_map_into", { ...map, pid }), "ok")
})

t.test(
  "process_create makes the component in the TCB and the VSpace that it is given, and charges the rest",
  async t => {
    for (const [tcb, vspace] of [
      [TCB, VSPACE],
      [TCB, NO_SLOT],
      [NO_SLOT, VSPACE],
    ] as const) {
      const k = withBoth()
      const rootCNode = k.state.components.get(ROOT)?.cspace
      const before = k.freeBytes
      const made = k.call(ROOT, "process_create", { ...spawn, tcb, vspace })
      const own = (tcb === NO_SLOT ? OBJECT_BYTES.tcb : 0) + (vspace === NO_SLOT ? OBJECT_BYTES.vspace : 0)
      t.equal(before - k.freeBytes, own + ROOT_CNODE_SLOTS * OBJECT_BYTES.capSlot)
      t.equal(made.tcb, tcb === NO_SLOT ? 100 : TCB)
      t.equal(k.occupied(ROOT, 100), tcb === NO_SLOT)
      const child = k.state.components.get(made.pid)
      t.equal(rootCNode?.slots[made.tcb]?.object, child)
      t.equal(child?.cspace.slots[ConventionSlot.ownTcb]?.object, child)
      t.equal(child?.cspace.slots[ConventionSlot.ownVSpace]?.object, child?.vspace)
      if (vspace !== NO_SLOT) t.equal(rootCNode?.slots[vspace]?.object, child?.vspace)
      t.strictSame(violations(k.state), [])
      k.call(ROOT, "process_start", { tcb: made.tcb })
      k.map(made.pid, k.call(ROOT, "cap_grant", { source: k.frame(), tcb: made.tcb, slot: 40, rights: 7 }) && 40)
      k.end(made.pid)
      t.match(k.call(ROOT, "process_wait", { tcb: made.tcb }), { state: 1 })
      k.revoke(ROOT, ConventionSlot.untyped)
      t.equal(k.freeBytes, ROOT_BYTES)
      t.strictSame(violations(k.state), [])
    }
  },
)

t.test("process_create refuses a TCB or VSpace that is none, lacks write, or has had a component", async t => {
  const k = withBoth()
  const frame = k.frame()
  const other = k.spawn()
  k.derive(ROOT, TCB, 60, Right.read | Right.grant)
  k.derive(ROOT, VSPACE, 61, Right.read | Right.grant)
  k.derive(ROOT, TCB, 62, Right.write)
  k.derive(ROOT, VSPACE, 63, Right.write)
  const ended = k.spawn()
  k.end(ended.pid)
  const outcome = (over: Partial<typeof spawn>) => k.outcome(ROOT, "process_create", { ...spawn, ...over })
  const refused: readonly (readonly [string, Partial<typeof spawn>, string])[] = [
    ["a TCB that is a frame", { tcb: frame }, "InvalidCapability"],
    ["a TCB that is a VSpace", { tcb: VSPACE }, "InvalidCapability"],
    ["a VSpace that is a TCB", { vspace: TCB }, "InvalidCapability"],
    ["a TCB from an empty slot", { tcb: 70 }, "FailedLookup"],
    ["a VSpace from a slot beyond", { vspace: ROOT_CNODE_SLOTS }, "FailedLookup"],
    ["a TCB without write", { tcb: 60 }, "IllegalOperation"],
    ["a VSpace without write", { vspace: 61 }, "IllegalOperation"],
    ["its own TCB", { tcb: ConventionSlot.ownTcb }, "IllegalOperation"],
    ["its own VSpace", { vspace: ConventionSlot.ownVSpace }, "IllegalOperation"],
    ["the TCB of another that lives", { tcb: other.tcb }, "IllegalOperation"],
    ["the TCB of one that has ended", { tcb: ended.tcb }, "IllegalOperation"],
    ["two for one slot", { capabilities: [20, frame, 1, 20, frame, 1] }, "DeleteFirst"],
  ]
  for (const [what, over, expected] of refused) {
    const before = snapshot(k.state)
    t.equal(outcome(over), expected, what)
    t.strictSame(snapshot(k.state), before, "nothing has changed")
  }
  t.equal(outcome({ tcb: 62, vspace: 63 }), "ok", "with just write")
  t.equal(outcome({ vspace: NO_SLOT }), "IllegalOperation", "a second component in one TCB")
  t.equal(outcome({ tcb: NO_SLOT }), "IllegalOperation", "a second component in one VSpace")
  t.strictSame(violations(k.state), [])
})

t.test("process_create takes nothing that is being revoked", async t => {
  for (const slot of [TCB, VSPACE]) {
    const k = withBoth()
    k.call(ROOT, "retype", {
      ...{ untyped: ConventionSlot.untyped, type: ObjectType.CNode, sizeBits: 12 },
      ...{ cnode, slot: 60, count: 1 },
    })
    for (let target = 0; target < 2_500; target++) {
      k.derive(ROOT, slot, 61)
      k.call(ROOT, "cap_move", { sourceCNode: cnode, source: 61, targetCNode: 60, target })
    }
    k.holdContinues = true
    const revoked = k.begin(ROOT, "cap_revoke", { cnode, slot })
    t.equal(k.outcome(ROOT, "process_create", spawn), "RevokeFirst")
    k.holdContinues = false
    k.resume(k.of("continue").at(-1)?.token ?? 0)
    t.ok(revoked())
    t.equal(k.outcome(ROOT, "process_create", spawn), "ok")
  }
})

t.test("a component that cannot be spawned leaves TCB and VSpace as they were", async t => {
  const k = withBoth()
  const frame = k.frame()
  const gifts = [20, frame, 3]
  for (const over of [{}, { tcb: NO_SLOT }, { vspace: NO_SLOT }]) {
    const before = snapshot(k.state)
    k.refuse = effect => (effect.kind === "spawn" ? new KernelError("FailedLookup", "no such component") : undefined)
    t.equal(k.outcome(ROOT, "process_create", { ...spawn, ...over, capabilities: gifts }), "FailedLookup")
    t.strictSame(snapshot(k.state), before)
    t.equal(k.outcome(ROOT, "process_kill", { tcb: TCB }), "IllegalOperation", "inactive again")
    t.strictSame(violations(k.state), [])
  }
  k.refuse = () => undefined
  const { pid } = k.call(ROOT, "process_create", { ...spawn, capabilities: gifts })
  k.call(ROOT, "process_start", { tcb: TCB })
  t.equal(k.outcome(pid, "yield", {}), "ok")
})

t.test("one that is killed and refused while it boots is as inactive as before", async t => {
  const k = withBoth()
  const before = snapshot(k.state)
  const creating = k.suspend(ROOT, "process_create", spawn)
  t.equal(k.outcome(ROOT, "process_start", { tcb: TCB }), "IllegalOperation", "it boots")
  k.call(ROOT, "process_kill", { tcb: TCB })
  t.throws(() => creating.refuse(new KernelError("FailedLookup", "no such component")), { code: "FailedLookup" })
  t.strictSame(snapshot(k.state), before)
  k.call(ROOT, "process_create", spawn)
  t.equal(k.outcome(ROOT, "process_wait", { tcb: TCB }), "IllegalOperation", "nothing of the first one's end is left")
})

t.test("memory that is revoked while a component boots in it takes the component along", async t => {
  const k = new TestKernel()
  const memory = { type: ObjectType.Untyped, sizeBits: 13, slot: 40, count: 1 }
  k.call(ROOT, "retype", { untyped: ConventionSlot.untyped, cnode, ...memory })
  make(k, ObjectType.TCB, TCB, 40)
  make(k, ObjectType.VSpace, VSPACE, 40)
  t.equal(
    k.outcome(ROOT, "retype", { untyped: 40, type: 4, sizeBits: 0, cnode, slot: 60, count: 1 }),
    "NotEnoughMemory",
  )
  const creating = k.suspend(ROOT, "process_create", spawn)
  k.revoke(ROOT, 40)
  t.match(k.of("kill"), [{ component: 2 }])
  t.throws(() => creating.commit(), { code: "Revoked" })
  k.end(2, KILLED)
  k.delete(ROOT, 40)
  t.equal(k.freeBytes, ROOT_BYTES)
  t.strictSame(violations(k.state), [])
})
