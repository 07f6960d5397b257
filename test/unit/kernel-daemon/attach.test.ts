// attach.test.ts: object_attach, and what a component is told about its peers.

import t from "tap"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { NOTIFICATION_LANES, PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { ackAddress, laneAddress, WAITER_BYTES } from "../../../src/kernel-daemon/abi/notification-map.ts"
import { formatPermissions } from "../../../src/kernel-daemon/abi/rights.ts"
import { AttachRole, NO_LANE, NO_SLOT } from "../../../src/kernel-daemon/abi/syscalls.ts"
import { KERNEL_PAGE, MAX_STATUS_WORDS } from "../../../src/kernel-daemon/abi/vspace-map.ts"
import { OWN_CNODE, ROOT, TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"

const SLOT = 20
const { frame: FRAME, signaller: SIGNALLER, waiter: WAITER } = AttachRole

function attach(k: TestKernel, component: number, role: number, slot = SLOT) {
  return k.call(component, "object_attach", { slot, role })
}

/** What the status word at an address says. */
function status(k: TestKernel, component: number, address: number): string {
  return k.words.get(`${component}:${(address - KERNEL_PAGE) / 4}`) ?? "live"
}

t.test("attaching a frame tells where it is mapped, and needs it to be", async t => {
  const k = new TestKernel()
  const frame = k.frame(ROOT, 2 * PAGE_BYTES)
  const child = k.spawn(ROOT, [SLOT, frame, 1, SLOT + 1, frame, 3])
  t.equal(k.outcome(child.pid, "object_attach", { slot: SLOT, role: FRAME }), "FailedLookup")
  const args = { frame, bytes: 2 * PAGE_BYTES, permissions: 3, pid: child.pid }
  const { address } = k.call(ROOT, "memory_map_into", args)
  const given = attach(k, child.pid, FRAME)
  t.match(given, { address, bytes: 2 * PAGE_BYTES, permissions: 3, lane: NO_LANE, badge: 0n })
  t.strictSame(attach(k, child.pid, FRAME), given, "again the same")
  const own = k.map(child.pid, SLOT, 1)
  t.match(attach(k, child.pid, FRAME), { address: own, permissions: 1 }, "preferably the slot's own mapping")
  t.match(attach(k, child.pid, FRAME, SLOT + 1), { address }, "else the oldest")
})

t.test("attaching refuses the wrong role, type and rights", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const frame = k.frame()
  const child = k.spawn(ROOT, [20, notification, 1, 21, notification, 2, 22, frame, 3, 23, notification, 4])
  const outcome = (slot: number, role: number) => k.outcome(child.pid, "object_attach", { slot, role })
  t.equal(outcome(20, WAITER), "ok")
  t.equal(outcome(20, SIGNALLER), "IllegalOperation")
  t.equal(outcome(21, SIGNALLER), "ok")
  t.equal(outcome(21, WAITER), "IllegalOperation")
  t.equal(outcome(23, WAITER), "IllegalOperation")
  t.equal(outcome(22, WAITER), "InvalidCapability")
  t.equal(outcome(20, FRAME), "InvalidCapability")
  t.equal(outcome(20, 5), "InvalidArgument")
  t.equal(outcome(60, WAITER), "FailedLookup")
})

t.test("each signalling capability has a lane of its own, lowest first, until it goes", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const signallers = Array.from({ length: NOTIFICATION_LANES + 1 }, () => k.spawn(ROOT, [SLOT, notification, 2]))
  const pids = signallers.map(({ pid }) => pid)
  const lanes = pids.slice(0, -1).map(pid => attach(k, pid, SIGNALLER).lane)
  t.strictSame(
    lanes,
    Array.from({ length: NOTIFICATION_LANES }, (_, lane) => lane),
  )
  const last = pids.at(-1) as number
  t.equal(k.outcome(last, "object_attach", { slot: SLOT, role: SIGNALLER }), "NotEnoughMemory")
  t.equal(k.outcome(pids[3] as number, "object_attach", { slot: SLOT, role: SIGNALLER }), "ok", "who has one keeps it")
  k.end(pids[5] as number)
  t.equal(attach(k, last, SIGNALLER).lane, 5, "the lane of the dead is free")
  t.equal(k.outcome(ROOT, "object_attach", { slot: notification, role: WAITER }), "ok", "waiting takes no lane")
  t.strictSame(violations(k.state), [])
})

