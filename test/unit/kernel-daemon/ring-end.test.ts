// ring-end.test.ts: who is the producer and the consumer of the ring in a frame: one each, with its bells, until it goes.

import t from "tap"
import { endBellAddress } from "../../../src/kernel-daemon/abi/bell-map.ts"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { AttachRole } from "../../../src/kernel-daemon/abi/syscalls.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const SLOT = 20
const { frame: FRAME, producer: PRODUCER, consumer: CONSUMER } = AttachRole

/** A frame that two children have mapped, rw. */
function pair() {
  const k = new TestKernel()
  const frame = k.frame()
  const [first, second] = [0, 1].map(() => {
    const { pid } = k.spawn(ROOT, [SLOT, frame, 3])
    k.map(pid, SLOT)
    return pid
  }) as [number, number]
  const attach = (pid: number, role: number) => k.outcome(pid, "object_attach", { slot: SLOT, role })
  const detach = (pid: number, role: number) => k.outcome(pid, "object_detach", { slot: SLOT, role })
  return { k, frame, first, second, attach, detach }
}

t.test("an end is one component's at a time, and says whose", async t => {
  const { k, first, second, attach } = pair()
  t.equal(attach(first, PRODUCER), "ok")
  t.equal(attach(second, PRODUCER), "IllegalOperation")
  t.equal(attach(first, PRODUCER), "IllegalOperation", "not twice in one component either: two ends ruin the ring")
  t.throws(() => k.call(second, "object_attach", { slot: SLOT, role: PRODUCER }), {
    code: "IllegalOperation",
    message: new RegExp(`^component ${first} "child" is the producer of frame \\d+, only one can be: let it close`),
  })
  t.equal(attach(second, CONSUMER), "ok", "the other end is free")
  t.equal(attach(first, FRAME), "ok", "and to look where it is mapped takes no end")
  t.strictSame(violations(k.state), [])
})

t.test("an end needs its right, and the producer a mapping to write to", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, frame, 1, 21, frame, 3, 22, frame, 4])
  const outcome = (slot: number, role: number) => k.outcome(child.pid, "object_attach", { slot, role })
  t.equal(outcome(21, PRODUCER), "FailedLookup", "not mapped")
  k.call(child.pid, "memory_map", { frame: 21, bytes: PAGE_BYTES, permissions: 1 })
  t.equal(outcome(20, PRODUCER), "IllegalOperation", "no right to write")
  t.equal(outcome(22, CONSUMER), "IllegalOperation", "no right to read")
  t.equal(outcome(21, PRODUCER), "IllegalOperation", "mapped r")
  t.equal(outcome(20, CONSUMER), "ok")
  k.call(child.pid, "memory_map", { frame: 21, bytes: PAGE_BYTES, permissions: 3 })

  const writer = k.spawn(ROOT, [20, frame, 1, 21, frame, 3])
  k.map(writer.pid, 21)
  const produces = (slot: number) => k.outcome(writer.pid, "object_attach", { slot, role: PRODUCER })
  t.equal(produces(20), "IllegalOperation", "no right to write, though it is mapped rw through another slot")
  t.equal(produces(21), "ok")
})

t.test("whoever takes an end is hung its bell and its peer's, at the address of its mapping", async t => {
  const { k, first, second, attach, detach } = pair()
  const { address } = k.call(first, "object_attach", { slot: SLOT, role: PRODUCER })
  const hung = (pid: number, role: number) =>
    ["own", "peers"].map(whose => k.bells.get(`${pid}:${endBellAddress(address, role)}:${whose}`)?.split(" ")[1])
  t.strictSame(hung(first, PRODUCER), ["producer", "consumer"])
  attach(second, CONSUMER)
  t.strictSame(hung(second, CONSUMER), ["consumer", "producer"])
  t.equal(attach(first, CONSUMER), "IllegalOperation")
  detach(second, CONSUMER)
  t.strictSame(hung(second, CONSUMER), [undefined, undefined])
  t.equal(attach(first, CONSUMER), "ok", "one component can hold both")
  t.strictSame(hung(first, CONSUMER), ["consumer", "producer"])
  t.strictSame(hung(first, PRODUCER), ["producer", "consumer"])
})

