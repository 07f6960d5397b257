// batches.test.ts: several messages awaited or sent on the event loop, of slots and of records: all or none, whatever ends the wait.

import fc from "fast-check"
import t, { type Test } from "tap"
import { native } from "../../../../native/index.ts"
import { RECORD_HEAD_BYTES, RING_SLOTS, Status } from "../../../../src/ring/layout.ts"
import type { LoopWaitOptions } from "../../../../src/ring/loop/loop-waiting.ts"
import type { WaitStrategy } from "../../../../src/ring/wait.ts"
import { vspace } from "../../../helpers/ring.ts"
import { endsWithBells, recordEndsWithBells, type Wiring } from "../../../helpers/ring-bells.ts"

const MS = 1_000_000
/** Of both kinds. */
const CAPACITY = 4
const asleep: WaitStrategy = { checkNs: 0 }
const looking: WaitStrategy = { checkNs: 20 * MS }

const later = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
const message = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number, ~number).buffer)
const numberOf = (bytes: Uint8Array): number => {
  const [number = -1, check] = new Uint32Array(bytes.slice().buffer)
  return check === ~number >>> 0 ? number : -1
}

interface Kind {
  readonly name: string
  /** Messages that one batch may have. */
  readonly most: number
  make(t: Test, wait: WaitStrategy): Ends
}

/** Both ends of a ring whose messages are numbers. */
interface Ends extends Wiring {
  push(numbers: readonly number[]): boolean
  pop(max: number): number[]
  pushing(
    numbers: readonly number[],
    options: LoopWaitOptions,
    given?: (messages: Uint8Array[]) => void,
  ): Promise<string>
  popping(max: number, options: LoopWaitOptions): Promise<number[] | string>
  readonly producer: { close(): void; stats(): { pushed: number } }
  readonly consumer: { close(): void; stats(): { popped: number } }
}

const split = (batch: Uint8Array | undefined): number[] =>
  Array.from({ length: (batch?.length ?? 0) / 8 }, (_, at) =>
    numberOf((batch as Uint8Array).subarray(8 * at, 8 * at + 8)),
  )

const KINDS: readonly Kind[] = [
  {
    name: "slots",
    most: CAPACITY,
    make(t, wait) {
      const ends = endsWithBells(t, { capacity: CAPACITY, slotBytes: 8 }, wait)
      const { producer, consumer } = ends
      return {
        ...ends,
        push: numbers => producer.tryPushMany(numbers.map(message)),
        pop: max => split(consumer.tryPopMany(max)),
        pushing(numbers, options, given) {
          const messages = numbers.map(message)
          const pushing = producer.pushMany(messages, options)
          given?.(messages)
          return pushing
        },
        popping: (max, options) =>
          consumer.popMany(max, options).then(batch => (typeof batch === "string" ? batch : split(batch))),
      }
    },
  },
  {
    name: "records",
    most: CAPACITY / 2,
    make(t, wait) {
      const ends = recordEndsWithBells(t, { capacityBytes: CAPACITY * (8 + RECORD_HEAD_BYTES) }, wait)
      const { producer, consumer } = ends
      return {
        ...ends,
        push: numbers => producer.tryPushMany(numbers.map(message)),
        pop: max => consumer.tryPopMany(max).map(numberOf),
        pushing(numbers, options, given) {
          const messages = numbers.map(message)
          const pushing = producer.pushMany(messages, options)
          given?.(messages)
          return pushing
        },
        popping: (max, options) =>
          consumer.popMany(max, options).then(batch => (typeof batch === "string" ? batch : batch.map(numberOf))),
      }
    },
  },
]

/** As many as there is room for, one by one. */
function fill({ push }: Ends): void {
  for (let number = 0; number < CAPACITY; number++) push([number])
}