t.test("one component waits; another can when that one has gone or lost its capability", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const first = k.spawn(ROOT, [SLOT, notification, 3])
  const second = k.spawn(ROOT, [SLOT, notification, 3], { name: "second" })
  t.equal(attach(k, first.pid, WAITER).lane, NO_LANE)
  t.not(attach(k, first.pid, SIGNALLER).address, attach(k, first.pid, WAITER).address, "each role has pages of its own")
  t.strictSame(attach(k, first.pid, WAITER), attach(k, first.pid, WAITER), "again the same")
  t.throws(() => attach(k, second.pid, WAITER), { code: "IllegalOperation", message: /component 2 "child" waits/ })
  k.end(first.pid)
  t.equal(k.outcome(second.pid, "object_attach", { slot: SLOT, role: WAITER }), "ok")
  k.revoke(ROOT, notification)
  t.equal(k.outcome(ROOT, "object_attach", { slot: notification, role: WAITER }), "ok")
})

/** What a component has mapped of a notification, lanes and acknowledgements by offset: "r", "rw". */
function pagesAt(k: TestKernel, component: number, base: number): Record<number, string> {
  const pages = [...k.pages.values()].filter(page => page.component === component && page.address >= base)
  return Object.fromEntries(
    pages.map(({ address, permissions }) => [(address - base) / PAGE_BYTES, formatPermissions(permissions)]),
  )
}

/** The memory that a component sees at a page. */
function memoryAt(k: TestKernel, component: number, address: number): number | undefined {
  return k.pages.get(`${component}:${address}`)?.memory
}

t.test("each memory of a notification has one writer, whichever end attaches first", async t => {
  for (const waiterFirst of [true, false]) {
    const k = new TestKernel()
    const notification = k.notification()
    const signaller = k.spawn(ROOT, [SLOT, notification, 2]).pid
    const waiter = k.spawn(ROOT, [SLOT, notification, 1]).pid
    if (waiterFirst) attach(k, waiter, WAITER)
    const { address: lane, permissions } = attach(k, signaller, SIGNALLER)
    const { address: base, bytes } = attach(k, waiter, WAITER)
    t.equal(permissions, 3)
    t.equal(bytes, WAITER_BYTES)
    t.strictSame(pagesAt(k, signaller, lane), { 0: "rw", 1: "r" })
    t.strictSame(pagesAt(k, waiter, base), { 0: "r", 1: "r", 2: "rw" }, "lanes that nobody holds are not mapped")
    t.equal(memoryAt(k, waiter, laneAddress(base, 0)), memoryAt(k, signaller, lane))
    t.equal(memoryAt(k, waiter, ackAddress(laneAddress(base, 0))), memoryAt(k, signaller, ackAddress(lane)))
    const writable = [...k.pages.values()].filter(page => page.permissions === 3).map(page => page.memory)
    t.equal(new Set(writable).size, writable.length, "no memory has two writers")
    t.equal(k.of("publish-lane").length, 1)
    t.match(k.of("publish-lane"), [{ index: 0, badge: 2n ** 64n - 1n }])
  }
})

