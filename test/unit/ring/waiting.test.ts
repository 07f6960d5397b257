// waiting.test.ts: how waits end: the deadline, the peer's death, a revocation; and that sleepers are woken once.

import { readFileSync } from "node:fs"
import t, { type Test } from "tap"
import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { PageFault } from "../../../src/ring/errors.ts"
import { RING_CONSUMER_SLEEP, SLEEP_BITS, Status } from "../../../src/ring/layout.ts"
import { NotificationFrame, NotificationSignaller, NotificationWaiter } from "../../../src/ring/notification.ts"
import { producerPartBytes } from "../../../src/ring/ring-header.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { freeAddress, mapFrame, newFrame, READ_WRITE, SECOND_NS, startPeer, vspace } from "../../helpers/ring.ts"
import { eventually } from "../../helpers/system.ts"

const PATIENCE_NS = 20 * SECOND_NS
const geometry = { capacity: 2, slotBytes: 8 }
const strategies = { parking: { spinNs: 0 }, mixed: { spinNs: 10_000 }, spinning: { park: false } }

/** A ring and a notification whose ends share one status word. */
function channel(t: Test, wait: { spinNs?: number; park?: boolean } = { spinNs: 0 }) {
  const ring = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
  const page = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES)
  const statusFrame = newFrame(t, PAGE_BYTES)
  const status = mapFrame(t, statusFrame, PAGE_BYTES)
  SharedRing.create(vspace, ring, PAGE_BYTES, geometry)
  const producer = SharedRing.producer(vspace, ring, PAGE_BYTES, { status, wait })
  const consumer = SharedRing.consumer(vspace, ring, PAGE_BYTES, { status, wait })
  const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(page, 0))
  const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, page), { status, wait })
  return { ring, page, status, statusFrame, producer, consumer, signaller, waiter }
}

t.test("push(), pop(), wait() and waitAny() end at the deadline, not before", async t => {
  for (const [name, strategy] of Object.entries(strategies)) {
    const { producer, consumer, waiter } = channel(t, strategy)
    const waits = {
      pop: () => consumer.pop(20_000_000),
      wait: () => waiter.wait(20_000_000),
      waitAny: () => NotificationWaiter.waitAny([waiter], 20_000_000),
      push: () => {
        producer.tryPush()
        producer.tryPush()
        return producer.push(undefined, 20_000_000)
      },
    }
    for (const [operation, wait] of Object.entries(waits)) {
      const start = performance.now()
      t.equal(wait(), "deadline", `${operation}, ${name}`)
      const took = performance.now() - start
      t.ok(took >= 20 && took < 2_000, `${operation}, ${name}: took ${took} ms`)
    }
  }
})

t.test("a deadline of 0 looks once; a deadline that is none is refused", async t => {
  const { producer, consumer, waiter, signaller } = channel(t)
  t.equal(consumer.pop(0), "deadline")
  t.equal(waiter.wait(0), "deadline")
  t.equal(producer.push(undefined, 0), "pushed")
  t.type(consumer.pop(0), Uint8Array)
  signaller.signal(4n)
  t.equal(waiter.wait(0), 4n)
  for (const timeoutNs of [-1, Number.NaN, "5" as unknown as number]) {
    const refused = { code: "InvalidArgument", message: new RegExp(`timeoutNs is ${timeoutNs}`) }
    t.throws(() => consumer.pop(timeoutNs), refused)
    t.throws(() => producer.push(undefined, timeoutNs), refused)
    t.throws(() => waiter.wait(timeoutNs), refused)
    t.throws(() => NotificationWaiter.waitAny([waiter], timeoutNs), refused)
  }
  t.throws(() => channel(t, { spinNs: -1 }), { code: "InvalidArgument", message: /wait.spinNs is -1/ })
})

