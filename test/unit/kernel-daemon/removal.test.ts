// removal.test.ts: large removals go in pieces, and whatever happens between two pieces does no harm.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ALL_RIGHTS } from "../../../src/kernel-daemon/abi/rights.ts"
import { Proof } from "../../../src/kernel-daemon/abi/syscalls.ts"
import type { AcquireEffect } from "../../../src/kernel-daemon/invocation/effects.ts"
import { place } from "../../../src/kernel-daemon/invocation/holding.ts"
import { STEPS_PER_MAPPING, STEPS_PER_PIECE } from "../../../src/kernel-daemon/invocation/removal.ts"
import type { Capability } from "../../../src/kernel-daemon/objects/capability.ts"
import { CNode } from "../../../src/kernel-daemon/objects/cnode.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

/** Chooses what the next capability is derived from, out of those made so far; the first is the one to be revoked. */
type Shape = (made: readonly Capability[]) => Capability

const shapes: Record<string, Shape> = {
  wide: made => made[0] as Capability,
  chain: made => made[made.length - 1] as Capability,
  binary: made => made[Math.floor((made.length - 1) / 2)] as Capability,
  // A chain with a leaf beside each of its links: as deep as a chain, and no link can replace its parent.
  caterpillar: made => made[Math.max(0, made.length - 1 - ((made.length - 1) % 2 === 0 ? 1 : 2))] as Capability,
}

/** A kernel with `count` capabilities below the frame's in `frame`, in a CNode that the root task holds in slot 50. */
function kernelWithTree(
  count: number,
  shape: Shape,
): { k: TestKernel; frame: number; forest: CNode; made: Capability[] } {
  const k = new TestKernel()
  const frame = k.frame()
  const root = k.state.components.get(ROOT)?.cspace as CNode
  const forest = new CNode(undefined, ROOT, count)
  place(k.state, root, 50, { object: forest, rights: ALL_RIGHTS, badge: 0n, original: true, parent: undefined })
  const source = root.lookup(frame)
  const made = [source]
  for (let slot = 0; slot < count; slot++) {
    const { object, rights, badge } = source
    made.push(place(k.state, forest, slot, { object, rights, badge, original: false, parent: shape(made) }))
  }
  return { k, frame, forest, made }
}

for (const [name, shape] of Object.entries(shapes)) {
  t.test(`cap_revoke takes a ${name} tree in pieces, each of which leaves the tables in order`, async t => {
    const count = 3 * STEPS_PER_PIECE
    const { k, frame, forest } = kernelWithTree(count, shape)
    k.holdContinues = true
    const revoke = k.begin(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })
    let pieces = 1
    for (let token = nextToken(k); token !== undefined; token = nextToken(k)) {
      t.equal(revoke(), undefined, "not answered before it is done")
      const stuck = violations(k.state).filter(text => !text.includes("claimed"))
      // Stumps that are left in the middle are taken by a later piece.
      t.strictSame(
        stuck.filter(text => !text.includes("stump")),
        [],
      )
      t.equal(k.outcome(ROOT, "yield", {}), "ok", "others are served")
      k.resume(token)
      pieces += 1
    }
    t.strictSame(revoke(), { proof: Proof.proved })
    t.ok(pieces >= 3 && pieces <= 8, `${pieces} pieces`)
    t.equal(forest.occupied, 0)
    t.ok(k.occupied(ROOT, frame), "the source stays")
    t.strictSame(violations(k.state), [])
  })
}

t.test("what is being revoked refuses to be derived, copied, minted, granted, mapped or attached", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const frame = k.frame()
  const child = k.spawn()
  for (const source of [notification, frame]) {
    const held = source === notification ? 50 : 51
    k.derive(ROOT, source, held)
    const revoke = k.suspend(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: source })
    for (const slot of [source, held]) {
      const on = { cnode: OWN_CNODE, source: slot, target: 60, rights: 1 }
      const copy = { sourceCNode: OWN_CNODE, source: slot, targetCNode: OWN_CNODE, target: 60 }
      t.equal(k.outcome(ROOT, "cap_derive", on), "RevokeFirst")
      t.equal(k.outcome(ROOT, "cap_mint", { ...on, badge: 1n }), "RevokeFirst")
      t.equal(k.outcome(ROOT, "cap_copy", copy), "RevokeFirst")
      t.equal(k.outcome(ROOT, "cap_grant", { source: slot, tcb: child.tcb, slot: 60, rights: 1 }), "RevokeFirst")
      if (source === frame) {
        t.equal(k.outcome(ROOT, "memory_map", { frame: slot, bytes: 4096, permissions: 1 }), "RevokeFirst")
      } else t.equal(k.outcome(ROOT, "object_attach", { slot, role: 2 }), "RevokeFirst")
    }
    revoke.commit()
    t.equal(k.outcome(ROOT, "cap_derive", { cnode: OWN_CNODE, source, target: held, rights: 1 }), "ok", "and then can")
  }
})