t.test("who waits is hung a bell of the daemon's and one for each lane, a signaller that of its lane", async t => {
  for (const waiterFirst of [true, false]) {
    const k = new TestKernel()
    const notification = k.notification()
    const [first, second] = [0, 1].map(() => k.spawn(ROOT, [SLOT, notification, 2]).pid) as [number, number]
    const waiter = k.spawn(ROOT, [SLOT, notification, 1]).pid
    if (waiterFirst) attach(k, waiter, WAITER)
    const lanes = [first, second].map(pid => attach(k, pid, SIGNALLER).address) as [number, number]
    const base = attach(k, waiter, WAITER).address
    const bell = (pid: number, address: number, whose: string) => k.bells.get(`${pid}:${address}:${whose}`)
    const [a, b] = [0, 1].map(lane => memoryAt(k, waiter, laneAddress(base, lane))) as [number, number]
    const page = memoryAt(k, waiter, base) as number
    t.equal(bell(waiter, base, "own"), `${page} waiter`)
    t.equal(bell(waiter, laneAddress(base, 0), "own"), `${a} waiter`)
    t.equal(bell(first, lanes[0], "peers"), `${a} waiter`)
    t.equal(bell(second, lanes[1], "peers"), `${b} waiter`, "none that another signaller could take a ringing from")
    t.equal(k.bells.size, 5)
    t.same(
      [waiter, first, second].map(pid => k.kernel.bellsHeld(pid, a)),
      [1, 1, 0],
    )

    const before = k.effects.length
    k.end(first)
    k.end(second)
    const told = k.effects.slice(before).filter(({ kind }) => kind === "set-status" || kind === "ring-bell")
    t.match(told.slice(-2), [
      { kind: "set-status", component: waiter, status: "peer-gone" },
      { kind: "ring-bell", memory: page, bell: "waiter" },
    ])
    k.end(waiter)
    t.equal(k.bells.size, 0)
    k.delete(ROOT, notification)
    for (const memory of [a, b, page]) t.ok(k.of("destroy-bells").some(effect => effect.memory === memory))
  }
})

t.test("a lane that could not be made leaves no bell", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const { pid } = k.spawn(ROOT, [SLOT, notification, 2])
  k.refuse = effect => (effect.kind === "hang-bell" ? new KernelError("NotEnoughMemory", "full") : undefined)
  t.equal(k.outcome(pid, "object_attach", { slot: SLOT, role: SIGNALLER }), "NotEnoughMemory")
  t.equal(k.of("destroy-bells").length, 1)
  k.refuse = () => undefined
  t.equal(k.outcome(pid, "object_attach", { slot: SLOT, role: SIGNALLER }), "ok")
  t.strictSame(violations(k.state), [])
})

t.test(
  "a lane goes to the next holder of the same badge as it is, to one of another only when it is empty",
  async t => {
    const k = new TestKernel()
    const notification = k.notification()
    for (const badge of [1n, 2n]) {
      const target = 50 + Number(badge)
      k.call(ROOT, "cap_mint", { cnode: OWN_CNODE, source: notification, target, rights: 7, badge })
    }
    const signaller = (badge: number) => k.spawn(ROOT, [SLOT, 50 + badge, 2]).pid
    const first = signaller(1)
    t.equal(attach(k, first, SIGNALLER).lane, 0)
    k.end(first)
    const again = k.suspend(signaller(1), "object_attach", { slot: SLOT, role: SIGNALLER })
    t.strictSame(
      again.acquire.map(({ kind }) => kind),
      ["map-all", "hang-bell"],
      "bits that are pending stay deliverable",
    )
    t.equal(again.commit()?.lane, 0)
    t.equal(attach(k, signaller(2), SIGNALLER).lane, 1, "another badge takes a lane of its own while there is one")
    for (let lane = 2; lane < NOTIFICATION_LANES; lane++) attach(k, signaller(2), SIGNALLER)
    const last = signaller(2)
    t.equal(k.outcome(last, "object_attach", { slot: SLOT, role: SIGNALLER }), "NotEnoughMemory")
    k.end(ROOT + 2)
    const reuse = k.suspend(last, "object_attach", { slot: SLOT, role: SIGNALLER })
    t.strictSame(
      reuse.acquire.map(({ kind }) => kind),
      ["clear-lane", "map-all", "hang-bell"],
    )
    t.throws(() => reuse.refuse(new KernelError("NotEnoughMemory", "bits are pending")), { code: "NotEnoughMemory" })
    const retry = k.suspend(last, "object_attach", { slot: SLOT, role: SIGNALLER })
    t.equal(retry.acquire[0]?.kind, "clear-lane", "nor is it taken to be empty afterwards")
    t.equal(retry.commit()?.lane, 0)
    t.match(k.of("publish-lane").at(-1), { index: 0, badge: 2n })
    t.strictSame(violations(k.state), [])
  },
)

