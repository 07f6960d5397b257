// seal.test.ts: memory_seal and memory_renew as the kernel decides them: who may, what is refused after it, what moves.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot } from "../../../src/kernel-daemon/abi/limits.ts"
import { Right } from "../../../src/kernel-daemon/abi/rights.ts"
import { AttachRole, NO_SLOT } from "../../../src/kernel-daemon/abi/syscalls.ts"
import type { Frame } from "../../../src/kernel-daemon/objects/frame.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const HELD = 60
const FAR_AWAY = 0x2000_0000
const bytes = 4096
const READ = 1
const WRITE = 3

const seal = (k: TestKernel, frame: number, caller = ROOT) => k.outcome(caller, "memory_seal", { frame })
const renew = (k: TestKernel, frame: number, caller = ROOT) => k.outcome(caller, "memory_renew", { frame })
const map = (k: TestKernel, frame: number, permissions: number) =>
  k.outcome(ROOT, "memory_map", { frame, bytes, permissions })
const frameIn = (k: TestKernel, slot: number) => k.state.components.get(ROOT)?.cspace.slots[slot]?.object as Frame

t.test("memory_seal: afterwards no way leads to another mapping for writing, and all to one for reading", async t => {
  const k = new TestKernel()
  const child = k.spawn()
  for (const sealed of [false, true]) {
    const frame = k.frame()
    const own = k.map(ROOT, frame, READ)
    const writer = k.map(ROOT, frame, WRITE)
    if (sealed) t.equal(seal(k, frame), "ok")
    let slot = sealed ? 80 : 70
    let targetAddress = FAR_AWAY + slot * bytes
    const attempts = (permissions: number) => {
      slot += 3
      targetAddress += 4 * bytes
      const { pid, tcb } = child
      const gift = [30, frame, permissions]
      const objects = { tcb: NO_SLOT, vspace: NO_SLOT }
      const spawn = { componentName: "child", arguments: [], capabilities: gift, priority: 0, confined: 1, ...objects }
      return {
        map: map(k, frame, permissions),
        mapInto: k.outcome(ROOT, "memory_map_into", { frame, bytes, permissions, pid }),
        share: k.outcome(ROOT, "memory_share", { tcb, address: own, bytes, targetAddress, permissions }),
        remap: k.outcome(ROOT, "memory_remap", { address: own, bytes, permissions }),
        grant: k.outcome(ROOT, "cap_grant", { source: frame, tcb, slot, rights: permissions }),
        spawn: k.outcome(ROOT, "process_create", spawn),
      }
    }
    const every = (outcome: string) => ({
      map: outcome,
      mapInto: outcome,
      share: outcome,
      remap: outcome,
      grant: outcome,
      spawn: outcome,
    })
    t.same(attempts(READ), every("ok"), "for reading")
    t.same(attempts(WRITE), every(sealed ? "IllegalOperation" : "ok"), `for writing, sealed ${sealed}`)
    t.equal(k.pages.get(`${ROOT}:${writer}`)?.permissions, WRITE, "the mapping that stood stands")
    t.equal(
      k.outcome(ROOT, "cap_insert_into", { tcb: child.tcb, slot: slot + 1, source: frame }),
      sealed ? "IllegalOperation" : "ok",
    )
  }
  t.throws(
    () => {
      const frame = k.frame()
      k.call(ROOT, "memory_seal", { frame })
      k.call(ROOT, "memory_map", { frame, bytes, permissions: WRITE })
    },
    { code: "IllegalOperation", message: /^frame \d+ is sealed: .* memory_renew/ },
  )
})

t.test("memory_seal needs write, memory_renew write and grant, on a frame's capability that stands", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  for (const [rights, maySeal, mayRenew] of [
    [Right.read | Right.grant, "IllegalOperation", "IllegalOperation"],
    [Right.read | Right.write, "ok", "IllegalOperation"],
    [Right.write | Right.grant, "ok", "ok"],
  ] as const) {
    k.derive(ROOT, frame, HELD, rights)
    t.same([seal(k, HELD), renew(k, HELD)], [mayRenew === "ok" ? "ok" : maySeal, mayRenew], `rights ${rights}`)
    k.delete(ROOT, HELD)
  }
  for (const call of [seal, renew]) {
    t.equal(call(k, HELD), "FailedLookup")
    t.equal(call(k, ConventionSlot.untyped), "InvalidCapability")
    const revoke = k.suspend(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot: frame })
    t.equal(call(k, frame), "RevokeFirst")
    revoke.commit()
    t.equal(call(k, frame), "ok")
  }
})

t.test(
  "a mapping whose pages are on their way keeps its frame from a seal and a renewal, one whose bells are does not",
  async t => {
    for (const call of [seal, renew]) {
      const k = new TestKernel()
      const frame = k.frame()
      k.map(ROOT, frame, READ)
      const pages = k.suspend(ROOT, "memory_map", { frame, bytes, permissions: READ })
      t.equal(call(k, frame), "IllegalOperation", "pages")
      pages.commit()
      const bells = k.suspend(ROOT, "object_attach", { slot: frame, role: AttachRole.consumer })
      t.equal(call(k, frame), "ok", "bells")
      bells.commit()
      const leaving = k.suspend(ROOT, "object_detach", { slot: frame, role: AttachRole.consumer })
      t.equal(call(k, frame), "ok", "bells that go")
      leaving.commit()
      t.strictSame(violations(k.state), [])
    }
  },
)

