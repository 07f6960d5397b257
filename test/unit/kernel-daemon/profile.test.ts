// profile.test.ts: what each switch of profile kaal changes in the kernel, beside what strict does.

import t from "tap"
import { ConventionSlot, PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import { END_OF_ADDRESSES, FIRST_ADDRESS, PROFILE_NAMES, Profiles } from "../../../src/kernel-daemon/abi/profile.ts"
import { ALL_RIGHTS, Right } from "../../../src/kernel-daemon/abi/rights.ts"
import { KernelState } from "../../../src/kernel-daemon/invocation/state.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const cnode = OWN_CNODE
const own = { sourceCNode: cnode, targetCNode: cnode }

/** The same done in both profiles. Returns what came of it, strict first. */
function inBoth<T>(run: (k: TestKernel) => T): T[] {
  return PROFILE_NAMES.map(profile => {
    const k = new TestKernel(new KernelState({ profile }))
    const outcome = run(k)
    t.strictSame(violations(k.state), [], profile)
    return outcome
  })
}

t.test("a profile is all of its switches on, or all off", async t => {
  t.notOk(Object.values(Profiles.strict).includes(true))
  t.notOk(Object.values(Profiles.kaal).includes(false))
})

t.test(
  "allocateGivesAddress: an address names the frame for who holds a capability to it, and for nobody else",
  async t => {
    const names = inBoth(k => [k.frame(ROOT, 2 * PAGE_BYTES), k.frame()])
    t.strictSame(names, [
      [100, 101],
      [FIRST_ADDRESS, FIRST_ADDRESS + 2 * PAGE_BYTES],
    ])

    const k = new TestKernel(new KernelState({ profile: "kaal" }))
    const frame = k.frame()
    const [holder, other] = [k.spawn(ROOT, [20, frame, Right.read]), k.spawn()]
    t.ok(k.occupied(ROOT, 100), "a slot has been taken, too")
    const map = (pid: number) => k.outcome(pid, "memory_map", { frame, bytes: PAGE_BYTES, permissions: 1 })
    t.strictSame([map(ROOT), map(holder.pid), map(other.pid)], ["ok", "ok", "FailedLookup"])
    t.equal(k.outcome(ROOT, "cap_copy", { ...own, source: frame, target: 30 }), "ok")
    t.equal(k.outcome(ROOT, "cap_copy", { ...own, source: 30, target: frame }), "DeleteFirst")
    t.equal(k.outcome(ROOT, "cap_delete", { cnode, slot: frame }), "ok")
    t.notOk(k.occupied(ROOT, 30), "the lowest slot is meant")
    k.delete(ROOT, frame)
    t.equal(map(ROOT), "FailedLookup")
    t.equal(k.outcome(ROOT, "cap_delete", { cnode, slot: FIRST_ADDRESS + PAGE_BYTES }), "FailedLookup")
    t.not(k.frame(), frame, "no address is used twice")
  },
)

t.test("memory_allocate refuses when addresses are used up, and then has changed nothing", async t => {
  const k = new TestKernel(new KernelState({ profile: "kaal" }))
  const most = END_OF_ADDRESSES - FIRST_ADDRESS
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: most + 1 }), "NotEnoughMemory")
  const all = k.frame(ROOT, most)
  const before = k.freeBytes
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: 1 }), "NotEnoughMemory")
  t.equal(k.freeBytes, before)
  k.delete(ROOT, all)
  t.equal(k.outcome(ROOT, "memory_allocate", { bytes: 1 }), "NotEnoughMemory")
  t.equal(new TestKernel().outcome(ROOT, "memory_allocate", { bytes: most + 1 }), "ok", "strict has none to use up")
})

t.test("signalNamesAnyBits: the waiter takes all bits from every lane", async t => {
  const badges = inBoth(k => {
    const source = k.notification()
    k.call(ROOT, "cap_mint", { cnode, source, target: 30, rights: ALL_RIGHTS, badge: 4n })
    const attached = k.call(ROOT, "object_attach", { slot: 30, role: 1 })
    return [attached.badge, k.of("publish-lane")[0]?.badge]
  })
  t.strictSame(badges, [
    [4n, 4n],
    [4n, 2n ** 64n - 1n],
  ])
})