t.test("revoked while it attaches, a signaller leaves a lane that can be used, and nothing mapped", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const child = k.spawn(ROOT, [SLOT, notification, 2])
  const waiter = k.spawn(ROOT, [SLOT, notification, 1])
  const { address } = attach(k, waiter.pid, WAITER)
  const attaching = k.suspend(child.pid, "object_attach", { slot: SLOT, role: SIGNALLER })
  k.delete(child.pid, SLOT)
  t.throws(() => attaching.commit(), { code: "Revoked" })
  t.strictSame(pagesAt(k, child.pid, 0), {})
  t.strictSame(Object.keys(pagesAt(k, waiter.pid, address)), ["0", "1", "2"])
  const next = k.spawn(ROOT, [SLOT, notification, 2])
  t.equal(attach(k, next.pid, SIGNALLER).lane, 0)
  t.equal(k.of("destroy-memory").length, 0)
  k.delete(ROOT, notification)
  for (const { pid } of [child, waiter, next]) k.end(pid)
  t.equal(k.memories.size, 0, "lanes go with their notification")
})

t.test("a lane that comes while its waiter is on the way out is not mapped there any more", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const waiter = k.spawn(ROOT, [SLOT, notification, 1])
  const { address, bytes } = attach(k, waiter.pid, WAITER)
  const leaving = k.suspend(waiter.pid, "memory_unmap", { address, bytes })
  t.ok(
    leaving.acquire.some(({ kind }) => kind === "prove-unmapped"),
    "a lane may go to another, so it is looked for",
  )
  attach(k, ROOT, SIGNALLER, notification)
  t.strictSame(pagesAt(k, waiter.pid, 0), {})
  leaving.commit()
  t.strictSame(violations(k.state), [])
})

t.test("the permissions of a notification's pages cannot be changed", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const { address, bytes } = attach(k, ROOT, WAITER, notification)
  t.equal(k.outcome(ROOT, "memory_remap", { address, bytes, permissions: 3 }), "IllegalOperation")
})

t.test("explain_address tells what lies there, what is missing, and the capability", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [SLOT, frame, 1])
  const own = k.map(child.pid, SLOT, 1)
  const explained = (address: number) => k.call(child.pid, "explain_address", { address })
  t.match(explained(own + 8), { slot: SLOT, text: /^lies in frame \d+, mapped r; slot 20 has rights r$/ })
  const given = k.call(ROOT, "memory_map_into", { frame, bytes: PAGE_BYTES, permissions: 3, pid: child.pid }).address
  t.match(explained(given), { slot: SLOT, text: /mapped rw; slot 20 has rights r$/ }, "mapped by another")
  t.strictSame(explained(own + PAGE_BYTES), { slot: NO_SLOT, text: "is not mapped" })
  t.strictSame(explained(KERNEL_PAGE), { slot: NO_SLOT, text: "lies in the kernel's page, mapped r" })
  const notification = k.notification()
  const waiting = k.call(ROOT, "object_attach", { slot: notification, role: WAITER }).address
  const text = (address: number) => k.call(ROOT, "explain_address", { address }).text
  t.match(text(waiting), /^lies in notification \d+, mapped r; slot \d+ has rights rwg$/)
  t.match(text(laneAddress(waiting, 3)), /^lies in notification \d+, not mapped;/)
})

t.test("the badge of the capability is told", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  k.call(ROOT, "cap_mint", { cnode: OWN_CNODE, source: notification, target: 50, rights: 7, badge: 8n })
  const child = k.spawn(ROOT, [SLOT, 50, 2])
  t.equal(attach(k, child.pid, SIGNALLER).badge, 8n)
  t.equal(attach(k, ROOT, SIGNALLER, notification).badge, 0n)
})

t.test("the last peer is told that the other has died, and that a new one has come", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const producer = k.spawn(ROOT, [SLOT, notification, 2])
  const consumer = k.spawn(ROOT, [SLOT, notification, 1])
  attach(k, producer.pid, SIGNALLER)
  const { status: word } = attach(k, consumer.pid, WAITER)
  t.equal(status(k, consumer.pid, word), "live")
  k.end(producer.pid, { kind: "killed", signal: "SIGKILL" })
  t.equal(status(k, consumer.pid, word), "peer-gone")
  k.spawn(ROOT, [SLOT, notification, 2])
  t.equal(status(k, consumer.pid, word), "live")
  t.equal(k.of("set-status").length, 2, "nothing is told twice")
})

