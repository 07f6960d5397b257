// creation.test.ts: objects out of untyped memory, and the memory back again.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot, PAGE_BYTES, ROOT_CNODE_SLOTS } from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import { Right } from "../../../src/kernel-daemon/abi/rights.ts"
import { OWN_CNODE, ROOT, ROOT_BYTES, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const NO_MEMORY = new KernelError("NotEnoughMemory", "Linux has none")

function retypeArgs(over: Partial<Record<"untyped" | "type" | "sizeBits" | "cnode" | "slot" | "count", number>>) {
  const untyped: number = ConventionSlot.untyped
  return {
    untyped,
    type: ObjectType.Endpoint as number,
    sizeBits: 0,
    cnode: OWN_CNODE as number,
    slot: 50,
    count: 1,
    ...over,
  }
}

t.test("memory_allocate rounds up to pages, charges the untyped and takes the plan's slots", async t => {
  const k = new TestKernel()
  t.equal(k.frame(ROOT, 1), 100)
  t.equal(k.call(ROOT, "cap_allocate", {}).slot, 101)
  t.equal(k.notification(), 102)
  t.equal(k.notification(), 103)
  t.equal(k.freeBytes, ROOT_BYTES - 3 * PAGE_BYTES)
  t.strictSame([...k.memories.values()], [PAGE_BYTES, PAGE_BYTES, PAGE_BYTES])
  k.frame(ROOT, PAGE_BYTES + 1)
  t.equal([...k.memories.values()].at(-1), 2 * PAGE_BYTES)
})

t.test("memory_allocate refuses nothing, too much, and what Linux has not; then nothing has changed", async t => {
  const k = new TestKernel()
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: 0 }), "InvalidArgument")
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: ROOT_BYTES + 1 }), "NotEnoughMemory")
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: Number.MAX_SAFE_INTEGER }), "NotEnoughMemory")
  k.refuse = () => NO_MEMORY
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: 1 }), "NotEnoughMemory")
  t.equal(k.freeBytes, ROOT_BYTES)
  k.refuse = () => undefined
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: ROOT_BYTES }), "ok", "all of it")
  t.equal(k.freeBytes, 0)
  t.equal(k.outcome(ROOT, "endpoint_create", {}), "NotEnoughMemory")
})

t.test("creating needs an untyped in its convention slot", async t => {
  const k = new TestKernel()
  const child = k.spawn()
  t.equal(k.outcome(child.pid, "memory_allocate", { bytes: 1 }), "FailedLookup")
  const blessed = k.spawn(ROOT, [ConventionSlot.untyped, ConventionSlot.untyped, 7])
  t.equal(k.outcome(blessed.pid, "memory_allocate", { bytes: 1 }), "ok", "one that was given it can")
})

t.test("the last capability destroys the object and gives its memory back", async t => {
  const k = new TestKernel()
  const frame = k.frame(ROOT, 2 * PAGE_BYTES)
  k.derive(ROOT, frame, 50)
  k.delete(ROOT, frame)
  t.equal(k.memories.size, 1, "a derived one keeps it")
  k.delete(ROOT, 50)
  t.equal(k.memories.size, 0)
  t.equal(k.freeBytes, ROOT_BYTES)
  const endpoint = k.call(ROOT, "endpoint_create", {}).slot
  t.ok(k.freeBytes < ROOT_BYTES)
  k.delete(ROOT, endpoint)
  t.equal(k.freeBytes, ROOT_BYTES)
})

t.test("retype refuses in seL4's order and changes nothing", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  for (const [what, over, expected] of [
    ["one endpoint", {}, "ok"],
    ["no untyped", { untyped: frame }, "InvalidCapability"],
    ["an empty slot", { untyped: 60 }, "FailedLookup"],
    ["a page table", { type: ObjectType.PageTable }, "InvalidArgument"],
    ["no type", { type: 99 }, "InvalidArgument"],
    ["a frame below a page", { type: ObjectType.Page, sizeBits: 11 }, "RangeError"],
    ["a frame of a page", { type: ObjectType.Page, sizeBits: 12, slot: 51 }, "ok"],
    ["a frame beyond a VSpace", { type: ObjectType.Page, sizeBits: 31 }, "RangeError"],
    ["a CNode of no bits", { type: ObjectType.CNode, sizeBits: 0 }, "RangeError"],
    ["a CNode too large", { type: ObjectType.CNode, sizeBits: 17 }, "RangeError"],
    ["an untyped too small", { type: ObjectType.Untyped, sizeBits: 3 }, "RangeError"],
    ["more than there is", { type: ObjectType.Untyped, sizeBits: 33, slot: 60 }, "NotEnoughMemory"],
    ["no CNode", { cnode: frame }, "InvalidCapability"],
    ["a slot beyond", { slot: ROOT_CNODE_SLOTS }, "RangeError"],
    ["none", { count: 0 }, "RangeError"],
    ["beyond the last slot", { slot: ROOT_CNODE_SLOTS - 1, count: 2 }, "RangeError"],
    ["up to the last slot", { slot: ROOT_CNODE_SLOTS - 2, count: 2 }, "ok"],
    ["an occupied one among the slots", { slot: 49, count: 2 }, "DeleteFirst"],
  ] as const) {
    const before = k.freeBytes
    t.equal(k.outcome(ROOT, "retype", retypeArgs(over)), expected, what)
    if (expected !== "ok") t.equal(k.freeBytes, before, "a refusal costs nothing")
  }
  t.notOk(k.occupied(ROOT, 49))
  t.strictSame(violations(k.state), [])
})

