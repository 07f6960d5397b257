// vspace.test.ts: the address space: faults become exceptions, private memory runs out politely.

import { spawnSync } from "node:child_process"
import t from "tap"
import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { PRIVATE_END, PRIVATE_START } from "../../../src/kernel-daemon/abi/vspace-map.ts"
import { PageFault } from "../../../src/ring/errors.ts"
import { NotificationFrame, NotificationSignaller, NotificationWaiter } from "../../../src/ring/notification.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import {
  freeAddress,
  mapFrame,
  newFrame,
  peerCommand,
  peerEnvironment,
  READ,
  READ_WRITE,
  SECOND_NS,
  vspace,
} from "../../helpers/ring.ts"

t.test(
  "loadWord(), storeWord() and compareExchangeWord() carry all 32 bits between two mappings of a frame",
  async t => {
    const frame = newFrame(t, PAGE_BYTES)
    const [a, b] = [mapFrame(t, frame, PAGE_BYTES), mapFrame(t, frame, PAGE_BYTES, READ)]
    for (const value of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]) {
      vspace.storeWord(a, value)
      t.equal(vspace.loadWord(b), value)
      t.equal(vspace.compareExchangeWord(a, value, 5), value)
      t.equal(vspace.loadWord(b), 5)
      t.equal(vspace.compareExchangeWord(a, value, 6), 5, "not what was expected")
      t.equal(vspace.loadWord(b), 5)
    }
  },
)

t.test("an access that the page does not allow is a PageFault with address and access", async t => {
  const unmapped = freeAddress(PAGE_BYTES)
  const readOnly = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES, READ)
  const cases = [
    ["load, page 0", () => vspace.loadWord(0), 0, "read"],
    ["load, unmapped", () => vspace.loadWord(unmapped + 40), unmapped + 40, "read"],
    ["store, unmapped", () => vspace.storeWord(unmapped + 40, 1), unmapped + 40, "write"],
    ["store, read-only", () => vspace.storeWord(readOnly + 8, 1), readOnly + 8, "write"],
    ["exchange, read-only", () => vspace.compareExchangeWord(readOnly + 12, 0, 1), readOnly + 12, "write"],
    ["last page", () => vspace.loadWord(vspace.u8.length - 4), vspace.u8.length - 4, "read"],
  ] as const
  for (const [what, access, address, kind] of cases) {
    for (let time = 0; time < 3; time++) {
      t.throws(access, { name: "PageFault", address, access: kind }, what)
    }
  }
  t.equal(vspace.loadWord(readOnly + 12), 0)
})

t.test("a page that goes and comes back faults only in between", async t => {
  const frame = newFrame(t, PAGE_BYTES)
  const address = freeAddress(PAGE_BYTES)
  for (let time = 0; time < 20; time++) {
    native.map(address, PAGE_BYTES, frame, READ_WRITE)
    vspace.storeWord(address, time)
    native.unmap(address, PAGE_BYTES)
    t.throws(() => vspace.loadWord(address), PageFault)
  }
})

t.test(
  "every operation of a ring and a notification whose page is gone is a PageFault, and the process lives",
  async t => {
    const frame = newFrame(t, 2 * PAGE_BYTES)
    const ring = freeAddress(2 * PAGE_BYTES)
    native.map(ring, 2 * PAGE_BYTES, frame, READ_WRITE)
    const page = ring + PAGE_BYTES
    SharedRing.create(vspace, ring, PAGE_BYTES, { capacity: 1, slotBytes: 64 })
    const producer = SharedRing.producer(vspace, ring, PAGE_BYTES)
    const consumer = SharedRing.consumer(vspace, ring, PAGE_BYTES)
    const signaller = new NotificationSignaller(vspace, NotificationFrame.lane(page, 0))
    const waiter = new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, page))
    producer.claim()
    native.unmap(ring, 2 * PAGE_BYTES)
    const operations = {
      commit: () => producer.commit(),
      tryPush: () => producer.tryPush(),
      push: () => producer.push(undefined, SECOND_NS),
      tryPop: () => consumer.tryPop(),
      pop: () => consumer.pop(SECOND_NS),
      peek: () => consumer.peek(),
      signal: () => signaller.signal(1n),
      poll: () => waiter.poll(),
      wait: () => waiter.wait(SECOND_NS),
      waitAny: () => NotificationWaiter.waitAny([waiter], SECOND_NS),
      signaller: () => new NotificationSignaller(vspace, NotificationFrame.lane(page, 0)),
      waiter: () => new NotificationWaiter(vspace, NotificationFrame.waiter(vspace, page)),
    }
    for (const [name, operation] of Object.entries(operations)) t.throws(operation, PageFault, name)
  },
)

