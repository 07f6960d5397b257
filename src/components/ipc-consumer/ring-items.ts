// ring-items.ts: Test 3, side B: pops every item and checks every word of it.

import { SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import type { Plan } from "../plan/open-plan.ts"
import { addToChecksum, CHECKSUM_START, payloadWord } from "../plan/payload.ts"
import { ITEM_TIMEOUT_NS, PLAN_ITEMS } from "../plan/ring-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { SharedRing } from "../runtime/index.ts"

/** The producer's produceItems (ipc-producer/ring-items.ts) is the other side. */
export function consumeItems({ self, frame, toConsumer, toProducer, bytes, items }: Plan): TaskReport {
  const log = new TaskLog()
  const ring = SharedRing.consumer(self.vspace, frame.address, frame.bytes, { status: frame.status })
  const message = new Uint32Array(ring.staging.buffer, ring.staging.byteOffset, bytes / 4)
  let sequence = 0
  let checksum = CHECKSUM_START
  const checkNext = (): void => {
    for (let index = 0; index < message.length; index++) {
      const word = message[index] ?? 0
      checksum = addToChecksum(checksum, word)
      if (word !== payloadWord(sequence, index)) {
        log.fail(`item ${sequence}, word ${index} is ${word}, expected ${payloadWord(sequence, index)}`)
      }
    }
    sequence++
  }

  // The plan's listing: pop, signal 0x2; wait for the producer's 0x1 while there is nothing. Signals merge, so one wake-up
  // may stand for many items: take all that is there before waiting again.
  while (sequence < PLAN_ITEMS && !log.failed) {
    if (ring.tryPop() !== undefined) {
      checkNext()
      toProducer.signal(SPACE_BADGE)
      continue
    }
    const data = toConsumer.wait(ITEM_TIMEOUT_NS)
    if (typeof data === "string") log.fail(`${data} while waiting for item ${sequence}`)
  }

  for (let left = items; left > 0 && !log.failed; left--) {
    const popped = ring.pop(ITEM_TIMEOUT_NS)
    if (typeof popped === "string") log.fail(`${popped} while waiting for item ${sequence}`)
    else checkNext()
  }
  if (!log.failed) log.expect("item after the last one", ring.tryPop(), undefined)
  log.countItems(sequence)
  return log.report("every word of every item checked", { checksum })
}