for (const { name, most, make } of KINDS) {
  for (const [how, wait] of [
    ["asleep", asleep],
    ["still looking", looking],
  ] as const) {
    t.test(`${name}: popMany({}) resolves with what is published at once, ${how}`, async t => {
      const ends = make(t, wait)
      for (let round = 0; round < 10; round++) {
        const popping = ends.popping(most, {})
        await later(1)
        t.equal(ends.push([round, 7]), true)
        t.same(await popping, [round, 7])
      }
      ends.push([1, 2])
      t.same(await ends.popping(1, {}), [1], "what is there comes in the same turn, and no more than was asked for")
      t.same(await ends.popping(most, {}), [2])
    })

    t.test(`${name}: pushMany({}) sends all at once when there is room for all, ${how}`, async t => {
      const ends = make(t, wait)
      t.equal(await ends.pushing([8, 9], {}), "pushed")
      t.same(ends.pop(2), [8, 9])
      fill(ends)
      const pushing = ends.pushing([10, 11], {}, messages => {
        // What the caller does with them afterwards is not sent.
        messages[0]?.fill(0xff)
        structuredClone(messages[1], { transfer: [messages[1]?.buffer as ArrayBuffer] })
      })
      await later(2)
      t.same(ends.pop(1), [0])
      await later(2)
      for (const rest of [1, 2, 3]) t.same(ends.pop(1), [rest])
      t.same(ends.pop(1), [], "all of them, or none: the ring was never found with one of the two")
      t.equal(await pushing, "pushed")
      t.same(ends.pop(2), [10, 11])
      t.match([ends.producer.stats(), ends.consumer.stats()], [{ pushed: 8 }, { popped: 8 }])
    })
  }

  t.test(`${name}: an aborted batch takes nothing and sends nothing, before the wait and during it`, async t => {
    const ends = make(t, asleep)
    const reason = new Error("enough")
    ends.push([1])
    await t.rejects(ends.popping(2, { signal: AbortSignal.abort(reason) }), reason)
    await t.rejects(ends.pushing([2], { signal: AbortSignal.abort(reason) }), reason)
    t.same(ends.pop(2), [1])
    t.same(ends.pop(2), [])

    const popAborter = new AbortController()
    const popping = t.rejects(ends.popping(2, { signal: popAborter.signal }), reason)
    await later(2)
    popAborter.abort(reason)
    ends.push([3])
    await popping
    t.same(await ends.popping(2, {}), [3], "the next wait has it")

    fill(ends)
    const pushAborter = new AbortController()
    const pushing = t.rejects(ends.pushing([8, 9], { signal: pushAborter.signal }), reason)
    await later(2)
    pushAborter.abort(reason)
    await pushing
    for (const number of [0, 1, 2, 3]) t.same(ends.pop(1), [number])
    t.same(ends.pop(1), [])
    t.equal(await ends.pushing([5, 6], {}), "pushed")
    t.same(ends.pop(2), [5, 6])
  })

  t.test(`${name}: a deadline is an outcome, and so is the close of either end`, async t => {
    const ends = make(t, asleep)
    t.equal(await ends.popping(1, { deadlineNs: 0 }), "deadline")
    t.equal(await ends.popping(1, { deadlineNs: 2 * MS }), "deadline")
    fill(ends)
    t.equal(await ends.pushing([8, 9], { deadlineNs: 2 * MS }), "deadline")
    const pushing = ends.pushing([8, 9], {})
    await later(2)
    ends.consumer.close()
    t.equal(await pushing, "closed", "by the peer's close")

    const others = make(t, asleep)
    const popping = others.popping(2, {})
    await later(2)
    others.push([1, 2])
    others.producer.close()
    t.same(await popping, [1, 2], "what was committed comes first")
    t.equal(await others.popping(2, {}), "closed")
    const own = make(t, asleep)
    const waiting = own.popping(2, {})
    await later(2)
    own.consumer.close()
    t.equal(await waiting, "closed", "by its own")
    t.equal(await own.popping(2, {}), "closed")
  })

  t.test(`${name}: a peer that goes is told of after what it had committed`, async t => {
    const ends = make(t, asleep)
    const popping = ends.popping(2, {})
    await later(2)
    ends.push([1, 2])
    vspace.storeWord(ends.status, Status.PeerGone)
    native.addToEventFd(ends.bells.consumer)
    t.same(await popping, [1, 2])
    t.equal(await ends.popping(2, {}), "peer-gone")
    t.equal(await ends.pushing([3, 4], {}), "peer-gone")
    t.same(ends.pop(2), [])
  })

  t.test(`${name}: another batch during a wait is refused, and does not disturb it`, async t => {
    const ends = make(t, asleep)
    const popping = ends.popping(1, {})
    const refusal = { code: "IllegalOperation", message: /pending/ }
    await t.rejects(ends.popping(most, {}), refusal)
    t.throws(() => ends.pop(most), refusal)
    ends.push([1])
    t.same(await popping, [1])
    fill(ends)
    const pushing = ends.pushing([8, 9], {})
    await t.rejects(ends.pushing([5], {}), refusal)
    t.throws(() => ends.push([5]), refusal)
    for (const number of [0, 1, 2, 3]) t.same(ends.pop(1), [number])
    t.same(ends.pop(1), [])
    t.equal(await pushing, "pushed")
    t.same(ends.pop(2), [8, 9])
  })

  t.test(`${name}: whatever is aborted, all that was pushed comes once, in order and by whole batches`, async t => {
    const step = fc.record({
      size: fc.nat(most - 1),
      abortAfterMs: fc.option(fc.nat(2), { freq: 2 }),
      pauseMs: fc.nat(1),
    })
    const steps = fc.array(step, { minLength: 1, maxLength: 12 })
    const property = fc.asyncProperty(steps, steps, fc.boolean(), async (pushes, pops, sleeps) => {
      const ends = make(t, sleeps ? asleep : looking)
      let next = 0
      const seen: number[] = []
      const attempt = async <T>(
        { abortAfterMs, pauseMs }: (typeof pushes)[number],
        wait: (o: LoopWaitOptions) => Promise<T>,
      ) => {
        await later(pauseMs)
        const signal = abortAfterMs === null ? AbortSignal.timeout(20) : AbortSignal.timeout(abortAfterMs)
        return wait({ signal }).catch(error => (error.name === "TimeoutError" ? undefined : Promise.reject(error)))
      }
      const producing = async (): Promise<void> => {
        for (const push of pushes) {
          const batch = Array.from({ length: 1 + push.size }, (_, at) => next + at)
          if ((await attempt(push, options => ends.pushing(batch, options))) === "pushed") next += batch.length
        }
        ends.producer.close()
      }
      const consuming = async (): Promise<void> => {
        for (const pop of pops) {
          const batch = await attempt(pop, options => ends.popping(1 + pop.size, options))
          if (Array.isArray(batch)) seen.push(...batch)
        }
      }
      await Promise.all([producing(), consuming()])
      for (let batch = ends.pop(most); batch.length > 0; batch = ends.pop(most)) seen.push(...batch)
      ends.consumer.close()
      const expected = Array.from({ length: next }, (_, number) => number)
      if (String(seen) !== String(expected)) throw new Error(`${seen} where ${expected} were pushed`)
    })
    await fc.assert(property, { numRuns: 40 })
  })
}

t.test("a record that cannot be costs none that came before it", async t => {
  const { producer, consumer, at } = recordEndsWithBells(t, { capacityBytes: 128 }, asleep)
  producer.tryPushMany([message(1), message(2)])
  vspace.storeWord(at[0] + RING_SLOTS + 8 + RECORD_HEAD_BYTES, 0x7fff)
  t.same(consumer.tryPopMany(2).map(numberOf), [1])
  t.throws(() => consumer.tryPopMany(2), { name: "PeerMisbehaviorError" })
  await t.rejects(consumer.popMany(2, {}), { name: "PeerMisbehaviorError" })
  for (const max of [0, -1, 1.5, Number.NaN]) {
    t.throws(() => consumer.tryPopMany(max), { code: "RangeError", message: /^max is/ })
    t.throws(() => consumer.popMany(max, 0), { code: "RangeError" })
    await t.rejects(consumer.popMany(max, {}), { code: "RangeError" })
  }
})
