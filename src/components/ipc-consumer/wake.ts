// wake.ts: the trial with a consumer that sleeps, consumer's side: parks, and takes the time from the producer's stamp.

import { DATA_BADGE, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import { PARK_ROUNDS, WAKE_ROUNDS } from "../plan/latency-steps.ts"
import type { Plan } from "../plan/open-plan.ts"
import { percentiles, scaled } from "../plan/percentiles.ts"
import { timerCycles } from "../plan/probe.ts"
import { STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { tsc } from "../runtime/index.ts"

/** The producer's measureWakes (ipc-producer/wake.ts) is the other side, step for step. */
export function answerWakes({ self, frame, toConsumer, toProducer }: Plan): TaskReport {
  const log = new TaskLog()
  const timer = timerCycles()
  const stamp = new Float64Array(self.vspace.memory.buffer, frame.address, 1)
  const samples = new Float64Array(WAKE_ROUNDS)
  toConsumer.waitStrategy = { spinNs: 0, park: true }
  for (let round = 0; round < WAKE_ROUNDS + PARK_ROUNDS; round++) {
    const bits = toConsumer.wait(STEP_TIMEOUT_NS)
    if (round < WAKE_ROUNDS) samples[round] = tsc() - (stamp[0] ?? 0)
    if (bits !== DATA_BADGE) throw new Error(`Wake-up ${round}: got ${bits}, expected ${DATA_BADGE}`)
    toProducer.signal(SPACE_BADGE)
  }
  log.countItems(WAKE_ROUNDS + PARK_ROUNDS)
  return log.report("woke every time", { wakeEcho: { signalWake: scaled(percentiles(samples), 1, timer) } })
}
