// shared-memory.ts: Test 2, side A: fills the frame and signals; then verifies what the consumer put there.

import { DATA_BADGE, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import type { Plan } from "../plan/open-plan.ts"
import { fillFrame, PatternSeed, verifyFrame } from "../plan/pattern.ts"
import { STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"

export function fillAndVerify({ self, frame, toConsumer, toProducer }: Plan): TaskReport {
  const log = new TaskLog()
  fillFrame(self.vspace, frame, PatternSeed.producer)
  toConsumer.signal(DATA_BADGE)
  log.expect("signal from the consumer", toProducer.wait(STEP_TIMEOUT_NS), SPACE_BADGE)
  verifyFrame(self.vspace, frame, PatternSeed.consumer, log)
  return log.report(`${frame.bytes} bytes each way`)
}