t.test("signalOfNothingIsLost, mintRebadges: a mint takes badge 0, and a badged source", async t => {
  const outcomes = inBoth(k => {
    const source = k.notification()
    const mint = (from: number, target: number, badge: bigint, rights = 3) =>
      k.outcome(ROOT, "cap_mint", { cnode, source: from, target, rights, badge })
    return [mint(source, 30, 0n), mint(source, 31, 4n), mint(31, 32, 8n), mint(31, 33, 8n, 7)]
  })
  t.strictSame(outcomes, [
    ["InvalidArgument", "ok", "IllegalOperation", "IllegalOperation"],
    ["ok", "ok", "ok", "IllegalOperation"],
  ])
})

t.test(
  "copyIsAlwaysSibling, revokeRemovesItself: a copy of the original outlives its revoke, the original does not",
  async t => {
    const left = inBoth(k => {
      k.frame()
      k.call(ROOT, "cap_copy", { ...own, source: 100, target: 30 })
      k.derive(ROOT, 100, 31)
      k.derive(ROOT, 31, 32)
      k.revoke(ROOT, 100)
      return [100, 30, 31, 32].map(slot => k.occupied(ROOT, slot))
    })
    t.strictSame(left, [
      [true, false, false, false],
      [false, true, false, false],
    ])
  },
)

t.test("revokeRemovesItself: an untyped that revokes itself gives its memory back", async t => {
  const free = inBoth(k => {
    const before = k.freeBytes
    const { untyped } = ConventionSlot
    const make = (from: number, type: number, sizeBits: number, slot: number) =>
      k.call(ROOT, "retype", { untyped: from, type, sizeBits, cnode, slot, count: 1 })
    make(untyped, ObjectType.Untyped, 20, 30)
    make(30, ObjectType.Page, 12, 31)
    k.revoke(ROOT, 30)
    return before - k.freeBytes
  })
  t.strictSame(free, [2 ** 20, 0])
})

t.test("emptySlotIsRefused, moveStaysInCNode, cnodeZeroIsOwn", async t => {
  const outcomes = inBoth(k => {
    const { untyped } = ConventionSlot
    k.call(ROOT, "retype", { untyped, type: ObjectType.CNode, sizeBits: 2, cnode, slot: 20, count: 1 })
    k.frame()
    k.derive(ROOT, 100, 30)
    return [
      k.outcome(ROOT, "cap_delete", { cnode, slot: 40 }),
      k.outcome(ROOT, "cap_revoke", { cnode, slot: 40 }),
      k.outcome(ROOT, "cap_move", { sourceCNode: cnode, source: 30, targetCNode: 20, target: 0 }),
      k.outcome(ROOT, "cap_derive", { cnode: 0, source: 100, target: 41, rights: 1 }),
    ]
  })
  t.strictSame(outcomes, [
    ["ok", "ok", "ok", "FailedLookup"],
    ["FailedLookup", "FailedLookup", "IllegalOperation", "ok"],
  ])
})

t.test(
  "bytesRoundUp, mapIgnoresPermissions: what is mapped is whole pages, and all that the capability allows",
  async t => {
    const outcomes = inBoth(k => {
      k.frame()
      k.derive(ROOT, 100, 30, Right.read)
      k.derive(ROOT, 100, 31, Right.write)
      const map = (frame: number, bytes: number, permissions: number) => {
        const outcome = k.outcome(ROOT, "memory_map", { frame, bytes, permissions })
        const pages = [...k.pages.values()].map(({ permissions, bytes }) => `${permissions}:${bytes}`).join()
        k.pages.clear()
        return `${outcome} ${pages}`
      }
      return [map(100, 1, 1), map(100, 4096, 7), map(30, 4096, 3), map(31, 4096, 3), map(100, 4097, 3), map(100, 0, 3)]
    })
    t.strictSame(outcomes, [
      [
        "AlignmentError ",
        "InvalidArgument ",
        "IllegalOperation ",
        "IllegalOperation ",
        "AlignmentError ",
        "InvalidArgument ",
      ],
      ["ok 3:4096", "ok 3:4096", "ok 1:4096", "IllegalOperation ", "RangeError ", "InvalidArgument "],
    ])
  },
)