t.test("a capability derived from what a revoke has not reached yet is revoked by it as well", async t => {
  const { k, frame, forest, made } = kernelWithTree(3 * STEPS_PER_PIECE, shapes.wide as Shape)
  k.holdContinues = true
  k.begin(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })
  const left = made.findLast((capability, index) => index > 0 && capability.cnode !== undefined) ?? made[1]
  const survivor = made.find((capability, index) => index > 0 && capability.cnode === forest && capability.claims === 0)
  t.ok(left !== undefined && survivor !== undefined)
  const args = { sourceCNode: 50, source: survivor?.slot as number, targetCNode: OWN_CNODE, target: 60 }
  t.equal(k.outcome(ROOT, "cap_copy", args), "ok")
  k.call(ROOT, "cap_derive", { cnode: OWN_CNODE, source: 60, target: 61, rights: 1 })
  finish(k)
  t.notOk(k.occupied(ROOT, 60) || k.occupied(ROOT, 61))
  t.strictSame(violations(k.state), [])
})

t.test("a revoke of an ancestor, of a descendant and a delete may meet in one tree", async t => {
  for (const shape of Object.values(shapes)) {
    const { k, frame, forest, made } = kernelWithTree(3 * STEPS_PER_PIECE, shape)
    k.holdContinues = true
    const inner = made[2] as Capability
    const inside = k.begin(ROOT, "cap_revoke", { cnode: 50, slot: inner.slot })
    const outside = k.begin(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })
    k.call(ROOT, "cap_delete", { cnode: OWN_CNODE, slot: frame })
    finish(k)
    t.strictSame(inside(), { proof: Proof.proved })
    t.strictSame(outside(), { proof: Proof.proved })
    t.equal(forest.occupied, 0)
    t.equal(k.memories.size, 0, "the frame went with its last capability")
    t.strictSame(violations(k.state), [])
  }
})

t.test("two removals that wait for the same unmap end in either order", async t => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const k = new TestKernel()
    const frame = k.frame()
    const child = k.spawn(ROOT, [20, frame, 3])
    const address = k.map(child.pid, 20)
    const removals = [
      k.suspend(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame }),
      k.suspend(child.pid, "cap_delete", { cnode: OWN_CNODE, slot: 20 }),
    ]
    for (const { acquire } of removals) {
      t.match(acquire, [{ kind: "unmap" }, { kind: "prove-unmapped" }], "each waits for the unmap, and sees it")
    }
    const [first, second] = order.map(index => removals[index])
    t.strictSame(first?.commit(), { proof: Proof.proved })
    const other = k.frame()
    const mapInto = () => {
      return k.call(ROOT, "memory_map_into", { frame: other, bytes: 4096, permissions: 1, pid: child.pid }).address
    }
    t.not(mapInto(), address, "the range is not given away while an unmap of it is on its way")
    t.strictSame(second?.commit(), { proof: Proof.proved })
    t.equal(mapInto(), address, "and then is")
    t.equal(k.pages.size, 2)
    t.strictSame(violations(k.state), [])
  }
})

t.test("memoryGrant() counts the source's own mapping, not what is being revoked", async t => {
  const k = new TestKernel()
  const frame = k.frame(ROOT, 8192)
  k.derive(ROOT, frame, 50)
  k.map(ROOT, frame, 3, 8192)
  k.map(ROOT, 50, 1)
  t.same(k.kernel.memoryGrant(ROOT, 1), { mappedBytes: 8192 + 4096, writableBytes: 8192 })
  const revoke = k.suspend(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })
  t.same(k.kernel.memoryGrant(ROOT, 1), { mappedBytes: 8192, writableBytes: 8192 })
  revoke.commit()
  t.same(k.kernel.memoryGrant(ROOT, 1), { mappedBytes: 8192, writableBytes: 8192 })
  t.same(k.kernel.memoryGrant(ROOT, 2), { mappedBytes: 0, writableBytes: 0 })
})

t.test("a removal whose caller has gone is carried out all the same", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, 7])
  const victim = k.spawn()
  k.call(ROOT, "cap_grant", { source: victim.tcb, tcb: child.tcb, slot: 21, rights: 7 })
  k.call(child.pid, "cap_grant", { source: 20, tcb: 21, slot: 30, rights: 3 })
  k.map(victim.pid, 30)
  const revoke = k.suspend(child.pid, "cap_revoke", { cnode: OWN_CNODE, slot: 20 })
  k.holdContinues = true
  revoke.refuse(new KernelError("Cancelled", "the caller ended"))
  k.end(child.pid)
  t.ok(k.occupied(victim.pid, 30), "it waits for the unmap as before")
  const seen = acquired(k, () => finish(k))
  t.match(seen, [{ kind: "unmap" }, { kind: "prove-unmapped" }], "and sees it")
  t.notOk(k.occupied(victim.pid, 30))
  t.equal(k.pages.size, 0)
  t.strictSame(violations(k.state), [])
})

