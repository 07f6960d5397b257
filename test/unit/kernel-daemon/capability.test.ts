// capability.test.ts: derive, mint, copy, move, delete and giving to others, each beside what it must refuse.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ROOT_CNODE_SLOTS } from "../../../src/kernel-daemon/abi/limits.ts"
import { formatRights } from "../../../src/kernel-daemon/abi/rights.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const cnode = OWN_CNODE
const TARGET = 50

t.test("cap_allocate hands out the lowest free slot, each once, until it is deleted", async t => {
  const k = new TestKernel()
  const allocate = () => k.call(ROOT, "cap_allocate", {}).slot
  t.strictSame([allocate(), allocate()], [100, 101])
  k.delete(ROOT, 100)
  t.strictSame([allocate(), allocate()], [100, 102], "a deleted slot comes back, the others do not")
  const frame = k.frame()
  k.derive(ROOT, frame, 101)
  t.ok(k.occupied(ROOT, 101), "an allocated slot counts as empty for who fills it")
  for (let slot = 104; slot < ROOT_CNODE_SLOTS; slot++) allocate()
  t.equal(k.outcome(ROOT, "cap_allocate", {}), "NotEnoughMemory")
})

t.test("cap_derive allows exactly the subsets of the source's rights", async t => {
  for (let parent = 0; parent < 8; parent++) {
    for (let child = 0; child < 10; child++) {
      const k = new TestKernel()
      const frame = k.frame()
      k.derive(ROOT, frame, TARGET - 1, parent)
      const expected = child < 8 && (child & ~parent) === 0 ? "ok" : "IllegalOperation"
      const outcome = k.outcome(ROOT, "cap_derive", { cnode, source: TARGET - 1, target: TARGET, rights: child })
      t.equal(outcome, expected, `${formatRights(parent)} -> ${formatRights(child)}`)
      t.equal(k.occupied(ROOT, TARGET), expected === "ok", "a refusal changes nothing")
    }
  }
})

t.test("an occupied target is reported before an empty source, and either before anything about rights", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const empty = 60
  const rights = 255
  const copy = { sourceCNode: cnode, targetCNode: cnode }
  for (const [source, target, expected] of [
    [empty, frame, "DeleteFirst"],
    [empty, TARGET, "FailedLookup"],
    [frame, frame, "DeleteFirst"],
    [frame, ROOT_CNODE_SLOTS, "FailedLookup"],
    [ROOT_CNODE_SLOTS, TARGET, "FailedLookup"],
    [0xffff_ffff, 0xffff_ffff, "FailedLookup"],
  ] as const) {
    const label = `${source} -> ${target}`
    t.equal(k.outcome(ROOT, "cap_derive", { cnode, source, target, rights }), expected, `derive ${label}`)
    t.equal(k.outcome(ROOT, "cap_mint", { cnode, source, target, rights, badge: 0n }), expected, `mint ${label}`)
    t.equal(k.outcome(ROOT, "cap_copy", { ...copy, source, target }), expected, `copy ${label}`)
    t.equal(k.outcome(ROOT, "cap_move", { ...copy, source, target }), expected, `move ${label}`)
  }
  t.equal(k.outcome(ROOT, "cap_move", { ...copy, source: frame, target: TARGET }), "ok")
})

t.test("cap_mint sets a badge once", async t => {
  const k = new TestKernel()
  const source = k.notification()
  const mint = (from: number, target: number, badge: bigint, rights = 7) =>
    k.outcome(ROOT, "cap_mint", { cnode, source: from, target, rights, badge })
  t.equal(mint(source, 50, 5n), "ok")
  t.equal(mint(source, 51, 6n), "ok", "the same unbadged source again")
  t.equal(mint(50, 52, 7n), "IllegalOperation", "a badged one is not badged again")
  t.equal(mint(source, 53, 0n), "InvalidArgument")
  t.equal(mint(source, 54, 2n ** 64n - 1n), "ok")
  t.equal(mint(source, 55, 1n, 8), "IllegalOperation")
  k.derive(ROOT, 50, 56, 1)
  const attached = k.call(ROOT, "object_attach", { slot: 56, role: 2 })
  t.equal(attached.badge, 5n, "what is derived keeps the badge")
})

