// explore.test.ts: the smallest complete cases of the schedule explorer, and that it finds what is wrong.

import { readFileSync } from "node:fs"
import { join } from "node:path"
import t from "tap"
import { broadcastCase } from "../../src/explorer/cases/broadcast.ts"
import { ringLoopCase } from "../../src/explorer/cases/loop.ts"
import { mergeCase } from "../../src/explorer/cases/merge.ts"
import { notificationCase } from "../../src/explorer/cases/notification.ts"
import { ringCase } from "../../src/explorer/cases/ring.ts"
import { explore } from "../../src/explorer/explore.ts"
import { instrument, SHARED_START } from "../../src/explorer/instrument.ts"
import { takeOverFutexes } from "../../src/explorer/process.ts"
import { RING_SLOTS } from "../../src/ring/layout.ts"

takeOverFutexes()
const shipped = readFileSync(join(import.meta.dirname, "../../dist/ring.wasm"))
const module = new WebAssembly.Module(instrument(shipped) as Uint8Array<ArrayBuffer>)

const smallest = [
  ringCase("index", 1, 2),
  ringCase("slot", 1, 2),
  notificationCase([1, 1]),
  mergeCase({ form: "index", capacity: 1, messages: [1, 1] }),
  broadcastCase(["drop-oldest"], 1, 2),
  ringLoopCase({ form: "index", capacity: 1, messages: 2, producer: "blocking", consumer: "loop" }),
]
for (const explored of smallest) {
  t.test(`${explored.name}: every schedule delivers all`, async t => {
    const { complete, failure, schedules } = explore(module, explored)
    t.equal(failure, undefined)
    t.ok(complete)
    t.ok(schedules > 1_000_000n, `${schedules} schedules`)
  })
}

t.test("a consumer that nobody sends to is found asleep, and its schedule can be replayed", async t => {
  const whole = ringCase("index", 1, 1)
  const [producer, consumer] = whole.programs
  if (producer === undefined || consumer === undefined) return t.fail("a ring has two ends")
  const silent = { name: producer.name, attach: () => () => {} }
  const alone = { ...whole, programs: [silent, consumer] }
  const { failure } = explore(module, alone)
  t.match(failure?.why, /^deadlock: consumer sleeps in pop 1 on writeIndex/)
  t.same(explore(module, alone, failure?.schedule).failure, failure)
})

t.test("an end in its event loop, whose bell nobody rings, is found asleep", async t => {
  const whole = ringLoopCase({ form: "index", capacity: 1, messages: 1, producer: "blocking", consumer: "loop" })
  const [producer, consumer] = whole.programs
  if (producer === undefined || consumer === undefined) return t.fail("a ring has two ends")
  const { failure } = explore(module, { ...whole, programs: [{ ...producer, bells: [] }, consumer] })
  t.match(failure?.why, /^deadlock: consumer sleeps in pop 1 on bells 0/)
})

t.test("a plain access that an atomic one does not order is a race", async t => {
  const whole = ringCase("index", 1, 1)
  const [producer] = whole.programs
  if (producer === undefined) return t.fail("a ring has a producer")
  const peeker = {
    name: "peeker",
    attach: (...[vspace, begin]: Parameters<typeof producer.attach>) => {
      return () => {
        begin("peek")
        // Orders nothing: nobody stores there.
        vspace.loadWord(SHARED_START)
        vspace.hot.copy(0x8000, SHARED_START + RING_SLOTS, 8)
      }
    },
  }
  const { failure } = explore(module, { ...whole, programs: [producer, peeker] })
  t.match(failure?.why, /^race at slots \+ 0: /)
})
