// kernel-checks.test.ts: checks that matter only while another call is under way, or when a table is full. Found missing
// from the tests by scripts/check-mutants.ts.

import t from "tap"
import { ConventionSlot } from "../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../src/kernel-daemon/abi/object-types.ts"
import { ALL_RIGHTS, Right } from "../../src/kernel-daemon/abi/rights.ts"
import { AttachRole, NO_SLOT } from "../../src/kernel-daemon/abi/syscalls.ts"
import { MAX_STATUS_WORDS } from "../../src/kernel-daemon/abi/vspace-map.ts"
import type { Frame } from "../../src/kernel-daemon/objects/frame.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../helpers/kernel.ts"

const { untyped, processControl } = ConventionSlot
const bytes = 4096
const cnode = OWN_CNODE
const CHILD_GIFTS = [untyped, untyped, ALL_RIGHTS, processControl, processControl, ALL_RIGHTS]
const NO_OBJECTS = { tcb: NO_SLOT as number, vspace: NO_SLOT as number }
const SPAWN = { componentName: "child", arguments: [], capabilities: [], priority: 0, confined: 1, ...NO_OBJECTS }
const FAR_AWAY = 0x2000_0000

/** A CNode of the root task with 2^`bits` slots, in `slot`. */
function makeCNode(k: TestKernel, slot: number, bits: number): number {
  k.call(ROOT, "retype", { untyped, type: ObjectType.CNode, sizeBits: bits, cnode, slot, count: 1 })
  return slot
}

/** Begins a revoke of what stands in `slot`, and leaves it after its first piece, which is not all. */
function beginRevoke(k: TestKernel, slot: number): () => void {
  k.holdContinues = true
  const done = k.begin(ROOT, "cap_revoke", { cnode, slot })
  return () => {
    k.holdContinues = false
    for (
      let next = k.of("continue").at(-1);
      done() === undefined && next !== undefined;
      next = k.of("continue").at(-1)
    ) {
      k.resume(next.token)
    }
  }
}

t.test("object_attach of what is being mapped, or of one mapping too many, is refused", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const attachFrame = { slot: frame, role: AttachRole.frame }
  const mapping = k.suspend(ROOT, "memory_map", { frame, bytes, permissions: 3 })
  t.equal(k.outcome(ROOT, "object_attach", attachFrame), "IllegalOperation")
  mapping.commit()
  t.equal(k.outcome(ROOT, "object_attach", attachFrame), "ok")

  const attachWaiter = { slot: k.notification(), role: AttachRole.waiter }
  const attaching = k.suspend(ROOT, "object_attach", attachWaiter)
  t.equal(k.outcome(ROOT, "object_attach", attachWaiter), "IllegalOperation")
  attaching.commit()
  t.equal(k.outcome(ROOT, "object_attach", attachWaiter), "ok")

  const shelf = makeCNode(k, 20, 11)
  const attachAnother = (target: number) => {
    k.derive(ROOT, frame, 21)
    k.map(ROOT, 21)
    const outcome = k.outcome(ROOT, "object_attach", { slot: 21, role: AttachRole.frame })
    k.call(ROOT, "cap_move", { sourceCNode: cnode, source: 21, targetCNode: shelf, target })
    return outcome
  }
  const used = 2
  for (let target = 0; target < MAX_STATUS_WORDS - used; target++) {
    if (attachAnother(target) !== "ok") t.fail(`mapping ${target} was refused`)
  }
  t.equal(attachAnother(MAX_STATUS_WORDS), "NotEnoughMemory")
})

