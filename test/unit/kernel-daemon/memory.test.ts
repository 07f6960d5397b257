// memory.test.ts: frames into VSpaces and out again, by their holder, by others, and by revocation.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { MAX_MAPPINGS, PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { FRAMES_END, FRAMES_START } from "../../../src/kernel-daemon/abi/vspace-map.ts"
import { ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const bytes = PAGE_BYTES

t.test("memory_map chooses page-aligned addresses with a guard page between, and uses gaps again", async t => {
  const k = new TestKernel()
  const frame = k.frame(ROOT, 3 * PAGE_BYTES)
  const first = k.map(ROOT, frame, 3, 3 * PAGE_BYTES)
  const second = k.map(ROOT, frame, 1, PAGE_BYTES)
  const third = k.map(ROOT, frame, 1, PAGE_BYTES)
  t.strictSame(
    [first, second, third],
    [0, 4, 6].map(page => FRAMES_START + page * PAGE_BYTES),
  )
  k.call(ROOT, "memory_unmap", { address: first, bytes: 3 * PAGE_BYTES })
  t.equal(k.map(ROOT, frame, 1, 2 * PAGE_BYTES), first, "first fit")
  t.equal(k.map(ROOT, frame, 1, 2 * PAGE_BYTES), FRAMES_START + 8 * PAGE_BYTES, "what does not fit goes behind")
  t.strictSame(violations(k.state), [])
})

t.test("memory_map refuses every wrong argument by its own error", async t => {
  const k = new TestKernel()
  const frame = k.frame(ROOT, 2 * PAGE_BYTES)
  const notification = k.notification()
  k.derive(ROOT, frame, 50, 1)
  k.derive(ROOT, frame, 51, 4)
  for (const [slot, length, permissions, expected] of [
    [frame, bytes, 1, "ok"],
    [frame, bytes, 3, "ok"],
    [frame, 2 * bytes, 3, "ok"],
    [frame, 0, 3, "InvalidArgument"],
    [frame, bytes + 1, 3, "AlignmentError"],
    [frame, 3 * bytes, 3, "RangeError"],
    [frame, bytes, 0, "InvalidArgument"],
    [frame, bytes, 2, "InvalidArgument"],
    [frame, bytes, 4, "InvalidArgument"],
    [frame, bytes, 5, "InvalidArgument"],
    [frame, bytes, 0xffff_ffff, "InvalidArgument"],
    [50, bytes, 1, "ok"],
    [50, bytes, 3, "IllegalOperation"],
    [51, bytes, 1, "IllegalOperation"],
    [notification, bytes, 1, "InvalidCapability"],
    [60, bytes, 1, "FailedLookup"],
    [0xffff_ffff, bytes, 1, "FailedLookup"],
  ] as const) {
    const before = k.pages.size
    const outcome = k.outcome(ROOT, "memory_map", { frame: slot, bytes: length, permissions })
    t.equal(outcome, expected, `slot ${slot}, ${length} bytes, permissions ${permissions}`)
    t.equal(k.pages.size - before, expected === "ok" ? 1 : 0)
  }
  t.throws(() => k.map(ROOT, 50, 3), { message: "permissions rw exceed what slot 50 allows, r, by w" })
})

t.test("memory_map refuses when the VSpace is full, and when Linux does, and gives the range back", async t => {
  const k = new TestKernel()
  const whole = 512 * 1024 * 1024
  const frame = k.frame(ROOT, whole)
  k.map(ROOT, frame, 1, whole)
  t.equal(k.outcome(ROOT, "memory_map", { frame, bytes: whole, permissions: 1 }), "NotEnoughMemory")
  k.refuse = () => new KernelError("NotEnoughMemory", "Linux has none")
  t.equal(k.outcome(ROOT, "memory_map", { frame, bytes, permissions: 1 }), "NotEnoughMemory")
  k.refuse = () => undefined
  t.equal(k.map(ROOT, frame, 1), FRAMES_START + whole + PAGE_BYTES)
  t.strictSame(violations(k.state), [])
})

t.test("a VSpace takes MAX_MAPPINGS mappings, then one for each that goes", async t => {
  const k = new TestKernel()
  const child = k.spawn()
  const frame = k.frame()
  const into = { frame, bytes, permissions: 1, pid: child.pid }
  const share = {
    tcb: child.tcb,
    address: k.map(ROOT, frame),
    bytes,
    permissions: 1,
    targetAddress: FRAMES_END - bytes,
  }
  for (let count = 1; count < MAX_MAPPINGS; count++) k.call(ROOT, "memory_map_into", into)
  t.equal(k.outcome(ROOT, "memory_share", share), "ok", "the last")
  t.equal(k.outcome(ROOT, "memory_map_into", into), "NotEnoughMemory")
  const { address } = [...k.pages.values()].find(({ component }) => component === child.pid) as { address: number }
  t.equal(k.outcome(child.pid, "memory_unmap", { address, bytes }), "ok")
  t.equal(k.outcome(ROOT, "memory_map_into", into), "ok")
  t.equal(k.outcome(ROOT, "memory_share", { ...share, targetAddress: FRAMES_END / 2 }), "NotEnoughMemory")
})

t.test("memory_map_into needs a TCB capability with write to a component that lives", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn()
  const stranger = k.spawn(ROOT, [20, frame, 7])
  const into = (caller: number, slot: number, pid: number) =>
    k.outcome(caller, "memory_map_into", { frame: slot, bytes, permissions: 3, pid })
  t.equal(into(ROOT, frame, child.pid), "ok")
  t.equal(into(ROOT, frame, 99), "FailedLookup")
  t.equal(into(stranger.pid, 20, child.pid), "FailedLookup", "a pid alone is no authority")
  t.equal(into(stranger.pid, 20, stranger.pid), "ok", "one's own TCB is one")
  k.call(ROOT, "cap_grant", { source: child.tcb, tcb: stranger.tcb, slot: 21, rights: 1 })
  t.equal(into(stranger.pid, 20, child.pid), "IllegalOperation", "nor is a TCB capability without write")
  k.call(ROOT, "cap_grant", { source: child.tcb, tcb: stranger.tcb, slot: 22, rights: 2 })
  t.equal(into(stranger.pid, 20, child.pid), "ok")
  k.end(child.pid)
  t.throws(() => k.call(ROOT, "memory_map_into", { frame, bytes, permissions: 3, pid: child.pid }), {
    code: "FailedLookup",
    message: `component ${child.pid} "child" has ended`,
  })
  t.strictSame(violations(k.state), [])
})