t.test(
  "while two peers are left a death only wakes; a late attach is told at once; a bystander's death tells nothing",
  async t => {
    const k = new TestKernel()
    const frame = k.frame()
    const peers = [0, 1, 2].map(() => k.spawn(ROOT, [SLOT, frame, 3]))
    const [a, b, c] = peers.map(({ pid }) => pid) as [number, number, number]
    const bystander = k.spawn()
    k.map(a, SLOT)
    const first = attach(k, a, FRAME).status
    k.end(bystander.pid)
    t.equal(k.of("set-status").length, 0)
    k.end(b)
    t.match(k.of("set-status"), [{ component: a, status: "live" }], "woken, and told nothing new")
    k.map(c, SLOT)
    k.end(a)
    t.equal(status(k, a, first), "live", "the dead are told nothing")
    t.equal(k.of("set-status").length, 1, "nor who has not attached")
    t.equal(status(k, c, attach(k, c, FRAME).status), "peer-gone")
  },
)

t.test("the creator counts as a peer only while it has the object attached", async t => {
  for (const attached of [false, true]) {
    const k = new TestKernel()
    const frame = k.frame()
    const child = [0, 1].map(() => k.spawn(ROOT, [SLOT, frame, 3])).map(({ pid }) => pid) as [number, number]
    k.map(ROOT, frame)
    if (attached) attach(k, ROOT, FRAME, frame)
    k.map(child[0], SLOT)
    const { status: word } = attach(k, child[0], FRAME)
    k.end(child[1])
    t.equal(status(k, child[0], word), attached ? "live" : "peer-gone", attached ? "attached" : "only mapped")
  }
})

t.test("a revoked mapping is told as revoked", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const child = k.spawn(ROOT, [SLOT, notification, 3])
  const { status: word, address } = attach(k, child.pid, WAITER)
  k.revoke(ROOT, notification)
  t.equal(status(k, child.pid, word), "revoked")
  t.notOk(k.pages.has(`${child.pid}:${address}`))
})

t.test("status words are used again, the longest free first, and say nothing stale", async t => {
  const k = new TestKernel()
  const frame = k.frame()
  const child = k.spawn(ROOT, [SLOT, frame, 3])
  k.map(child.pid, SLOT)
  const { status: first } = attach(k, child.pid, FRAME)
  k.revoke(ROOT, frame)
  t.equal(status(k, child.pid, first), "revoked")
  k.call(ROOT, "cap_grant", { source: frame, tcb: child.tcb, slot: SLOT, rights: 3 })
  for (let round = 1; round < MAX_STATUS_WORDS; round++) {
    const address = k.map(child.pid, SLOT)
    const { status: word } = attach(k, child.pid, FRAME)
    if (word !== first + 4 * round) t.fail(`round ${round}: word at ${word}`)
    k.call(child.pid, "memory_unmap", { address, bytes: PAGE_BYTES })
  }
  k.map(child.pid, SLOT)
  t.equal(attach(k, child.pid, FRAME).status, first)
  t.equal(status(k, child.pid, first), "live")
})

t.test("more attached mappings than status words are refused, before anything is mapped", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const child = k.spawn(ROOT, [SLOT, notification, 3])
  const words = k.state.components.get(child.pid)?.statusWords
  for (let word = 0; word < MAX_STATUS_WORDS; word++) words?.allocate()
  t.equal(k.outcome(child.pid, "object_attach", { slot: SLOT, role: WAITER }), "NotEnoughMemory")
  t.equal(k.pages.size, 0)
  words?.free(7)
  t.equal(attach(k, child.pid, WAITER).status, KERNEL_PAGE + 28)
})

t.test("a refused attach takes neither lane nor role nor word", async t => {
  const k = new TestKernel()
  const notification = k.notification()
  const child = k.spawn(ROOT, [SLOT, notification, 3])
  for (const role of [SIGNALLER, WAITER]) {
    const attaching = k.suspend(child.pid, "object_attach", { slot: SLOT, role })
    t.ok(attaching.acquire.length >= 1)
    t.throws(() => attaching.refuse(new KernelError("NotEnoughMemory", "Linux has none")), { code: "NotEnoughMemory" })
  }
  t.equal(attach(k, ROOT, SIGNALLER, notification).lane, 0)
  t.match(attach(k, ROOT, WAITER, notification), { lane: NO_LANE })
  t.strictSame(violations(k.state), [])
})