t.test("process_wait needs read on the TCB, and retype write on the CNode", async t => {
  const k = new TestKernel()
  const child = k.spawn()
  k.derive(ROOT, child.tcb, 20, Right.write)
  k.derive(ROOT, child.tcb, 21, Right.read)
  k.call(child.pid, "report", { report: new Uint8Array(1) })
  t.equal(k.outcome(ROOT, "process_wait", { tcb: 20 }), "IllegalOperation")
  t.equal(k.outcome(ROOT, "process_wait", { tcb: 21 }), "ok")

  k.derive(ROOT, OWN_CNODE, 22, Right.read)
  k.derive(ROOT, OWN_CNODE, 23, Right.write)
  const into = { untyped, type: ObjectType.Endpoint, sizeBits: 0, slot: 30, count: 1 }
  t.equal(k.outcome(ROOT, "retype", { ...into, cnode: 22 }), "IllegalOperation")
  t.equal(k.outcome(ROOT, "retype", { ...into, cnode: 23 }), "ok")
})

t.test("cap_mint and cap_move need their rights to the CNodes, each of them", async t => {
  const k = new TestKernel()
  const source = k.frame()
  k.derive(ROOT, OWN_CNODE, 20, Right.read)
  k.derive(ROOT, OWN_CNODE, 21, Right.write)
  const mint = (cnode: number) => k.outcome(ROOT, "cap_mint", { cnode, source, target: 30, rights: 7, badge: 1n })
  t.same([mint(20), mint(21), mint(OWN_CNODE)], ["IllegalOperation", "IllegalOperation", "ok"])
  const move = (sourceCNode: number, targetCNode: number) =>
    k.outcome(ROOT, "cap_move", { sourceCNode, source, targetCNode, target: 31 })
  t.same([move(20, 21), move(21, 20), move(21, 21)], ["IllegalOperation", "IllegalOperation", "ok"])
})

t.test("nothing is made from memory, and no mapping changed, while a revoke has reached it", async t => {
  const k = new TestKernel()
  const shelf = makeCNode(k, 20, 12)
  const frame = k.frame()
  const address = k.map(ROOT, frame, 1)
  k.call(ROOT, "retype", { untyped, type: ObjectType.Untyped, sizeBits: 20, cnode, slot: 21, count: 1 })
  const make = (from: number, slot: number, count: number) =>
    k.outcome(ROOT, "retype", { untyped: from, type: ObjectType.Endpoint, sizeBits: 0, cnode: shelf, slot, count })
  for (let slot = 0; slot < 4096 - 256; slot += 256) make(21, slot, 256)
  const finishMemory = beginRevoke(k, 21)
  t.equal(make(21, 4000, 1), "RevokeFirst")
  finishMemory()
  t.equal(make(21, 4000, 1), "ok")

  for (let target = 0; target < 2500; target++) {
    k.derive(ROOT, frame, 30)
    k.call(ROOT, "cap_move", { sourceCNode: cnode, source: 30, targetCNode: shelf, target })
  }
  const remap = () => k.outcome(ROOT, "memory_remap", { address, bytes, permissions: 3 })
  const finishFrame = beginRevoke(k, frame)
  t.equal(remap(), "RevokeFirst")
  finishFrame()
  t.equal(remap(), "ok")

  for (let slot = 0; slot < 4000; slot += 250) make(untyped, slot, 250)
  const finishAll = beginRevoke(k, untyped)
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes }), "RevokeFirst")
  finishAll()
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes }), "ok")
})

t.test("retype is refused when memory, CNode or caller went while Linux found the memory", async t => {
  for (const gone of ["memory", "CNode", "caller"] as const) {
    const k = new TestKernel()
    const shelf = makeCNode(k, 20, 4)
    k.call(ROOT, "retype", { untyped, type: ObjectType.Untyped, sizeBits: 20, cnode, slot: 21, count: 1 })
    const child = k.spawn(ROOT, [20, shelf, ALL_RIGHTS, 21, 21, ALL_RIGHTS])
    const caller = gone === "caller" ? child.pid : ROOT
    const before = k.memories.size
    const suspended = k.suspend(caller, "retype", {
      ...{ untyped: 21, type: ObjectType.Page, sizeBits: 12 },
      ...{ cnode: 20, slot: 0, count: 1 },
    })
    if (gone === "memory") k.delete(ROOT, 21)
    if (gone === "CNode") {
      k.revoke(ROOT, 20)
      k.delete(ROOT, 20)
    }
    if (gone === "caller") {
      // Its memory's capability outlives it, elsewhere.
      k.call(child.pid, "cap_move", { sourceCNode: cnode, source: 21, targetCNode: 20, target: 5 })
      k.end(child.pid)
    }
    let code = "ok"
    try {
      suspended.commit()
    } catch (error) {
      code = (error as { code: string }).code
    }
    t.equal(code, gone === "caller" ? "ok" : "Revoked", "who has ended is not answered")
    t.equal(k.memories.size, before, `${gone}: what was found is given back`)
    if (gone !== "CNode") {
      const copy = { sourceCNode: 20, source: 0, targetCNode: cnode, target: 40 }
      t.equal(k.outcome(ROOT, "cap_copy", copy), "FailedLookup", `${gone}: the slot is empty`)
    }
  }
})