t.test(
  "an end is free again when its component ends, or loses the capability or the mapping, or gives it up",
  async t => {
    const ways: Record<string, (world: ReturnType<typeof pair>) => void> = {
      "it ends": ({ k, first }) => k.end(first),
      "its capability is revoked": ({ k, frame }) => k.revoke(ROOT, frame),
      "its capability is deleted": ({ k, first }) => k.delete(first, SLOT),
      "it unmaps": ({ k, first }) => {
        const { address } = k.call(first, "object_attach", { slot: SLOT, role: FRAME })
        k.call(first, "memory_unmap", { address, bytes: PAGE_BYTES })
      },
      "it gives it up": ({ detach, first }) => t.equal(detach(first, PRODUCER), "ok"),
    }
    for (const [what, free] of Object.entries(ways)) {
      const world = pair()
      const { k, frame, first, attach } = world
      t.equal(attach(first, PRODUCER), "ok")
      free(world)
      t.equal(k.bells.size, 0, `${what}: its bells are gone`)
      const heir = k.spawn(ROOT, [SLOT, frame, 3]).pid
      k.call(ROOT, "memory_map_into", { frame, bytes: PAGE_BYTES, permissions: 3, pid: heir })
      t.equal(attach(heir, PRODUCER), "ok", `${what}: another gets the end`)
      t.strictSame(violations(k.state), [])
    }
  },
)

t.test("only who holds an end can give it up", async t => {
  const { first, second, attach, detach, k } = pair()
  attach(first, PRODUCER)
  t.equal(detach(second, PRODUCER), "IllegalOperation")
  t.equal(detach(first, CONSUMER), "IllegalOperation")
  t.equal(detach(first, FRAME), "InvalidArgument")
  t.equal(k.outcome(first, "object_detach", { slot: 60, role: PRODUCER }), "FailedLookup")
  t.equal(attach(second, PRODUCER), "IllegalOperation", "nothing has changed")
})

t.test("giving an end up is proved before another can have it", async t => {
  const { k, first, second, attach, detach } = pair()
  attach(first, PRODUCER)
  const memory = Number(k.bells.values().next().value?.split(" ")[0])
  t.equal(k.kernel.bellsHeld(first, memory), 2)
  const leaving = k.suspend(first, "object_detach", { slot: SLOT, role: PRODUCER })
  t.match(leaving.acquire, [{ kind: "take-bells" }, { kind: "prove-unmapped", component: first, memory }])
  t.equal(k.kernel.bellsHeld(first, memory), 0, "none may be left")
  t.equal(attach(second, PRODUCER), "IllegalOperation", "still its")
  t.equal(detach(first, PRODUCER), "IllegalOperation", "not twice")
  leaving.commit()
  t.equal(attach(second, PRODUCER), "ok")
})

t.test("an end is not given up while its mapping is being changed", async t => {
  const { k, first, attach, detach } = pair()
  attach(first, PRODUCER)
  const { address } = k.call(first, "object_attach", { slot: SLOT, role: FRAME })
  const changing = k.suspend(first, "memory_remap", { address, bytes: PAGE_BYTES, permissions: 1 })
  t.equal(detach(first, PRODUCER), "IllegalOperation")
  changing.commit()
  t.equal(detach(first, PRODUCER), "ok")
})

t.test("an end that was not handed over is free", async t => {
  const { k, first, second, attach } = pair()
  k.refuse = effect => (effect.kind === "hang-bell" ? new KernelError("NotEnoughMemory", "full") : undefined)
  t.equal(attach(first, PRODUCER), "NotEnoughMemory")
  k.refuse = () => undefined
  t.equal(attach(second, PRODUCER), "ok")
  t.strictSame(violations(k.state), [])
})

t.test("unmapping proves that the bells are gone where there are some", async t => {
  const { k, first, attach } = pair()
  const { address } = k.call(first, "object_attach", { slot: SLOT, role: FRAME })
  const unmap = () => k.suspend(first, "memory_unmap", { address, bytes: PAGE_BYTES })
  attach(first, CONSUMER)
  t.match(unmap().acquire, [{ kind: "unmap" }, { kind: "prove-unmapped" }])
})

t.test("who is told something through its status word has its bell rung after it", async t => {
  const { k, frame, first, second, attach } = pair()
  attach(first, PRODUCER)
  attach(second, CONSUMER)
  const rings = () => k.effects.filter(({ kind }) => kind === "set-status" || kind === "ring-bell")
  const before = rings().length
  k.end(first)
  t.match(rings().slice(before), [
    { kind: "set-status", component: second, status: "peer-gone" },
    { kind: "ring-bell", bell: "consumer" },
  ])
  k.revoke(ROOT, frame)
  t.match(rings().at(-2), { kind: "set-status", component: second, status: "revoked" })
  t.match(rings().at(-1), { kind: "ring-bell", bell: "consumer" })
})

t.test("a component cannot reach another's end through a CNode of its own", async t => {
  const { k, first, second, attach } = pair()
  attach(first, PRODUCER)
  k.call(second, "cap_copy", { sourceCNode: OWN_CNODE, source: SLOT, targetCNode: OWN_CNODE, target: SLOT + 1 })
  t.equal(k.outcome(second, "object_attach", { slot: SLOT + 1, role: PRODUCER }), "IllegalOperation")
  t.equal(k.outcome(second, "object_detach", { slot: SLOT + 1, role: PRODUCER }), "IllegalOperation")
})