t.test("cap_revoke keeps the source and removes what was derived, copied from an original or granted", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn()
  k.derive(ROOT, frame, 50)
  k.derive(ROOT, 50, 51)
  k.call(ROOT, "cap_copy", { sourceCNode: cnode, source: frame, targetCNode: cnode, target: 52 })
  k.call(ROOT, "cap_grant", { source: 51, tcb: child.tcb, slot: 20, rights: 3 })
  const other = k.frame()
  k.revoke(ROOT, frame)
  t.strictSame(
    [frame, 50, 51, 52, other].map(slot => k.occupied(ROOT, slot)),
    [true, false, false, false, true],
  )
  t.notOk(k.occupied(child.pid, 20), "in the other's CSpace too")
  t.equal(k.outcome(ROOT, "cap_revoke", { cnode, slot: 60 }), "ok", "an empty slot is revoked")
  t.equal(k.outcome(ROOT, "cap_revoke", { cnode, slot: ROOT_CNODE_SLOTS }), "FailedLookup")
  t.strictSame(violations(k.state), [])
})

t.test("the copy of a derived capability is its sibling: neither revokes the other, their parent both", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  k.derive(ROOT, frame, 50)
  k.call(ROOT, "cap_copy", { sourceCNode: cnode, source: 50, targetCNode: cnode, target: 51 })
  k.revoke(ROOT, 51)
  t.ok(k.occupied(ROOT, 50), "a copy cannot revoke its source")
  k.revoke(ROOT, 50)
  t.ok(k.occupied(ROOT, 51), "nor the source the copy")
  k.revoke(ROOT, frame)
  t.notOk(k.occupied(ROOT, 50) || k.occupied(ROOT, 51))
})

t.test("who was given a badge revokes its copies, and nobody else's", async t => {
  const k = new TestKernel()
  const source = k.notification()
  const mint = (target: number) => k.call(ROOT, "cap_mint", { cnode, source, target, rights: 7, badge: 1n })
  const copy = (from: number, target: number) =>
    k.call(ROOT, "cap_copy", { sourceCNode: cnode, source: from, targetCNode: cnode, target })
  mint(50)
  mint(51)
  copy(50, 60)
  copy(51, 61)
  copy(61, 62)
  k.revoke(ROOT, 61)
  t.ok(k.occupied(ROOT, 62), "a copy revokes no copy of its own")
  k.revoke(ROOT, 51)
  t.strictSame(
    [50, 51, 60, 61, 62].map(slot => k.occupied(ROOT, slot)),
    [true, true, true, false, false],
  )
})

t.test("cap_delete leaves what was derived, below the deleted one's parent", async t => {
  for (const children of [1, 2, 3]) {
    const k = new TestKernel()
    const frame = k.frame()
    k.derive(ROOT, frame, 50)
    for (let child = 0; child < children; child++) k.derive(ROOT, 50, 51 + child)
    k.delete(ROOT, 50)
    t.ok(k.occupied(ROOT, 51), "the child lives")
    t.strictSame(violations(k.state), [])
    k.revoke(ROOT, frame)
    t.notOk(k.occupied(ROOT, 51), "and its grandparent can still revoke it")
  }
  const k = new TestKernel()
  t.equal(k.outcome(ROOT, "cap_delete", { cnode, slot: 60 }), "ok", "an empty slot is deleted")
  t.equal(k.outcome(ROOT, "cap_delete", { cnode, slot: ROOT_CNODE_SLOTS }), "FailedLookup")
})

t.test("cap_move keeps the place in the tree, the children and the mappings", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  k.derive(ROOT, frame, 50)
  k.derive(ROOT, 50, 51)
  const address = k.map(ROOT, 50)
  k.call(ROOT, "cap_move", { sourceCNode: cnode, source: 50, targetCNode: cnode, target: 52 })
  t.notOk(k.occupied(ROOT, 50))
  t.ok(k.pages.has(`${ROOT}:${address}`))
  k.revoke(ROOT, 52)
  t.notOk(k.occupied(ROOT, 51), "it still revokes its children")
  k.revoke(ROOT, frame)
  t.notOk(k.occupied(ROOT, 52), "and is still revoked by its parent")
  t.notOk(k.pages.has(`${ROOT}:${address}`))
})