t.test("who loses a read-only capability is a peer as before", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, Right.read | Right.write, 21, frame, Right.read])
  const object = k.state.components.get(ROOT)?.cspace.slots[frame]?.object
  const isPeer = () => (object as Frame).peers.has(child.pid)
  t.equal(isPeer(), true)
  k.delete(child.pid, 21)
  t.equal(isPeer(), true)
  k.delete(child.pid, 20)
  t.equal(isPeer(), false)
})

t.test("nothing is mapped into a component that boots", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const creating = k.suspend(ROOT, "process_create", SPAWN)
  const pid = Math.max(...k.kernel.components().map(({ id }) => id))
  const mapInto = { frame, bytes, permissions: 3, pid }
  t.equal(k.outcome(ROOT, "memory_map_into", mapInto), "IllegalOperation")
  creating.commit()
  t.equal(k.outcome(ROOT, "memory_map_into", mapInto), "ok")
})

t.test("a component whose creator ended while it booted cannot be started by who got its TCB", async t => {
  for (const ends of [true, false]) {
    const k = new TestKernel()
    const shelf = makeCNode(k, 20, 2)
    const parent = k.spawn(ROOT, [...CHILD_GIFTS, 20, shelf, ALL_RIGHTS])
    const creating = k.suspend(parent.pid, "process_create", SPAWN)
    k.call(parent.pid, "cap_move", { sourceCNode: cnode, source: 100, targetCNode: 20, target: 0 })
    if (ends) k.end(parent.pid)
    creating.commit()
    k.call(ROOT, "cap_move", { sourceCNode: shelf, source: 0, targetCNode: cnode, target: 30 })
    t.equal(k.outcome(ROOT, "process_start", { tcb: 30 }), ends ? "IllegalOperation" : "ok")
  }
})

t.test("memory_share needs a whole frame's mapping that stands, and write on the TCB", async t => {
  const k = new TestKernel()
  const child = k.spawn()
  const frame = k.frame()
  const address = k.map(ROOT, frame)
  const good = { tcb: child.tcb, address, bytes, targetAddress: FAR_AWAY, permissions: 1 }
  k.derive(ROOT, child.tcb, 20, Right.read)
  t.equal(k.outcome(ROOT, "memory_share", { ...good, tcb: 20 }), "IllegalOperation")
  t.equal(k.outcome(ROOT, "memory_share", { ...good, address: address + 4 }), "FailedLookup")
  const { address: page } = k.call(ROOT, "object_attach", { slot: k.notification(), role: AttachRole.waiter })
  t.equal(k.outcome(ROOT, "memory_share", { ...good, address: page }), "FailedLookup")
  t.equal(k.outcome(ROOT, "memory_unmap", { address: address + 4, bytes }), "FailedLookup")

  const unmapping = k.suspend(ROOT, "memory_unmap", { address, bytes })
  t.equal(k.outcome(ROOT, "memory_share", good), "IllegalOperation")
  unmapping.commit()
  const again = k.map(ROOT, frame)
  t.equal(k.outcome(ROOT, "memory_share", { ...good, address: again }), "ok")
})
