// shared-ring.test.ts: creating a ring and attaching to it, and every way in which that is refused.

import t from "tap"
import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { PageFault, PeerMisbehaviorError, type RingError } from "../../../src/ring/errors.ts"
import {
  RING_CAPACITY_WORD,
  RING_CREATING,
  RING_FORM_WORD,
  RING_MAGIC_WORD,
  RING_READ_PROGRESS,
  RING_SLOT_BYTES_WORD,
  RING_STRIDE_WORD,
  RING_VERSION_WORD,
  RING_WRITE_INDEX,
} from "../../../src/ring/layout.ts"
import { producerPartBytes } from "../../../src/ring/ring-header.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { frameTwice, freeAddress, mapFrame, newFrame, READ, READ_WRITE, vspace } from "../../helpers/ring.ts"

const geometry = { capacity: 32, slotBytes: 64 }

function refusal(action: () => unknown): { code?: string; message: string } {
  try {
    action()
  } catch (error) {
    return error as RingError
  }
  return { code: "nothing was refused", message: "" }
}

t.test("bytesNeeded() leaves room for 32 slots of 64 bytes in 4,096", async t => {
  t.ok(SharedRing.bytesNeeded(geometry) <= PAGE_BYTES)
  t.ok(SharedRing.bytesNeeded({ capacity: 1, slotBytes: 8 }) <= 1024)
  t.ok(SharedRing.bytesNeeded({ capacity: 1 << 20, slotBytes: 1 << 20 }) > 2 ** 40)
})

t.test("create() refuses each impossible argument by name, value and limit", async t => {
  const [address] = frameTwice(t)
  const cases = [
    [{ capacity: 0, slotBytes: 64 }, "InvalidArgument", /capacity is 0, .*power of two, 1 to 1048576/],
    [{ capacity: 31, slotBytes: 64 }, "InvalidArgument", /capacity is 31,/],
    [{ capacity: -2, slotBytes: 64 }, "InvalidArgument", /capacity is -2,/],
    [{ capacity: 2.5, slotBytes: 64 }, "InvalidArgument", /capacity is 2.5,/],
    [{ capacity: Number.NaN, slotBytes: 64 }, "InvalidArgument", /capacity is NaN,/],
    [{ capacity: 2 ** 21, slotBytes: 64 }, "InvalidArgument", /capacity is 2097152,/],
    [{ capacity: 2 ** 32 + 2, slotBytes: 64 }, "InvalidArgument", /capacity is 4294967298,/],
    [{ capacity: 32, slotBytes: 0 }, "InvalidArgument", /slotBytes is 0, .*multiple of 8, 8 to 1048576/],
    [{ capacity: 32, slotBytes: 60 }, "InvalidArgument", /slotBytes is 60,/],
    [{ capacity: 32, slotBytes: 2 ** 20 + 8 }, "InvalidArgument", /slotBytes is 1048584,/],
    [{ capacity: 64, slotBytes: 64 }, "RangeError", /frameBytes is 4096: 64 slots of 64 bytes need 4864/],
    [{ ...geometry, initialIndex: -1 }, "InvalidArgument", /initialIndex is -1,/],
  ] as const
  for (const [options, code, message] of cases) {
    const error = refusal(() => SharedRing.create(vspace, address, PAGE_BYTES, options))
    t.equal(error.code, code, error.message)
    t.match(error.message, message)
    t.equal(vspace.loadWord(address), 0, "a refusal changes nothing")
  }
  SharedRing.create(vspace, address, PAGE_BYTES, geometry)
})

t.test("create() refuses a frame that holds a ring, is half made, or is not empty", async t => {
  const [address, again] = frameTwice(t)
  SharedRing.create(vspace, address, PAGE_BYTES, geometry)
  t.match(
    refusal(() => SharedRing.create(vspace, again, PAGE_BYTES, geometry)),
    {
      code: "IllegalOperation",
      message: /holds a ring already/,
    },
  )
  t.ok(SharedRing.producer(vspace, address, PAGE_BYTES).tryPush(), "the first ring is as it was")
  vspace.storeWord(address + RING_MAGIC_WORD, RING_CREATING)
  t.match(
    refusal(() => SharedRing.create(vspace, again, PAGE_BYTES, geometry)),
    { code: "IllegalOperation" },
  )
  vspace.storeWord(address + RING_MAGIC_WORD, 7)
  t.match(
    refusal(() => SharedRing.create(vspace, again, PAGE_BYTES, geometry)),
    {
      code: "IllegalOperation",
      message: /holds 0x7 in its first word/,
    },
  )
})

