// lane-memory.test.ts: the pages of a notification's lanes are taken out of the untyped that it came from.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot, NOTIFICATION_LANES, PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import { AttachRole } from "../../../src/kernel-daemon/abi/syscalls.ts"
import type { Untyped } from "../../../src/kernel-daemon/objects/untyped.ts"
import { OWN_CNODE, ROOT, ROOT_BYTES, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"
import { snapshot } from "../../helpers/kernel-snapshot.ts"

const MEMORY = 40
const NOTIFICATION = 41
const LANE = 2 * PAGE_BYTES
const cnode = OWN_CNODE
const signal = (slot: number) => ({ slot, role: AttachRole.signaller })

/** A notification out of an untyped of `bytes`, a power of two. */
function withMemory(bytes: number): { k: TestKernel; left: () => number } {
  const k = new TestKernel()
  const make = { cnode, count: 1 }
  const { untyped } = ConventionSlot
  k.call(ROOT, "retype", { ...make, untyped, type: ObjectType.Untyped, sizeBits: Math.log2(bytes), slot: MEMORY })
  k.call(ROOT, "retype", { ...make, untyped: MEMORY, type: ObjectType.Notification, sizeBits: 0, slot: NOTIFICATION })
  const memory = k.state.components.get(ROOT)?.cspace.lookup(MEMORY).object as Untyped
  return { k, left: () => memory.freeBytes }
}

t.test("each new lane takes two pages, waiting and an old lane none; an exhausted untyped refuses", async t => {
  const { k, left } = withMemory(8 * PAGE_BYTES)
  t.equal(left(), 7 * PAGE_BYTES)
  k.call(ROOT, "object_attach", { slot: NOTIFICATION, role: AttachRole.waiter })
  t.equal(left(), 7 * PAGE_BYTES)
  const pids = [1, 2, 3, 4].map(() => k.spawn(ROOT, [20, NOTIFICATION, 7]).pid)
  const [first, second, third, fourth] = pids as [number, number, number, number]
  for (const [count, pid] of [first, second, third].entries()) {
    k.call(pid, "object_attach", signal(20))
    k.call(pid, "object_attach", signal(20))
    t.equal(left(), 7 * PAGE_BYTES - (count + 1) * LANE)
  }
  const before = snapshot(k.state)
  const memories = k.memories.size
  t.throws(() => k.call(fourth, "object_attach", signal(20)), { code: "NotEnoughMemory", message: /8192.*4096/ })
  t.strictSame(snapshot(k.state), before)
  t.equal(k.memories.size, memories)
  k.end(second)
  t.equal(left(), PAGE_BYTES, "a lane keeps its memories")
  t.equal(k.outcome(fourth, "object_attach", signal(20)), "ok", "and its next holder takes none")
  t.equal(left(), PAGE_BYTES)
  k.revoke(ROOT, MEMORY)
  t.equal(left(), 8 * PAGE_BYTES)
  t.strictSame(violations(k.state), [])
})

t.test("all lanes are given back with the last capability, also when the untyped went first", async t => {
  for (const untypedFirst of [false, true]) {
    const { k } = withMemory(64 * PAGE_BYTES)
    const pids = Array.from({ length: NOTIFICATION_LANES + 1 }, () => k.spawn(ROOT, [20, NOTIFICATION, 7]).pid)
    const spawned = k.freeBytes
    if (untypedFirst) k.delete(ROOT, MEMORY)
    const outcomes = pids.map(pid => k.outcome(pid, "object_attach", signal(20)))
    t.equal(outcomes.filter(outcome => outcome === "ok").length, NOTIFICATION_LANES)
    t.equal(outcomes.at(-1), "NotEnoughMemory")
    k.revoke(ROOT, NOTIFICATION)
    k.delete(ROOT, NOTIFICATION)
    if (!untypedFirst) k.delete(ROOT, MEMORY)
    t.equal(k.freeBytes, spawned + 64 * PAGE_BYTES)
    t.equal(k.memories.size, 0)
    t.strictSame(violations(k.state), [])
  }
})

t.test("a lane that Linux has no memory for, or whose notification goes while it is made, costs nothing", async t => {
  for (const goes of [false, true]) {
    for (const granted of [false, true]) {
      const { k, left } = withMemory(8 * PAGE_BYTES)
      const attaching = k.suspend(ROOT, "object_attach", signal(NOTIFICATION))
      t.equal(left(), 7 * PAGE_BYTES - LANE)
      if (goes) k.delete(ROOT, NOTIFICATION)
      const none = new KernelError("NotEnoughMemory", "Linux has none")
      const end = () => (granted ? attaching.commit() : attaching.refuse(none))
      if (goes || !granted) t.throws(end, { code: granted ? "Revoked" : "NotEnoughMemory" })
      else end()
      t.equal(left(), goes ? 8 * PAGE_BYTES : 7 * PAGE_BYTES - (granted ? LANE : 0))
      t.equal(k.memories.size, goes ? 0 : granted ? 3 : 1)
      t.strictSame(violations(k.state), [])
      k.revoke(ROOT, ConventionSlot.untyped)
      t.equal(k.freeBytes, ROOT_BYTES)
    }
  }
})
