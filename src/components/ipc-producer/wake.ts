// wake.ts: the trial with a consumer that sleeps, producer's side; and the operations that meet nobody.

import { DATA_BADGE, type Percentiles, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import { FALL_ASLEEP_NS, PARK_ROUNDS, WAKE_ROUNDS } from "../plan/latency-steps.ts"
import type { Plan } from "../plan/open-plan.ts"
import { percentiles, scaled } from "../plan/percentiles.ts"
import { timerCycles } from "../plan/probe.ts"
import { STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { monotonicNs, tsc, tscInfo } from "../runtime/index.ts"
import { ringOpCycles, signalNoWakeCycles } from "./local-operations.ts"

/** The consumer's answerWakes (ipc-consumer/wake.ts) is the other side, step for step. */
export function measureWakes(plan: Plan): TaskReport {
  const log = new TaskLog()
  const timer = timerCycles()
  const { vspace } = plan.self
  const ringOp = ringOpCycles(vspace, plan.slots, plan.bytes)
  const signalNoWake = signalNoWakeCycles(vspace)
  plan.toProducer.waitStrategy = { spinNs: 0, park: true }
  signalSleepers(plan)
  const parkedRoundTrip = parkedRoundTrips(plan, timer)
  log.countItems(WAKE_ROUNDS + PARK_ROUNDS)
  return log.report(`parked round trip p50 ${Math.round(parkedRoundTrip.p50)} cycles`, {
    wake: { hz: tscInfo().hz, ringOp, signalNoWake, parkedRoundTrip },
  })
}

/** The consumer takes the time from the stamp, which stands in the frame's first bytes. */
function signalSleepers({ self, frame, toConsumer, toProducer }: Plan): void {
  const stamp = new Float64Array(self.vspace.memory.buffer, frame.address, 1)
  for (let round = 0; round < WAKE_ROUNDS; round++) {
    const asleepAt = monotonicNs() + FALL_ASLEEP_NS
    while (monotonicNs() < asleepAt);
    stamp[0] = tsc()
    toConsumer.signal(DATA_BADGE)
    expectAnswer(`Wake-up ${round}`, toProducer.wait(STEP_TIMEOUT_NS))
  }
}

function parkedRoundTrips({ toConsumer, toProducer }: Plan, timer: number): Percentiles {
  const samples = new Float64Array(PARK_ROUNDS)
  for (let round = 0; round < PARK_ROUNDS; round++) {
    const begun = tsc()
    toConsumer.signal(DATA_BADGE)
    const answer = toProducer.wait(STEP_TIMEOUT_NS)
    samples[round] = tsc() - begun
    expectAnswer(`Parked round trip ${round}`, answer)
  }
  return scaled(percentiles(samples), 1, timer)
}

function expectAnswer(what: string, answer: bigint | string): void {
  if (answer !== SPACE_BADGE) throw new Error(`${what}: got ${answer}, expected ${SPACE_BADGE}`)
}
