// messages.test.ts: the rule by which a soak knows which message must come, without the processes.

import t from "tap"
import { Checker, recordBytes, SLOT_BYTES, type Stamp, write } from "../fixtures/components/soak-end/messages.ts"
import { Ledger } from "../fixtures/components/soak-root/board.ts"

const TAG = 5
const stamp = (epoch = 0, first = 0, doubtFrom = 0): Stamp => ({ tag: TAG, epoch, first, doubtFrom })
const message = (sequence: number, from = stamp()) => write(from, sequence, SLOT_BYTES)

/** A consumer that goes on where the ledger says. */
function consumer(given: { taken?: number; handed?: number; wasBusy?: boolean; marked?: number }) {
  const { taken = 0, wasBusy = false, marked = 0 } = given
  const ledger = new Int32Array(16)
  ledger[Ledger.taken] = taken
  ledger[Ledger.handed] = given.handed ?? taken
  const checker = new Checker(ledger, TAG, false, wasBusy, marked)
  const take = (bytes: Uint8Array): void => {
    checker.check(bytes)
    ledger[Ledger.taken] = (ledger[Ledger.taken] as number) + 1
  }
  return { ledger, take }
}

t.test("messages come in order, once, and whole", async t => {
  const { take, ledger } = consumer({})
  for (const sequence of [0, 1, 2]) take(message(sequence))
  t.throws(() => take(message(4)), /4 came, 3 to 3/)
  t.throws(() => take(message(2)), /2 came, 3 to 3/)
  t.throws(() => take(message(3).fill(0, 30, 34)), /garbage/)
  t.throws(() => take(message(3, { ...stamp(), tag: 6 })), /garbage/)
  t.throws(() => take(message(3).subarray(0, 40)), /garbage/)
  take(message(3))
  t.match([ledger[Ledger.lost], ledger[Ledger.duplicated], ledger[Ledger.garbled]], [1, 1, 3])
})

t.test("a new producer may leave out what died with others, and nothing else", async t => {
  const heir = stamp(1, 5, 3)
  const late = consumer({ taken: 3 })
  late.take(message(5, heir))
  t.throws(() => late.take(message(6)), /former producer/)
  const early = consumer({ taken: 2 })
  t.throws(() => early.take(message(5, heir)), /5 came, 2 to 2/)
  const second = consumer({ taken: 3 })
  t.throws(() => second.take(message(6, heir)), /6 came, 3 to 3/)
})

t.test("what a dead consumer had peeked at comes again, marked", async t => {
  consumer({ taken: 3, handed: 5, marked: 2 }).take(message(3))
  t.throws(() => consumer({ taken: 3, handed: 5, marked: 1 }).take(message(3)), /2 come again from 3, 1 are marked/)
  t.throws(() => consumer({ taken: 3, marked: 1 }).take(message(3)), /1 are marked from 3, 0 were handed out/)
  // Where it died within a receive, both are possible.
  consumer({ taken: 3, wasBusy: true }).take(message(4))
  t.throws(() => consumer({ taken: 3 }).take(message(4)), /4 came, 3 to 3/)
})

t.test("recordBytes() are whole words of many lengths", async t => {
  const lengths = new Set(Array.from({ length: 500 }, (_, sequence) => recordBytes(TAG, sequence)))
  t.ok([...lengths].every(bytes => bytes % 4 === 0 && bytes >= 24))
  t.ok(lengths.size > 20, `${lengths.size} lengths`)
})