t.test("a mapping goes with the capability that it was made through, in whichever component it is", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn()
  k.derive(ROOT, frame, 50, 3)
  const { address } = k.call(ROOT, "memory_map_into", { frame: 50, bytes, permissions: 3, pid: child.pid })
  const own = k.map(ROOT, frame)
  const revoke = k.suspend(ROOT, "cap_revoke", { cnode: 2, slot: frame })
  const [memory] = k.memories.keys()
  t.strictSame(revoke.acquire, [
    { kind: "unmap", component: child.pid, address, bytes },
    { kind: "prove-unmapped", component: child.pid, memory, bellsOf: memory },
  ])
  revoke.commit()
  t.notOk(k.pages.has(`${child.pid}:${address}`))
  t.ok(k.pages.has(`${ROOT}:${own}`), "the source's own mapping stays")
  k.delete(ROOT, frame)
  t.equal(k.pages.size, 0)
  t.equal(k.memories.size, 0)
})

t.test("memory_unmap takes exactly one mapping out, and only the caller's", async t => {
  const k = new TestKernel()
  const frame = k.frame(ROOT, 2 * PAGE_BYTES)
  const child = k.spawn()
  const address = k.map(ROOT, frame, 3, 2 * PAGE_BYTES)
  const unmap = (caller: number, at: number, length: number) =>
    k.outcome(caller, "memory_unmap", { address: at, bytes: length })
  t.equal(unmap(ROOT, address, PAGE_BYTES), "FailedLookup", "a part")
  t.equal(unmap(ROOT, address + PAGE_BYTES, PAGE_BYTES), "FailedLookup")
  t.equal(unmap(ROOT, 0, PAGE_BYTES), "FailedLookup")
  t.equal(unmap(ROOT, Number.MAX_SAFE_INTEGER, PAGE_BYTES), "FailedLookup")
  t.equal(unmap(child.pid, address, 2 * PAGE_BYTES), "FailedLookup", "another's")
  t.equal(unmap(ROOT, address, 2 * PAGE_BYTES), "ok")
  t.equal(unmap(ROOT, address, 2 * PAGE_BYTES), "FailedLookup", "a second time")
  t.equal(k.pages.size, 0)
})

t.test(
  "memory_remap stays within the capability's rights, for the target of another's mapping within what it has",
  async t => {
    const k = new TestKernel()
    const frame = k.frame()
    const child = k.spawn()
    const address = k.map(ROOT, frame, 1)
    const remap = (caller: number, at: number, permissions: number) =>
      k.outcome(caller, "memory_remap", { address: at, bytes, permissions })
    t.equal(remap(ROOT, address, 3), "ok")
    t.equal(k.pages.get(`${ROOT}:${address}`)?.permissions, 3)
    t.equal(remap(ROOT, address, 1), "ok")
    t.equal(remap(ROOT, address, 2), "InvalidArgument")
    t.equal(remap(ROOT, address + bytes, 1), "FailedLookup")
    const given = k.call(ROOT, "memory_map_into", { frame, bytes, permissions: 1, pid: child.pid }).address
    t.equal(remap(child.pid, given, 3), "IllegalOperation", "the mapper's rights are not the target's")
    t.equal(remap(child.pid, given, 1), "ok")
    k.derive(ROOT, frame, 50, 1)
    const weak = k.map(ROOT, 50, 1)
    t.equal(remap(ROOT, weak, 3), "IllegalOperation")
  },
)

