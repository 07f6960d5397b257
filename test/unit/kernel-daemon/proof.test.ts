// proof.test.ts: what the kernel says about memory when a call has taken it away: proved to be gone, or not.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot } from "../../../src/kernel-daemon/abi/limits.ts"
import { Right } from "../../../src/kernel-daemon/abi/rights.ts"
import { AttachRole, NO_SLOT, Proof } from "../../../src/kernel-daemon/abi/syscalls.ts"
import { Kernel } from "../../../src/kernel-daemon/invocation/kernel.ts"
import { KernelState } from "../../../src/kernel-daemon/invocation/state.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"

const HELD = 60
const bytes = 4096

/** A child with a frame mapped through the root task's capability in HELD, which was derived from `frame`. */
function withHolder(confined: boolean): { k: TestKernel; frame: number; child: { pid: number; tcb: number } } {
  const k = new TestKernel()
  const frame = k.frame()
  k.derive(ROOT, frame, HELD)
  const child = k.spawn(ROOT, [], { confined })
  k.call(ROOT, "memory_map_into", { frame: HELD, bytes, permissions: 3, pid: child.pid })
  return { k, frame, child }
}

const revoke = (k: TestKernel, slot: number) => k.call(ROOT, "cap_revoke", { cnode: OWN_CNODE, slot }).proof
const remove = (k: TestKernel, slot: number) => k.call(ROOT, "cap_delete", { cnode: OWN_CNODE, slot }).proof

t.test("revoke and delete are proved where everybody is confined and can be looked at, else not", async t => {
  for (const [confined, proves, expected] of [
    [true, true, Proof.proved],
    [true, false, Proof.unproven],
    [false, true, Proof.unproven],
    [false, false, Proof.unproven],
  ] as const) {
    for (const [what, take] of [
      ["revoke", (k: TestKernel, frame: number) => revoke(k, frame)],
      ["delete", (k: TestKernel) => remove(k, HELD)],
    ] as const) {
      const { k, frame } = withHolder(confined)
      k.proves = proves
      t.equal(take(k, frame), expected, `${what}, confined ${confined}, looked at ${proves}`)
    }
  }
  const k = new TestKernel()
  t.same([revoke(k, HELD), remove(k, HELD)], [Proof.proved, Proof.proved], "of an empty slot")
  t.equal(remove(k, k.frame()), Proof.proved, "of what nobody has mapped")
})

t.test("one that is not confined may keep memory beyond its unmap, its death and its capability's", async t => {
  const { proved, unproven } = Proof
  for (const [confined, expected] of [
    [false, unproven],
    [true, proved],
  ] as const) {
    const died = withHolder(confined)
    died.k.end(died.child.pid)
    t.equal(revoke(died.k, died.frame), expected, "revoked after its death")

    const leaver = withHolder(confined)
    const address = [...leaver.k.pages.values()][0]?.address as number
    const unmap = leaver.k.call(leaver.child.pid, "memory_unmap", { address, bytes })
    t.equal(unmap.proof, proved, "an unmap of a frame takes no capability, and so promises nothing")
    t.equal(revoke(leaver.k, leaver.frame), expected, "revoked after it unmapped")

    const removed = withHolder(confined)
    t.equal(remove(removed.k, HELD), expected)
    t.equal(remove(removed.k, HELD), proved, "an empty slot")
    t.equal(revoke(removed.k, removed.frame), expected, "what it was derived from knows")
    removed.k.derive(ROOT, removed.frame, HELD)
    removed.k.map(ROOT, HELD)
    t.equal(remove(removed.k, HELD), proved, "what was derived later was never with it")
    t.equal(remove(removed.k, removed.frame), expected)

    const own = new TestKernel()
    const frame = own.frame()
    const child = own.spawn(ROOT, [HELD, frame, 3], { confined })
    own.map(child.pid, HELD)
    own.end(child.pid)
    t.equal(revoke(own, frame), expected, "the capability that went with it was derived from this one")
  }
})

