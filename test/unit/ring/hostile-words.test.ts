// hostile-words.test.ts: whatever a peer writes into what it may write, every operation ends, in bounds and typed.

import fc from "fast-check"
import t from "tap"
import { native } from "../../../native/index.ts"
import { PAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import { PeerMisbehaviorError, RingError } from "../../../src/ring/errors.ts"
import { RING_CONSUMER_PART_BYTES } from "../../../src/ring/layout.ts"
import { producerPartBytes } from "../../../src/ring/ring-header.ts"
import { SharedRing } from "../../../src/ring/shared-ring.ts"
import { freeAddress, newFrame, READ_WRITE, vspace } from "../../helpers/ring.ts"

const CAPACITY = 8
const geometry = { capacity: CAPACITY, slotBytes: 16 }

/** Runs `operation`; anything but a value of its own or a typed error is a failure. */
function bounded(what: string, operation: () => unknown): void {
  try {
    operation()
  } catch (error) {
    if (error instanceof PeerMisbehaviorError || error instanceof RingError) return
    throw new Error(`${what} threw ${error}`, { cause: error })
  }
}

/** Two pages alone in a desert: a step outside them is a page fault, which is no RingError. */
function place(t: Parameters<typeof newFrame>[0]) {
  const parts = [0, 1].map(() => {
    const address = freeAddress(PAGE_BYTES)
    native.map(address, PAGE_BYTES, newFrame(t, PAGE_BYTES), READ_WRITE)
    return { address, bytes: PAGE_BYTES }
  })
  return { producerPart: parts[0] as (typeof parts)[0], consumerPart: parts[1] as (typeof parts)[0] }
}

const near = (index: number): fc.Arbitrary<number> => fc.integer({ min: -12, max: 12 }).map(by => (index + by) >>> 0)
const hostile = (index: number) => fc.oneof(near(index), near(0), near(0x8000_0000), fc.nat(0xffff_ffff))

for (const form of ["index", "slot"] as const) {
  const bytes = { producer: producerPartBytes({ ...geometry, form }), consumer: RING_CONSUMER_PART_BYTES }
  for (const liar of ["producer", "consumer"] as const) {
    t.test(`${form}: a ${liar} that writes anything anywhere in its part`, async t => {
      const parts = place(t)
      const start = 0xffff_fffc
      const lies = fc.array(
        fc.tuple(fc.nat(bytes[liar] / 4 - 1), hostile(start), fc.nat(5), fc.integer({ min: 1, max: CAPACITY })),
        { maxLength: 60 },
      )
      let misbehaved = 0
      const property = fc.property(lies, steps => {
        for (const { address } of [parts.producerPart, parts.consumerPart]) {
          vspace.u8.fill(0, address, address + PAGE_BYTES)
        }
        SharedRing.create(vspace, parts, { ...geometry, form, initialIndex: start })
        let producer = SharedRing.producer(vspace, parts)
        let consumer = SharedRing.consumer(vspace, parts)
        const honest = {
          producer: [
            () => producer.tryPush(Uint8Array.of(1)),
            (count: number) => producer.tryPushMany(new Uint8Array(count * 16)),
            (count: number) => producer.claimMany(count) > 0 && producer.commitMany(),
            () => producer.push(undefined, 0),
            () => producer.interruption(),
            () => {
              producer.close()
              producer = SharedRing.producer(vspace, parts)
            },
          ],
          consumer: [
            () => consumer.tryPop(),
            (count: number) => consumer.tryPopMany(count),
            (count: number) => consumer.peekMany(count) > 0 && consumer.releaseMany(),
            () => consumer.pop(0),
            () => consumer.peek() > 0 && consumer.release(),
            () => {
              consumer.close()
              consumer = SharedRing.consumer(vspace, parts)
            },
          ],
        }[liar === "producer" ? "consumer" : "producer"]
        const { address } = parts[`${liar}Part`]
        try {
          for (const [word, value, operation, count] of steps) {
            vspace.storeWord(address + word * 4, value)
            bounded(`operation ${operation}`, () => {
              try {
                honest[operation]?.(count)
              } catch (error) {
                if (error instanceof PeerMisbehaviorError) misbehaved++
                throw error
              }
            })
          }
        } finally {
          producer.close()
          consumer.close()
        }
      })
      fc.assert(property, { numRuns: 1_000 })
      // 90 of 1,000 runs, give or take 18.
      t.ok(misbehaved > 10, `${misbehaved} lies were noticed`)
      for (const { address } of [parts.producerPart, parts.consumerPart]) native.unmap(address, PAGE_BYTES)
    })
  }
}