t.test("what was committed or signalled before the end comes first, then the outcome", async t => {
  for (const [value, outcome] of [
    [Status.PeerGone, "peer-gone"],
    [Status.KernelGone, "kernel-gone"],
    [Status.Revoked, "revoked"],
  ] as const) {
    const { producer, consumer, signaller, waiter, status } = channel(t)
    producer.tryPush(Uint8Array.of(1))
    producer.tryPush(Uint8Array.of(2))
    signaller.signal(6n)
    t.equal(consumer.interruption(), undefined)
    vspace.storeWord(status, value)
    t.match(consumer.pop(PATIENCE_NS), { 0: 1 })
    t.match(consumer.tryPop(), { 0: 2 })
    t.equal(consumer.tryPop(), undefined)
    t.equal(consumer.peek(), 0)
    t.equal(consumer.pop(PATIENCE_NS), outcome)
    t.equal(consumer.interruption(), outcome)
    t.equal(waiter.wait(PATIENCE_NS), 6n)
    t.equal(waiter.poll(), 0n)
    t.equal(waiter.wait(PATIENCE_NS), outcome)
    t.equal(NotificationWaiter.waitAny([waiter], PATIENCE_NS), outcome)
    t.equal(producer.push(undefined, PATIENCE_NS), outcome, "nothing is sent to a peer that is gone, whatever the room")
    t.equal(producer.tryPush(), false)
    t.equal(producer.claim(), 0)
    t.equal(producer.interruption(), outcome)
  }
})

t.test("while the kernel is going nothing is sent, and what a late producer has sent is still waited for", async t => {
  const { producer, consumer, signaller, waiter, status } = channel(t)
  vspace.storeWord(status, Status.KernelGoing)
  t.equal(producer.push(undefined, PATIENCE_NS), "kernel-gone")
  t.equal(consumer.pop(1_000_000), "deadline")
  t.equal(waiter.wait(1_000_000), "deadline")
  vspace.storeWord(status, Status.Live)
  producer.tryPush(Uint8Array.of(3))
  signaller.signal(2n)
  vspace.storeWord(status, Status.KernelGoing)
  t.match(consumer.pop(PATIENCE_NS), { 0: 3 })
  t.equal(waiter.wait(PATIENCE_NS), 2n)
  vspace.storeWord(status, Status.KernelGone)
  t.equal(consumer.pop(PATIENCE_NS), "kernel-gone")
  t.equal(waiter.wait(PATIENCE_NS), "kernel-gone")
})

t.test("a status that another process writes ends a wait that spins, and one that sleeps", async t => {
  for (const [name, strategy] of Object.entries(strategies)) {
    const { consumer, producer, waiter, statusFrame, status } = channel(t, strategy)
    producer.tryPush()
    producer.tryPush()
    const waits = {
      push: () => producer.push(undefined, PATIENCE_NS),
      wait: () => waiter.wait(PATIENCE_NS),
      waitAny: () => NotificationWaiter.waitAny([waiter], PATIENCE_NS),
      pop: () => {
        consumer.tryPop()
        consumer.tryPop()
        return consumer.pop(PATIENCE_NS)
      },
    }
    for (const [operation, wait] of Object.entries(waits)) {
      vspace.storeWord(status, Status.Live)
      const peer = startPeer(t, "tell-peer-gone", [statusFrame])
      const start = performance.now()
      t.equal(wait(), "peer-gone", `${operation}, ${name}`)
      t.ok(performance.now() - start < PATIENCE_NS / 2e6, `${operation}, ${name}: at once, not at the deadline`)
      peer.kill()
      await peer.ended()
    }
  }
})

t.test('pages that a revocation takes away before it writes the status are the outcome "revoked"', async t => {
  const ring = freeAddress(PAGE_BYTES)
  native.map(ring, PAGE_BYTES, newFrame(t, PAGE_BYTES), READ_WRITE)
  const { status, statusFrame } = channel(t)
  SharedRing.create(vspace, ring, PAGE_BYTES, geometry)
  const producer = SharedRing.producer(vspace, ring, PAGE_BYTES, { status })
  const consumer = SharedRing.consumer(vspace, ring, PAGE_BYTES, { status })
  producer.tryPush()
  native.unmap(ring, PAGE_BYTES)
  t.throws(() => consumer.tryPop(), PageFault, "an operation that never blocks does not wait for the status")
  startPeer(t, "tell-revoked", [statusFrame])
  t.equal(consumer.pop(PATIENCE_NS), "revoked")
  t.equal(producer.push(undefined, PATIENCE_NS), "revoked")
})

t.test("a page fault that no status explains is thrown", async t => {
  const { status, producer } = channel(t)
  const ring = freeAddress(PAGE_BYTES)
  native.map(ring, PAGE_BYTES, newFrame(t, PAGE_BYTES), READ_WRITE)
  SharedRing.create(vspace, ring, PAGE_BYTES, geometry)
  const consumer = SharedRing.consumer(vspace, ring, PAGE_BYTES, { status })
  native.unmap(ring, PAGE_BYTES)
  t.throws(() => consumer.pop(PATIENCE_NS), PageFault)
  t.equal(producer.push(undefined, PATIENCE_NS), "pushed")
})