t.test("loadWord() and storeWord() refuse what is not the address of a word", async t => {
  for (const access of [(at: number) => vspace.loadWord(at), (at: number) => vspace.storeWord(at, 0)]) {
    t.throws(() => access(PRIVATE_START + 2), { code: "AlignmentError", message: /must be a multiple of 4/ })
    for (const address of [-4, vspace.u8.length, 2 ** 40, 4.5, Number.NaN])
      t.throws(() => access(address), { code: "RangeError" })
  }
})

t.test("copy() carries every byte, faults where a page is missing, and refuses what is no piece of memory", async t => {
  const frame = newFrame(t, PAGE_BYTES)
  const [a, b] = [mapFrame(t, frame, PAGE_BYTES), mapFrame(t, frame, PAGE_BYTES, READ)]
  const unmapped = freeAddress(PAGE_BYTES)
  const source = vspace.allocatePrivate(PAGE_BYTES, 8)
  for (let at = 0; at < PAGE_BYTES; at++) vspace.u8[source + at] = at % 251
  for (const bytes of [0, 8, 56, 64, 72, 1000, PAGE_BYTES]) {
    vspace.u8.fill(0, a, a + PAGE_BYTES)
    vspace.copy(a, source, bytes)
    t.same(vspace.u8.slice(b, b + bytes), vspace.u8.slice(source, source + bytes), `${bytes} bytes`)
    t.ok(
      vspace.u8.slice(b + bytes, b + PAGE_BYTES).every(byte => byte === 0),
      "and no more",
    )
  }
  // Of eight bytes: with more, the processor and the compiler choose which is the first.
  t.throws(() => vspace.copy(b, source, 8), { name: "PageFault", address: b, access: "write" })
  t.throws(() => vspace.copy(a, unmapped, 8), { name: "PageFault", address: unmapped, access: "read" })
  t.throws(() => vspace.copy(a, unmapped - 64, 128), { name: "PageFault", access: "read" })
  t.throws(() => vspace.copy(a + 4, source, 8), { code: "AlignmentError", message: /copied to/ })
  t.throws(() => vspace.copy(a, source + 4, 8), { code: "AlignmentError", message: /copied from/ })
  for (const bytes of [4, -8, 8.5, Number.NaN])
    t.throws(() => vspace.copy(a, source, bytes), { code: "AlignmentError" })
  for (const address of [-8, vspace.u8.length, Number.NaN]) {
    t.throws(() => vspace.copy(address, source, 8), { code: "RangeError" })
    t.throws(() => vspace.copy(a, address, 8), { code: "RangeError" })
  }
  vspace.freePrivate(source, PAGE_BYTES)
})

t.test("allocatePrivate() aligns, never overlaps, and refuses what is too much", async t => {
  const first = vspace.allocatePrivate(3, 1)
  const second = vspace.allocatePrivate(8, 128)
  t.ok(second >= first + 3)
  t.equal(second % 128, 0)
  t.ok(first >= PRIVATE_START && second + 8 <= PRIVATE_END)
  t.throws(() => vspace.allocatePrivate(PRIVATE_END, 8), {
    code: "NotEnoughMemory",
    message: /Cannot allocate 16777216 bytes: \d+ are left/,
  })
  t.ok(vspace.allocatePrivate(8, 8) >= second + 8, "a refusal takes nothing")
})

t.test("VSpace.create() refuses where a page fault would kill, and says what to change", async t => {
  const peer = peerCommand(t, "merge")
  const [node, ...args] = peer
  const cases = [
    ["/bin/sh", "-c", 'ulimit -v 6000000; exec "$@"', "sh", ...peer],
    [node, "--disable-wasm-trap-handler", ...args],
  ] as const
  for (const [file, ...argv] of cases) {
    const { stderr } = spawnSync(file, argv, { encoding: "utf8", env: peerEnvironment, timeout: 30_000 })
    t.match(stderr, /RingError: Cannot reserve a VSpace of 1073741824 bytes: .*"ulimit -v"/, file)
    t.match(stderr, /code: 'NotEnoughMemory'/, file)
  }
})
