// ring-items.ts: Test 3, side A: pushes 10 items and 100 as in the plan's listing, then many at full speed.

import { DATA_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import type { Plan } from "../plan/open-plan.ts"
import { addToChecksum, CHECKSUM_START, payloadWord } from "../plan/payload.ts"
import { ITEM_TIMEOUT_NS, PLAN_ITEMS } from "../plan/ring-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { SharedRing } from "../runtime/index.ts"

/** The consumer's consumeItems (ipc-consumer/ring-items.ts) is the other side. */
export function produceItems({ self, frame, toConsumer, toProducer, slots, bytes, items }: Plan): TaskReport {
  const log = new TaskLog()
  const ring = SharedRing.producer(self.vspace, frame.address, frame.bytes, { status: frame.status })
  const message = new Uint32Array(ring.staging.buffer, ring.staging.byteOffset, bytes / 4)
  let sequence = 0
  let checksum = CHECKSUM_START
  const writeNext = (): void => {
    for (let index = 0; index < message.length; index++) {
      const word = payloadWord(sequence, index)
      message[index] = word
      checksum = addToChecksum(checksum, word)
    }
    sequence++
  }

  // The plan's listing: push, signal 0x1; wait for the consumer's 0x2 while there is no space.
  for (let left = PLAN_ITEMS; left > 0 && !log.failed; left--) {
    writeNext()
    while (!ring.tryPush()) {
      const space = toProducer.wait(ITEM_TIMEOUT_NS)
      if (typeof space === "string") {
        log.fail(`${space} while waiting for space for item ${sequence - 1}`)
        break
      }
    }
    toConsumer.signal(DATA_BADGE)
  }

  let foundFull = 0
  for (let left = items; left > 0 && !log.failed; left--) {
    writeNext()
    if (ring.tryPush()) continue
    foundFull++
    const outcome = ring.push(undefined, ITEM_TIMEOUT_NS)
    if (outcome !== "pushed") log.fail(`${outcome} while pushing item ${sequence - 1}`)
  }
  log.countItems(sequence)
  return log.report(`wrapped ${Math.floor(sequence / slots)} times, found it full ${foundFull} times`, { checksum })
}