t.test("create(), producer() and consumer() refuse an address that is no frame's", async t => {
  const actions = [
    (address: number) => SharedRing.create(vspace, address, PAGE_BYTES, geometry),
    (address: number) => SharedRing.producer(vspace, address, PAGE_BYTES),
    (address: number) => SharedRing.consumer(vspace, address, PAGE_BYTES),
  ]
  const unmapped = freeAddress(PAGE_BYTES)
  const readOnly = mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES, READ)
  for (const action of actions) {
    t.match(
      refusal(() => action(unmapped + 4)),
      { code: "AlignmentError", message: /must be a multiple of 128/ },
    )
    t.match(
      refusal(() => action(-PAGE_BYTES)),
      { code: "RangeError", message: /is -4096: 4096 bytes must lie/ },
    )
    t.match(
      refusal(() => action(vspace.u8.length - 128)),
      { code: "RangeError" },
    )
    t.throws(() => action(unmapped), PageFault)
  }
  t.match(
    refusal(() => SharedRing.create(vspace, readOnly, PAGE_BYTES, geometry)),
    { address: readOnly, access: "write" },
  )
})

t.test("producer() and consumer() refuse a header that is not a ring's, naming the word", async t => {
  const cases = [
    [RING_MAGIC_WORD, 0, /its magic is 0x0, .*create the ring first/],
    [RING_MAGIC_WORD, 0x12345678, /its magic is 0x12345678, which must be 0x474e524b/],
    [RING_MAGIC_WORD, RING_CREATING, /must be published/],
    [RING_VERSION_WORD, 1, /its layout version is 1, which must be 2/],
    [RING_CAPACITY_WORD, 33, /its capacity is 33, which must be a power of two/],
    [RING_CAPACITY_WORD, 0, /its capacity is 0,/],
    [RING_CAPACITY_WORD, 0x8000_0000, /its capacity is 2147483648,/],
    [RING_CAPACITY_WORD, 1 << 20, /its size by its header is \d+, .*at most the frame's 4096 bytes/],
    [RING_CAPACITY_WORD, 64, /its size by its header is 4864,/],
    [RING_SLOT_BYTES_WORD, 0, /its slotBytes is 0,/],
    [RING_SLOT_BYTES_WORD, 63, /its slotBytes is 63,/],
    [RING_SLOT_BYTES_WORD, 0xffff_fff8, /its slotBytes is 4294967288,/],
    [RING_STRIDE_WORD, 32, /its stride is 32, which must be 64, by slotBytes and form/],
    [RING_FORM_WORD, 1, /its stride is 64, which must be 128,/],
    [RING_FORM_WORD, 3, /its form is 3, which must be 0, index, or 1, slot/],
  ] as const
  for (const [word, value, message] of cases) {
    const [address, other] = frameTwice(t)
    SharedRing.create(vspace, address, PAGE_BYTES, geometry)
    vspace.storeWord(address + word, value)
    for (const attach of [SharedRing.producer, SharedRing.consumer]) {
      t.match(
        refusal(() => attach(vspace, other, PAGE_BYTES)),
        { code: "NotARing", message },
      )
    }
  }
})

t.test("an end reads the header once: what is written to it later changes nothing", async t => {
  const [a, b] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, geometry)
  const producer = SharedRing.producer(vspace, a, PAGE_BYTES)
  const consumer = SharedRing.consumer(vspace, b, PAGE_BYTES)
  for (let word = 0; word < 32; word += 4) vspace.storeWord(a + word, 0xffff_ffff)
  for (let item = 0; item < 100; item++) {
    t.ok(producer.tryPush(Buffer.from([item])))
    t.equal(consumer.tryPop()?.[0], item)
  }
})