t.test("memory_share shows an own frame at an address of the caller's choice", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, 3])
  const address = k.map(ROOT, frame)
  const at = FRAMES_START + 16 * PAGE_BYTES
  const share = (over: object) => {
    const args = { tcb: child.tcb, address, bytes, targetAddress: at, permissions: 1, ...over }
    return k.outcome(ROOT, "memory_share", args)
  }
  t.equal(share({}), "ok")
  t.equal(k.pages.get(`${child.pid}:${at}`)?.permissions, 1)
  t.equal(share({}), "DeleteFirst")
  t.equal(share({ targetAddress: at + PAGE_BYTES }), "DeleteFirst", "the guard page behind")
  t.equal(share({ targetAddress: at - PAGE_BYTES }), "DeleteFirst", "and in front")
  t.equal(share({ targetAddress: at + 2 * PAGE_BYTES }), "ok")
  t.equal(share({ targetAddress: at + 1 }), "AlignmentError")
  t.equal(share({ targetAddress: FRAMES_START - PAGE_BYTES }), "RangeError")
  t.equal(share({ targetAddress: FRAMES_END }), "RangeError")
  t.equal(share({ targetAddress: Number.MAX_SAFE_INTEGER - 4095 }), "RangeError")
  t.equal(share({ targetAddress: FRAMES_END - PAGE_BYTES }), "ok", "the last page")
  t.equal(share({ address: address + PAGE_BYTES, targetAddress: FRAMES_START }), "FailedLookup")
  t.equal(share({ tcb: frame }), "InvalidCapability")
  const given = k.call(ROOT, "memory_map_into", { frame, bytes, permissions: 3, pid: child.pid }).address
  k.call(ROOT, "cap_grant", { source: child.tcb, tcb: child.tcb, slot: 30, rights: 7 })
  const onward = { tcb: 30, address: given, bytes, targetAddress: FRAMES_END - 8 * PAGE_BYTES, permissions: 1 }
  t.equal(k.outcome(child.pid, "memory_share", onward), "IllegalOperation", "who was given a mapping cannot pass it on")
  t.strictSame(violations(k.state), [])
})

t.test("a revoke that comes while the broker maps takes the mapping, and the call is refused", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, 3])
  const mapping = k.suspend(child.pid, "memory_map", { frame: 20, bytes, permissions: 3 })
  k.revoke(ROOT, frame)
  t.throws(() => mapping.commit(), { code: "Revoked" })
  t.equal(k.state.components.get(child.pid)?.vspace.mappings.length, 0, "its range is free again")
  t.strictSame(violations(k.state), [])
})

t.test("a range is given to nothing else while an unmap of it is under way", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, 3])
  const other = k.spawn(ROOT, [20, frame, 3])
  const address = k.map(child.pid, 20)
  const revoke = k.suspend(ROOT, "cap_revoke", { cnode: 2, slot: frame })
  t.equal(k.outcome(child.pid, "memory_unmap", { address, bytes }), "IllegalOperation")
  const { address: next } = k.call(ROOT, "memory_map_into", { frame: k.frame(), bytes, permissions: 1, pid: child.pid })
  t.not(next, address, "the revoke's unmap would hit what is put there")
  t.equal(k.outcome(other.pid, "memory_map", { frame: 20, bytes, permissions: 1 }), "RevokeFirst")
  revoke.commit()
  t.equal(k.map(child.pid, grantFrame(k, child.tcb)), address, "afterwards it is free")
  t.strictSame(violations(k.state), [])
})

function grantFrame(k: TestKernel, tcb: number): number {
  k.call(ROOT, "cap_grant", { source: k.frame(), tcb, slot: 40, rights: 3 })
  return 40
}

t.test("explainAddress() tells what an address is", async t => {
  const k = new TestKernel()
  const address = k.map(ROOT, k.frame(), 1)
  const text = `0x${address.toString(16)}`
  const explain = (at: number) => k.kernel.explainAddress(ROOT, at)
  t.equal(explain(address), `${text} lies in frame 1, mapped r`)
  t.equal(explain(address + PAGE_BYTES), "0x1011000 is not mapped")
  t.equal(explain(0), "0x0 is not mapped")
  t.equal(explain(0x2000), "0x2000 lies in private memory")
  t.equal(explain(2 ** 52), "0x10000000000000 is not mapped")
})