t.test("whoever was told to unmap and was not looked at is looked at by the next removal", async t => {
  const looks = (k: TestKernel, run: () => unknown) => {
    const seen: number[] = []
    k.refuse = effect => {
      if (effect.kind === "prove-unmapped") seen.push(effect.component)
      return undefined
    }
    run()
    return seen
  }
  const refusing = new KernelError("NotEnoughMemory", "its mapper says so")
  const ways: Record<string, (k: TestKernel, child: number) => void> = {
    "it unmapped": (k, child) => {
      const address = [...k.pages.values()][0]?.address as number
      k.call(child, "memory_unmap", { address, bytes })
    },
    "it said that it could not map": (k, child) => {
      k.revoke(ROOT, 100)
      k.derive(ROOT, 100, HELD)
      k.refuse = ({ kind }) => (kind === "map" ? refusing : undefined)
      k.outcome(ROOT, "memory_map_into", { frame: HELD, bytes, permissions: 3, pid: child })
    },
  }
  for (const [what, way] of Object.entries(ways)) {
    for (const [how, take] of [
      ["revoke", (k: TestKernel, frame: number) => revoke(k, frame)],
      ["delete", (k: TestKernel) => remove(k, HELD)],
    ] as const) {
      const { k, frame, child } = withHolder(true)
      way(k, child.pid)
      t.same(
        looks(k, () => t.equal(take(k, frame), Proof.proved)),
        [child.pid],
        `${how}, after ${what}`,
      )
      t.same(
        looks(k, () => revoke(k, frame)),
        [],
        "and not again",
      )
      k.derive(ROOT, frame, HELD)
    }
  }
})

t.test("a removal that was not proved stays so until somebody has looked, or the component has ended", async t => {
  const { proved, unproven } = Proof
  for (const [how, take] of [
    ["revoke", (k: TestKernel, frame: number) => revoke(k, frame)],
    ["delete", (k: TestKernel) => remove(k, HELD)],
  ] as const) {
    const { k, frame } = withHolder(true)
    k.proves = false
    t.same([take(k, frame), revoke(k, frame)], [unproven, unproven], `${how}, twice`)
    k.proves = true
    t.equal(revoke(k, frame), proved)

    const other = withHolder(true)
    other.k.proves = false
    t.equal(take(other.k, other.frame), unproven)
    other.k.end(other.child.pid)
    t.equal(revoke(other.k, other.frame), proved, "its end proves it")
  }
})

t.test("memory_unmap of a notification is proved as a revoke is", async t => {
  for (const [confined, proves, expected] of [
    [true, true, Proof.proved],
    [true, false, Proof.unproven],
    [false, true, Proof.unproven],
  ] as const) {
    const k = new TestKernel()
    const child = k.spawn(ROOT, [HELD, k.notification(), Right.read], { confined })
    k.proves = proves
    const { address, bytes } = k.call(child.pid, "object_attach", { slot: HELD, role: AttachRole.waiter })
    t.equal(k.call(child.pid, "memory_unmap", { address, bytes }).proof, expected)
  }
})

t.test("process_create lets one loose only for who holds process control with all rights", async t => {
  const k = new TestKernel()
  const { processControl: control, untyped } = ConventionSlot
  const create = (caller: number, confined: number) =>
    k.outcome(caller, "process_create", {
      componentName: "child",
      arguments: [],
      capabilities: [],
      priority: 0,
      confined,
      tcb: NO_SLOT,
      vspace: NO_SLOT,
    })
  const weak = k.spawn(ROOT, [untyped, untyped, 7, control, control, Right.read | Right.write])
  const strong = k.spawn(ROOT, [untyped, untyped, 7, control, control, 7])
  t.same([create(weak.pid, 0), create(weak.pid, 1)], ["IllegalOperation", "ok"])
  t.same([create(strong.pid, 0), create(strong.pid, 2)], ["ok", "InvalidArgument"])
})

t.test("process_create and process_describe say who is not confined", async t => {
  for (const [confines, asked, confined] of [
    [true, 1, 1],
    [true, 0, 0],
    [false, 1, 0],
  ] as const) {
    const k = new TestKernel(new KernelState({ confines }))
    const created = k.call(ROOT, "process_create", {
      componentName: "child",
      arguments: [],
      capabilities: [],
      priority: 0,
      confined: asked,
      tcb: NO_SLOT,
      vspace: NO_SLOT,
    })
    t.equal(created.confined, confined)
    const said = k.call(ROOT, "process_describe", { tcb: created.tcb })
    t.equal(said.confined, confined)
    t.match(said.text, confined === 1 ? /"child", created, confined$/ : /"child", created, NOT confined$/)
    k.derive(ROOT, created.tcb, HELD, Right.write)
    t.equal(k.outcome(ROOT, "process_describe", { tcb: HELD }), "IllegalOperation")
    t.equal(k.outcome(ROOT, "process_describe", { tcb: ConventionSlot.untyped }), "InvalidCapability")
  }
  const spawns = (confines: boolean) => new Kernel(new KernelState({ confines })).boot("root-task", []).acquire
  for (const confined of [true, false]) t.match(spawns(confined), [{ kind: "spawn", confined }], "the root task too")
})
