// idle-channel.test.ts: what a channel costs that nobody uses, both of its ends together, the consumer's waiting on its event loop.

import t from "tap"
import { CAPACITY, SLOT_BYTES } from "../fixtures/components/idle-channels/geometry.ts"
import { runFixture } from "../helpers/system.ts"

const CHANNELS = 60
/** Of pages beside its slots, shared and private. */
const MOST_KIB = 16
/** Of a second: two timers and a garbage collection's rest. Whoever polled would take all of it. */
const MOST_BUSY = 0.05

interface Memory {
  /** KiB of shared pages, by this process's share in them; of JavaScript's heap in use; of the VSpace's private region. */
  readonly shared: number
  readonly heap: number
  readonly private: number
}

interface End {
  readonly report: { carried: number; ended: number; half: Memory; full: Memory; busy: number }
}

t.test("an idle channel takes no processor time, and at most 16 KiB of pages beside its slots", async t => {
  const { code, stderr, reports } = await runFixture(t, "idle-channels", [], [CHANNELS])
  t.equal(code, 0, stderr)
  const ends = (reports[0] as [End, End]).map(({ report }) => report)
  t.match(ends, [
    { carried: CHANNELS, ended: 0 },
    { carried: CHANNELS, ended: CHANNELS },
  ])
  // By the second half of them: the first also pays for what there is once.
  const costOf = (what: keyof Memory): number =>
    ends.reduce((sum, { half, full }) => sum + full[what] - half[what], 0) / (CHANNELS / 2)
  const [shared, heap, own] = [costOf("shared"), costOf("heap"), costOf("private")]
  const slots = (CAPACITY * (SLOT_BYTES + 8)) / 1024
  t.comment(
    `shared ${shared.toFixed(1)} KiB with slots of ${slots}, heap ${heap.toFixed(1)} KiB, private ${own.toFixed(1)} KiB, busy ${ends.map(({ busy }) => busy)}`,
  )
  t.ok(shared >= 4, "the channels are there")
  // JavaScript's heap is told and not judged: what V8 compiles and keeps meanwhile is more than the handles, 3 to 13 KiB.
  t.ok(shared + own - slots <= MOST_KIB, `${shared + own - slots} KiB`)
  for (const { busy } of ends) t.ok(busy < MOST_BUSY, `${busy} of a second`)
})
