// futex.test.ts: sleeping and waking on words of shared memory, within and across processes.
import t, { type Test } from "tap"
import { native } from "../../native/index.ts"
import {
  attachedMemory,
  eventually,
  frame,
  MEMORY_BYTES,
  mapped,
  PLACE,
  PRIVATE_BYTES,
  startNode,
} from "../helpers/native.ts"

const MS = 1e6
const WOKEN = 0
const TIMED_OUT = 1

/** Maps a frame at PLACE and starts children that sleep on its words at `offsets`, all 0. They exit with the outcome. */
function sleepers(t: Test, count: number, offsets: readonly number[]) {
  const fd = frame(t)
  mapped(t, fd, PLACE, 3)
  const body = `
    native.map(${PLACE}, 4096, 3, 1)
    const words = Uint32Array.from(${JSON.stringify(offsets)}.flatMap(offset => [${PLACE} + offset, 0]))
    process.exit(10 + native.futexWait(words, ${offsets.length}, ${8000 * MS}))`
  return Array.from({ length: count }, () => startNode(t, body, { fds: [fd] }))
}

t.test("futexWake() wakes a sleeper in another process that maps the word read-only", async t => {
  const [child] = sleepers(t, 1, [64])
  // Zero until the child has gone to sleep, so this also shows that it really sleeps.
  t.ok(await eventually(() => native.futexWake(PLACE + 64, 1) === 1), "one sleeper was woken")
  t.same(await child?.ended(), { code: 10 + WOKEN })
})

for (const woken of [0, 1, 127]) {
  t.test(`futexWait() on 128 words ends when word ${woken} is woken`, async t => {
    const offsets = Array.from({ length: 128 }, (_, i) => i * 4)
    const [child] = sleepers(t, 1, offsets)
    t.ok(await eventually(() => native.futexWake(PLACE + woken * 4, 1) === 1))
    t.same(await child?.ended(), { code: 10 + WOKEN })
  })
}

t.test("futexWake() wakes no more than asked for, and of that word only", async t => {
  const children = sleepers(t, 3, [0])
  // Long enough for all to sleep, usually. When one does not yet, the test shows less but cannot fail for it.
  await new Promise(resolve => setTimeout(resolve, 500))
  t.equal(native.futexWake(PLACE + 4, 5), 0, "nobody sleeps on the neighbour")
  const woken: number[] = []
  const total = () => woken.reduce((sum, count) => sum + count, 0)
  await eventually(() => woken.push(native.futexWake(PLACE, 1)) > 0 && total() >= children.length)
  t.same(
    woken.filter(count => count > 0),
    [1, 1, 1],
  )
  for (const child of children) t.same(await child.ended(), { code: 10 + WOKEN })
})

t.test("futexWait() returns at once when a word has changed", async t => {
  const view = new Uint32Array(attachedMemory().buffer)
  mapped(t, frame(t), PLACE, 3)
  view[PLACE / 4 + 1] = 0xffff_ffff
  t.equal(native.futexWait(Uint32Array.of(PLACE + 4, 7), 1, Infinity), WOKEN)
  t.equal(native.futexWait(Uint32Array.of(PLACE, 0, PLACE + 4, 7), 2, Infinity), WOKEN, "the second of two")
  t.equal(native.futexWait(Uint32Array.of(PLACE + 4, 0xffff_ffff), 1, 1), TIMED_OUT, "all 32 bits are compared")
})

t.test("futexWait() ends at its deadline, never before", async t => {
  mapped(t, frame(t), PLACE, 3)
  for (const words of [Uint32Array.of(PLACE, 0), Uint32Array.of(PLACE, 0, PLACE + 4, 0)]) {
    const count = words.length / 2
    const start = process.hrtime.bigint()
    t.equal(native.futexWait(words, count, 30 * MS), TIMED_OUT)
    const tookMs = Number(process.hrtime.bigint() - start) / MS
    t.ok(tookMs >= 30 && tookMs < 3000, `${count} words, ${tookMs} ms`)
    t.equal(native.futexWait(words, count, 0), TIMED_OUT)
    t.equal(native.futexWait(words, count, -1), TIMED_OUT, "a deadline that has passed already")
  }
})

t.test("futexWait() uses no more than `count` pairs", async t => {
  mapped(t, frame(t), PLACE, 3)
  t.equal(native.futexWait(Uint32Array.of(PLACE, 0, 3, 0), 1, 1), TIMED_OUT)
})

t.test("futexWait() and futexWake() serve the private part of the memory too", async t => {
  attachedMemory()
  t.equal(native.futexWait(Uint32Array.of(PRIVATE_BYTES - 4, 0), 1, 1), TIMED_OUT)
  t.equal(native.futexWake(4096, 1), 0)
})

t.test("futexWait() on an inaccessible word is refused by Linux, not fatal", async t => {
  attachedMemory()
  for (const words of [Uint32Array.of(0, 0), Uint32Array.of(PLACE, 0), Uint32Array.of(4096, 0, PLACE, 0)]) {
    t.throws(() => native.futexWait(words, words.length / 2, MS), { code: "EFAULT" })
  }
})

t.test("futexWait() and futexWake() refuse wrong arguments", async t => {
  attachedMemory()
  const many = new Uint32Array(260)
  const cases = [
    [() => native.futexWait(Uint32Array.of(2, 0), 1, 1), "RangeError", /^address is 2: must be a multiple of 4 below/],
    [() => native.futexWait(Uint32Array.of(MEMORY_BYTES, 0), 1, 1), "RangeError", /^address is 16777216/],
    [() => native.futexWait(Uint32Array.of(0xffff_fffc, 0), 1, 1), "RangeError", /^address is 4294967292/],
    [() => native.futexWait(many, 129, 1), "RangeError", /^count is 129: must be a whole number from 1 to 128/],
    [() => native.futexWait(many, 0, 1), "RangeError", /^count is 0/],
    [() => native.futexWait(Uint32Array.of(4096, 0, 4096), 2, 1), "RangeError", /^words holds 1 pairs/],
    [() => native.futexWait(Uint32Array.of(4096, 0), 1, Number.NaN), "RangeError", /^timeoutNs is NaN/],
    [() => native.futexWait(new Int32Array(2) as unknown as Uint32Array, 1, 1), "TypeError", /^words is .*Uint32Array/],
    [() => native.futexWake(2, 1), "RangeError", /^address is 2/],
    [() => native.futexWake(MEMORY_BYTES, 1), "RangeError", /^address is 16777216/],
    // Linux takes 0 for 1.
    [() => native.futexWake(4096, 0), "RangeError", /^count is 0: must be a whole number from 1 to 2147483647/],
  ] as const
  for (const [action, name, message] of cases) t.throws(action, { name, message }, message.source)
})
