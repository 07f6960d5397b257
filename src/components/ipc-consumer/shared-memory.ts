// shared-memory.ts: Test 2, side B: waits and verifies every byte; then fills the frame the other way round.

import { DATA_BADGE, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import type { Plan } from "../plan/open-plan.ts"
import { fillFrame, PatternSeed, verifyFrame } from "../plan/pattern.ts"
import { STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"

export function verifyAndFill({ self, frame, toConsumer, toProducer }: Plan): TaskReport {
  const log = new TaskLog()
  log.expect("signal from the producer", toConsumer.wait(STEP_TIMEOUT_NS), DATA_BADGE)
  verifyFrame(self.vspace, frame, PatternSeed.producer, log)
  fillFrame(self.vspace, frame, PatternSeed.consumer)
  toProducer.signal(SPACE_BADGE)
  return log.report(`${frame.bytes} bytes each way`)
}