t.test("retype fills an untyped to the last byte, and a revoke makes it whole", async t => {
  const k = new TestKernel()
  k.call(ROOT, "retype", retypeArgs({ type: ObjectType.Untyped, sizeBits: 14 }))
  const small = { untyped: 50, type: ObjectType.Page, sizeBits: 12 }
  t.equal(k.outcome(ROOT, "retype", retypeArgs({ ...small, slot: 51, count: 5 })), "NotEnoughMemory")
  for (const slot of [51, 52, 53, 54]) t.equal(k.outcome(ROOT, "retype", retypeArgs({ ...small, slot })), "ok")
  t.equal(k.outcome(ROOT, "retype", retypeArgs({ ...small, slot: 55 })), "NotEnoughMemory")
  k.revoke(ROOT, 50)
  t.equal(k.memories.size, 0)
  t.equal(k.outcome(ROOT, "retype", retypeArgs({ ...small, slot: 51, count: 4 })), "ok", "free and used again")
  k.delete(ROOT, 50)
  t.equal(k.freeBytes, ROOT_BYTES - 2 ** 14, "an untyped that is gone is given back only when its objects are")
  for (const slot of [51, 52, 53, 54]) k.delete(ROOT, slot)
  t.equal(k.freeBytes, ROOT_BYTES)
})

t.test("revoking the untyped destroys everything, components included", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, 3])
  k.map(child.pid, 20)
  k.revoke(ROOT, ConventionSlot.untyped)
  t.equal(k.pages.size, 0, "no mapping is left")
  t.equal(k.memories.size, 0)
  t.equal(k.of("kill").at(-1)?.component, child.pid)
  k.end(child.pid, { kind: "killed", signal: "SIGKILL" })
  t.equal(k.freeBytes, ROOT_BYTES)
  t.strictSame(
    k.kernel.components().map(({ id }) => id),
    [ROOT],
  )
  t.strictSame(violations(k.state), [])
})

t.test("a CNode's contents go with its last capability, another CNode's inside it too", async t => {
  const k = new TestKernel()
  const cnode = { type: ObjectType.CNode, sizeBits: 4 }
  k.call(ROOT, "retype", retypeArgs({ ...cnode, slot: 50 }))
  k.call(ROOT, "retype", retypeArgs({ ...cnode, cnode: 50, slot: 0 }))
  k.call(ROOT, "cap_copy", { sourceCNode: 50, source: 0, targetCNode: OWN_CNODE, target: 51 })
  k.call(ROOT, "retype", retypeArgs({ type: ObjectType.Page, sizeBits: 12, cnode: 51, slot: 3, count: 2 }))
  t.equal(k.memories.size, 2)
  t.strictSame(violations(k.state), [])
  k.delete(ROOT, 51)
  t.equal(k.memories.size, 2)
  k.delete(ROOT, 50)
  t.equal(k.memories.size, 0)
  t.equal(k.freeBytes, ROOT_BYTES)
})

t.test("an untyped capability with fewer rights makes what has no more, and without write nothing", async t => {
  for (const rights of [0, 1, 2, 3, 4, 5, 6, 7]) {
    const k = new TestKernel()
    k.derive(ROOT, ConventionSlot.untyped, 40, rights)
    const free = k.freeBytes
    const mayMake = (rights & Right.write) !== 0
    const expected = mayMake ? "ok" : "IllegalOperation"
    t.equal(k.outcome(ROOT, "retype", retypeArgs({ untyped: 40 })), expected, `retype through rights ${rights}`)
    t.equal(k.freeBytes < free, mayMake, "a refusal changes nothing")
    if (mayMake) t.equal(k.rightsOf(ROOT, 50), rights, "no more than the untyped's")
    const child = k.spawn(ROOT, [ConventionSlot.untyped, ConventionSlot.untyped, rights])
    t.equal(k.outcome(child.pid, "memory_allocate", { bytes: 1 }), expected, `allocate with rights ${rights}`)
    if (mayMake) t.equal(k.rightsOf(child.pid, 100), rights)
  }
})