t.test("producer() and consumer() refuse indices that are further apart than the capacity", async t => {
  const [a, b] = frameTwice(t)
  SharedRing.create(vspace, a, PAGE_BYTES, geometry)
  vspace.storeWord(a + RING_WRITE_INDEX, 33)
  t.throws(() => SharedRing.consumer(vspace, b, PAGE_BYTES), PeerMisbehaviorError)
  vspace.storeWord(a + RING_WRITE_INDEX, 32)
  SharedRing.consumer(vspace, b, PAGE_BYTES)
  vspace.storeWord(b + producerPartBytes(geometry) + RING_READ_PROGRESS, 33)
  t.match(
    refusal(() => SharedRing.consumer(vspace, a, PAGE_BYTES)),
    { code: "NotARing", message: /33 slots are released there, which must be at most 32/ },
  )
  vspace.storeWord(a + producerPartBytes(geometry), 33)
  t.throws(() => SharedRing.producer(vspace, b, PAGE_BYTES), PeerMisbehaviorError)
})

t.test("create() touches nothing outside its frame", async t => {
  const address = freeAddress(2 * PAGE_BYTES)
  const frame = newFrame(t, PAGE_BYTES)
  native.map(address, PAGE_BYTES, frame, 3)
  t.teardown(() => native.unmap(address, PAGE_BYTES))
  const capacity = 1
  const slotBytes = PAGE_BYTES - SharedRing.bytesNeeded({ capacity, slotBytes: 128 }) + 128
  t.equal(SharedRing.bytesNeeded({ capacity, slotBytes }), PAGE_BYTES, "fills the frame to its last byte")
  SharedRing.create(vspace, address, PAGE_BYTES, { capacity, slotBytes })
  const producer = SharedRing.producer(vspace, address, PAGE_BYTES)
  const consumer = SharedRing.consumer(vspace, address, PAGE_BYTES)
  t.ok(producer.tryPush(new Uint8Array(slotBytes).fill(9)))
  t.same(consumer.tryPop(), new Uint8Array(slotBytes).fill(9))
})

t.test("a ring in two frames: each end writes its own, and reads the other's through a read-only mapping", async t => {
  const [first, second] = [newFrame(t, PAGE_BYTES), newFrame(t, PAGE_BYTES)]
  const map = (fd: number, permissions: number) => ({
    address: mapFrame(t, fd, PAGE_BYTES, permissions),
    bytes: PAGE_BYTES,
  })
  const writable = { producerPart: map(first, READ_WRITE), consumerPart: map(second, READ_WRITE) }
  SharedRing.create(vspace, writable, { capacity: 2, slotBytes: 64 })
  const forProducer = { producerPart: map(first, READ_WRITE), consumerPart: map(second, READ) }
  const forConsumer = { producerPart: map(first, READ), consumerPart: map(second, READ_WRITE) }
  const wait = { spinNs: 0 }
  const producer = SharedRing.producer(vspace, forProducer, { wait })
  const consumer = SharedRing.consumer(vspace, forConsumer, { wait })
  for (let item = 0; item < 5; item++) {
    t.equal(producer.push(Uint8Array.of(item), 1_000_000), "pushed")
    t.match(consumer.pop(1_000_000), { 0: item })
  }
  t.equal(consumer.pop(1_000_000), "deadline", "it can sleep on what it can only read")
  for (let item = 0; item < 2; item++) producer.tryPush()
  t.equal(producer.push(undefined, 1_000_000), "deadline")
  t.throws(() => SharedRing.create(vspace, forProducer, { capacity: 2, slotBytes: 64 }), { code: "IllegalOperation" })
})

t.test("a ring in two frames refuses a part that is too small, by name", async t => {
  const producerPart = { address: mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES), bytes: PAGE_BYTES }
  const consumerPart = { address: mapFrame(t, newFrame(t, PAGE_BYTES), PAGE_BYTES), bytes: 128 }
  const refused = (message: RegExp) => ({ code: "RangeError", message })
  const create = (capacity: number) =>
    SharedRing.create(vspace, { producerPart, consumerPart }, { capacity, slotBytes: 64 })
  t.throws(() => create(64), refused(/producerPart.bytes is 4096: .* need 4480/))
  t.throws(() => create(4), refused(/consumerPart.bytes is 128: .* need 384/))
  t.equal(vspace.loadWord(producerPart.address), 0, "a refusal changes nothing")
})