t.test("memory_renew moves every mapping to new memory in place, and that can be sealed anew", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn()
  const { address } = k.call(ROOT, "memory_map_into", { frame, bytes, permissions: READ, pid: child.pid })
  const own = k.map(ROOT, frame, WRITE)
  const before = frameIn(k, frame).memory
  seal(k, frame)
  t.equal(renew(k, frame), "IllegalOperation", "somebody has it mapped for writing")
  k.call(ROOT, "memory_unmap", { address: own, bytes })
  t.equal(renew(k, frame), "ok")
  const { memory: after } = frameIn(k, frame)
  t.not(after, before)
  t.match(k.pages.get(`${child.pid}:${address}`), { memory: after, permissions: READ })
  t.same([...k.memories.keys()], [after], "the old memory is gone")
  t.match(k.of("move-mappings"), [{ from: before, maps: [{ component: child.pid, address, memory: after }] }])
  t.equal(map(k, frame, WRITE), "ok", "for the next writer")
  t.equal(seal(k, frame), "ok")
  t.equal(map(k, frame, WRITE), "IllegalOperation")
})

t.test("a revoke looks for all memories of a frame that somebody may still show, and for no others", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  k.map(ROOT, frame, READ)
  const memories = [frameIn(k, frame).memory]
  const soughtNow = () => {
    k.derive(ROOT, frame, HELD, Right.read)
    k.call(ROOT, "memory_map", { frame: HELD, bytes, permissions: READ })
    const revoking = k.suspend(ROOT, "cap_delete", { cnode: OWN_CNODE, slot: HELD })
    const sought = revoking.acquire.flatMap(effect => (effect.kind === "prove-unmapped" ? [effect.memory] : []))
    revoking.commit()
    return [...new Set(sought)]
  }
  t.same(soughtNow(), memories)
  k.holdContinues = true
  for (let renewal = 0; renewal < 2; renewal++) {
    t.equal(renew(k, frame), "ok", "also while the mappings of the one before are moved")
    memories.push(frameIn(k, frame).memory)
  }
  const [first, second, third] = memories
  t.same(soughtNow(), [third, first, second])
  const moved = k.of("continue").map(({ token }) => token)
  t.equal(moved.length, 2)
  k.resume(moved[1] as number)
  t.same(soughtNow(), [third, first], "the first has not been seen to be gone, the second has")
  k.resume(moved[0] as number)
  t.same(soughtNow(), [third])
})

t.test("memory that a commit maps for readers is created with what they need", async t => {
  const k = new TestKernel()
  const created: unknown[] = []
  k.refuse = effect => {
    if (effect.kind === "create-memory") created.push([effect.label, effect.forReaders])
    return undefined
  }
  const frame = k.frame()
  renew(k, frame)
  k.call(ROOT, "object_attach", { slot: k.notification(), role: 1 })
  t.same(created, [
    ["frame-1", false],
    ["frame-1", true],
    ["notification-3", false],
    ["notification-3-0-lane", true],
    ["notification-3-0-ack", true],
  ])
})

t.test("who sleeps on the frame is woken when its memory changes", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [HELD, frame, READ])
  k.call(ROOT, "memory_map_into", { frame, bytes, permissions: READ, pid: child.pid })
  k.call(child.pid, "object_attach", { slot: HELD, role: 0 })
  const woken = () => k.of("set-status").filter(({ component }) => component === child.pid).length
  for (const call of [seal, renew]) {
    const before = woken()
    call(k, frame)
    t.equal(woken(), before + 1)
  }
})

t.test("while a frame is sealed or renewed others cannot map it, and a refusal leaves it as it was", async t => {
  const none = new KernelError("NotEnoughMemory", "Linux has none")
  for (const name of ["memory_seal", "memory_renew"] as const) {
    for (const sealedBefore of [false, true]) {
      const k = new TestKernel()
      const child = k.spawn()
      const frame = k.frame()
      const address = k.map(ROOT, frame, READ)
      if (sealedBefore) seal(k, frame)
      const state = frameIn(k, frame).state
      const changing = k.suspend(ROOT, name, { frame })
      for (const other of [seal, renew]) t.equal(other(k, frame), "IllegalOperation")
      t.equal(map(k, frame, READ), "IllegalOperation")
      t.equal(k.outcome(ROOT, "memory_remap", { address, bytes, permissions: READ }), "IllegalOperation")
      const grant = (slot: number, rights: number) =>
        k.outcome(ROOT, "cap_grant", { source: frame, tcb: child.tcb, slot, rights })
      t.same([grant(30, READ), grant(31, WRITE)], ["ok", "IllegalOperation"])
      t.throws(() => changing.refuse(none), { code: "NotEnoughMemory" })
      t.equal(frameIn(k, frame).state, state)
      t.equal(map(k, frame, READ), "ok")
      t.same(violations(k.state), [])
    }
  }
})

t.test("neither begins while a mapping of the frame is under way, nor ends with one that has left", async t => {
  for (const call of [seal, renew]) {
    const k = new TestKernel()
    const frame = k.frame()
    const mapping = k.suspend(ROOT, "memory_map", { frame, bytes, permissions: READ })
    t.equal(call(k, frame), "IllegalOperation")
    mapping.commit()
    t.equal(call(k, frame), "ok")
  }
  const k = new TestKernel()
  const frame = k.frame()
  const address = k.map(ROOT, frame, READ)
  const renewing = k.suspend(ROOT, "memory_renew", { frame })
  const unmapping = k.suspend(ROOT, "memory_unmap", { address, bytes })
  renewing.commit()
  t.match(k.of("move-mappings"), [{ maps: [] }], "what is on its way out is not mapped again")
  unmapping.commit()
  t.same(violations(k.state), [])
})

t.test("a frame that goes while it is renewed leaves no memory behind", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const renewing = k.suspend(ROOT, "memory_renew", { frame })
  k.delete(ROOT, frame)
  t.throws(() => renewing.commit(), { code: "Revoked" })
  t.equal(k.memories.size, 0)
})