// So long that no scheduler makes an end find its time up before it has slept at all.
const LONG_ENOUGH_TO_SLEEP_NS = 20_000_000

t.test("an end says that it sleeps only while it does, with another number each time", async t => {
  const { ring, consumer } = channel(t)
  const sleepWord = ring + producerPartBytes(geometry) + RING_CONSUMER_SLEEP
  const numbers = new Set<number>()
  for (let time = 0; time < 5; time++) {
    t.equal(consumer.pop(LONG_ENOUGH_TO_SLEEP_NS), "deadline")
    t.equal(vspace.loadWord(sleepWord) % 2, 0)
    numbers.add(vspace.loadWord(sleepWord))
  }
  t.equal(numbers.size, 5)
})

t.test("a sleep number whose owner died asleep is not used again by the next", async t => {
  const { ring, consumer: first } = channel(t)
  first.close()
  const sleepWord = ring + producerPartBytes(geometry) + RING_CONSUMER_SLEEP
  for (const left of [7, 0xffff_ffff]) {
    vspace.storeWord(sleepWord, left)
    const consumer = SharedRing.consumer(vspace, ring, PAGE_BYTES, { wait: { spinNs: 0 } })
    t.equal(consumer.pop(LONG_ENOUGH_TO_SLEEP_NS), "deadline")
    t.equal(vspace.loadWord(sleepWord), ((left | SLEEP_BITS) + 1) >>> 0)
    consumer.close()
  }
})

t.test("a sleeper looks again by itself, so a wake-up that is lost costs a moment and not the deadline", async t => {
  const frame = newFrame(t, PAGE_BYTES)
  const ring = mapFrame(t, frame, PAGE_BYTES)
  SharedRing.create(vspace, ring, PAGE_BYTES, geometry)
  const consumer = SharedRing.consumer(vspace, ring, PAGE_BYTES, { wait: { spinNs: 0 } })
  startPeer(t, "publish-unheard", [frame])
  const start = performance.now()
  t.type(consumer.pop(PATIENCE_NS), Uint8Array)
  t.ok(performance.now() - start < PATIENCE_NS / 2e6, "not at the deadline")
})

t.test("a sleeper looks less and less often, and anew when somebody has woken it", async t => {
  const { producer, consumer } = channel(t)
  const asked: number[] = []
  const { futexWait } = native
  t.teardown(() => {
    native.futexWait = futexWait
  })
  // The time is always up but once; with the last a message is there.
  native.futexWait = (_words, _count, timeoutNs) => {
    asked.push(timeoutNs / 1e6)
    if (asked.length === 8) producer.tryPush()
    return asked.length === 6 ? 0 : 1
  }
  t.type(consumer.pop(PATIENCE_NS), Uint8Array)
  t.same(asked, [100, 200, 400, 800, 1_600, 1_600, 100, 200])
})

t.test("a wake-up that found nobody asleep is sent again by the next operation", async t => {
  const frame = newFrame(t, PAGE_BYTES)
  const ring = mapFrame(t, frame, PAGE_BYTES)
  SharedRing.create(vspace, ring, PAGE_BYTES, geometry)
  const producer = SharedRing.producer(vspace, ring, PAGE_BYTES, { wait: { spinNs: 0 } })
  // The consumer has said that it will sleep, and does not yet.
  vspace.storeWord(ring + producerPartBytes(geometry) + RING_CONSUMER_SLEEP, 7)
  t.ok(producer.tryPush())
  const sleeper = startPeer(t, "sleep-on-index", [frame])
  await eventually("the peer sleeps on a shared futex", 10_000, () => isInSharedFutex(sleeper.pid) || undefined)
  t.ok(producer.tryPush())
  t.same(await sleeper.ended(), { code: 0 }, "woken")
})

/** Whether the process's first thread is in FUTEX_WAIT_BITSET without the private flag. */
function isInSharedFutex(pid: number): boolean {
  return /^\d+ 0x[0-9a-f]+ 0x9 /.test(readFileSync(`/proc/${pid}/syscall`, "utf8"))
}