t.test("what went with a component's end is seen to be unmapped by others, before a revoke says so", async t => {
  for (const order of ["end first", "revoke first"]) {
    const k = new TestKernel()
    const frame = k.frame()
    const [giver, victim] = [k.spawn(ROOT, [20, frame, 7]), k.spawn()]
    k.call(ROOT, "cap_grant", { source: victim.tcb, tcb: giver.tcb, slot: 21, rights: 7 })
    k.call(giver.pid, "memory_map_into", { frame: 20, bytes: 4096, permissions: 3, pid: victim.pid })
    k.holdContinues = true
    k.end(giver.pid)
    const seen: AcquireEffect[] = []
    if (order === "end first") {
      seen.push(...acquired(k, () => finish(k)))
      k.revoke(ROOT, frame)
    } else {
      seen.push(...acquired(k, () => k.revoke(ROOT, frame)))
      finish(k)
    }
    t.match(
      seen,
      [
        { kind: "unmap", component: victim.pid },
        { kind: "prove-unmapped", component: victim.pid },
      ],
      order,
    )
    t.equal(k.pages.size, 0)
    t.strictSame(violations(k.state), [])
  }
})

t.test("a removal of many mappings looks at few in each piece", async t => {
  const count = 3 * (STEPS_PER_PIECE / STEPS_PER_MAPPING)
  const { k, frame } = kernelWithTree(count, shapes.wide as Shape)
  for (let slot = 0; slot < count; slot++) {
    k.call(ROOT, "cap_copy", { sourceCNode: 50, source: slot, targetCNode: OWN_CNODE, target: 60 })
    k.map(ROOT, 60)
    k.call(ROOT, "cap_delete", { cnode: 50, slot })
    k.call(ROOT, "cap_move", { sourceCNode: OWN_CNODE, source: 60, targetCNode: 50, target: slot })
  }
  k.holdContinues = true
  const pieces = [acquired(k, () => k.begin(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })).length]
  for (let token = nextToken(k); token !== undefined; token = nextToken(k)) {
    const next = token
    pieces.push(acquired(k, () => k.resume(next)).length)
  }
  const most = STEPS_PER_PIECE / STEPS_PER_MAPPING + 2
  t.ok(pieces.length >= 3 && pieces.every(effects => effects <= most), `${pieces} effects, at most ${most}`)
  t.equal(k.pages.size, 0)
  t.strictSame(violations(k.state), [])
})

t.test("others get their turn after a piece of work, not before one that has only been begun", async t => {
  const { k, frame } = kernelWithTree(3 * STEPS_PER_PIECE, shapes.wide as Shape)
  k.holdContinues = true
  k.begin(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })
  t.strictSame(continuations(k), [true], "a piece of the revoke is done")
  finish(k)

  const [giver, victim] = [k.spawn(ROOT, [20, frame, 7]), k.spawn()]
  k.call(ROOT, "cap_grant", { source: victim.tcb, tcb: giver.tcb, slot: 21, rights: 7 })
  k.call(giver.pid, "memory_map_into", { frame: 20, bytes: 4096, permissions: 3, pid: victim.pid })
  k.end(giver.pid)
  t.strictSame(continuations(k), [false], "what was mapped is still to be unmapped")
  finish(k)

  const owner = k.spawn()
  const cnode = new CNode(undefined, owner.pid, 1)
  const cspace = k.state.components.get(owner.pid)?.cspace as CNode
  place(k.state, cspace, 60, { object: cnode, rights: ALL_RIGHTS, badge: 0n, original: true, parent: undefined })
  const inner = new CNode(undefined, owner.pid, 1)
  place(k.state, cnode, 0, { object: inner, rights: ALL_RIGHTS, badge: 0n, original: true, parent: undefined })
  k.end(owner.pid)
  t.strictSame(continuations(k), [true], "what its slots held has gone, not yet what those held")
  finish(k)
})

function continuations(k: TestKernel): boolean[] {
  return k.of("continue").map(({ worked }) => worked)
}

/** What is asked of the world meanwhile. */
function acquired(k: TestKernel, run: () => void): AcquireEffect[] {
  const seen: AcquireEffect[] = []
  k.refuse = effect => {
    seen.push(effect)
    return undefined
  }
  run()
  return seen
}

function nextToken(k: TestKernel): number | undefined {
  const index = k.effects.findIndex(({ kind }) => kind === "continue")
  if (index < 0) return undefined
  const [effect] = k.effects.splice(index, 1)
  return effect?.kind === "continue" ? effect.token : undefined
}

function finish(k: TestKernel): void {
  for (let token = nextToken(k); token !== undefined; token = nextToken(k)) k.resume(token)
}