t.test("calls on CNodes need the rights that the table of semantics.md names", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const weak = 40
  for (const [rights, read, write] of [
    [1, true, false],
    [2, false, true],
    [3, true, true],
  ] as const) {
    k.derive(ROOT, OWN_CNODE, weak, rights)
    const expect = (holds: boolean) => (holds ? "ok" : "IllegalOperation")
    const label = formatRights(rights)
    const derive = { cnode: weak, source: frame, target: TARGET, rights: 7 }
    t.equal(k.outcome(ROOT, "cap_derive", derive), expect(read && write), `derive with ${label}`)
    k.delete(ROOT, TARGET)
    const copyFrom = { sourceCNode: weak, source: frame, targetCNode: cnode, target: TARGET }
    t.equal(k.outcome(ROOT, "cap_copy", copyFrom), expect(read), `copy from ${label}`)
    k.delete(ROOT, TARGET)
    const copyTo = { sourceCNode: cnode, source: frame, targetCNode: weak, target: TARGET }
    t.equal(k.outcome(ROOT, "cap_copy", copyTo), expect(write), `copy to ${label}`)
    t.equal(k.outcome(ROOT, "cap_revoke", { cnode: weak, slot: frame }), expect(write), `revoke with ${label}`)
    t.equal(k.outcome(ROOT, "cap_delete", { cnode: weak, slot: TARGET }), expect(write), `delete with ${label}`)
    k.delete(ROOT, TARGET)
    k.delete(ROOT, weak)
  }
  t.equal(k.outcome(ROOT, "cap_delete", { cnode: frame, slot: 0 }), "InvalidCapability", "a frame is no CNode")
  t.equal(k.outcome(ROOT, "cap_delete", { cnode: 60, slot: 0 }), "FailedLookup", "an empty slot is no CNode")
})

t.test("cap_grant and cap_insert_into give derived children of what may be granted", async t => {
  const k = new TestKernel()
  const child = k.spawn()
  const frame = k.frame()
  k.derive(ROOT, frame, 50, 3)
  k.derive(ROOT, child.tcb, 51, 1)
  const grant = (source: number, tcb: number, slot: number, rights: number) =>
    k.outcome(ROOT, "cap_grant", { source, tcb, slot, rights })
  t.equal(grant(frame, child.tcb, 20, 1), "ok")
  t.equal(k.outcome(ROOT, "cap_insert_into", { tcb: child.tcb, slot: 21, source: frame }), "ok")
  t.equal(grant(50, child.tcb, 22, 1), "IllegalOperation", "a source without grant")
  t.equal(k.outcome(ROOT, "cap_insert_into", { tcb: child.tcb, slot: 22, source: 50 }), "IllegalOperation")
  t.equal(grant(frame, 51, 22, 1), "IllegalOperation", "a TCB capability without write")
  t.equal(grant(frame, frame, 22, 1), "InvalidCapability", "a frame is no TCB")
  t.equal(grant(frame, child.tcb, 20, 1), "DeleteFirst")
  t.equal(grant(60, child.tcb, 22, 1), "FailedLookup")
  t.equal(grant(frame, child.tcb, 3, 1), "RangeError", "the child's own objects are not replaced")
  t.equal(grant(frame, child.tcb, ROOT_CNODE_SLOTS, 1), "RangeError")
  t.notOk(k.occupied(child.pid, 22), "a refusal changes nothing")
  t.equal(k.outcome(child.pid, "memory_map", { frame: 20, bytes: 4096, permissions: 3 }), "IllegalOperation")
  t.equal(k.outcome(child.pid, "memory_map", { frame: 20, bytes: 4096, permissions: 1 }), "ok")
  k.revoke(ROOT, frame)
  t.notOk(k.occupied(child.pid, 20) || k.occupied(child.pid, 21), "what was granted can be taken back")
  k.end(child.pid)
  t.equal(grant(frame, child.tcb, 20, 1), "FailedLookup", "nothing is given to the dead")
})

t.test("a refusal names the excess", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  k.derive(ROOT, frame, 50, 1)
  t.throws(
    () => k.derive(ROOT, 50, 51, 3),
    new KernelError("IllegalOperation", "rights rw exceed those of slot 50, r: ask for fewer"),
  )
})
