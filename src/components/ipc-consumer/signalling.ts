// signalling.ts: Test 1, side B: waits and wakes, and answers.

import { DATA_BADGE, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import type { Plan } from "../plan/open-plan.ts"
import { ALL_BITS, DEADLINE_NS, Merge, PING_PONG_ROUNDS, roundBits, STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"
import { monotonicNs } from "../runtime/index.ts"

/** The producer's signalAndEcho (ipc-producer/signalling.ts) is the other side, step for step. */
export function waitAndEcho({ toConsumer, toProducer, go }: Plan): TaskReport {
  const log = new TaskLog()
  const echo = (what: string, expected: bigint, answer: bigint): void => {
    log.expect(what, toConsumer.wait(STEP_TIMEOUT_NS), expected)
    toProducer.signal(answer)
  }

  echo("badge of the first signal", DATA_BADGE, SPACE_BADGE)
  for (let bit = 0n; bit < 64n && !log.failed; bit++) echo(`bit ${bit}`, 1n << bit, 1n << bit)
  echo("all bits", ALL_BITS, ALL_BITS)

  log.expect("go for the merge", go.wait(STEP_TIMEOUT_NS), DATA_BADGE)
  log.expect("merged signals in one wait", toConsumer.wait(STEP_TIMEOUT_NS), Merge.merged)
  log.expect("nothing left after the merge", toConsumer.poll(), 0n)

  // Nobody signals before the answer below, so this deadline must pass, and not early.
  const begun = monotonicNs()
  log.expect("wait with a deadline", toConsumer.wait(DEADLINE_NS), "deadline")
  const waitedNs = monotonicNs() - begun
  if (waitedNs < DEADLINE_NS) log.fail(`the deadline of ${DEADLINE_NS} ns passed after ${waitedNs} ns`)
  toProducer.signal(SPACE_BADGE)

  log.expect("go for the poll", go.wait(STEP_TIMEOUT_NS), DATA_BADGE)
  log.expect("poll with a signal", toConsumer.poll(), SPACE_BADGE)
  log.expect("poll after it", toConsumer.poll(), 0n)
  toProducer.signal(SPACE_BADGE)

  for (let round = 0; round < PING_PONG_ROUNDS && !log.failed; round++) {
    echo(`bits of round ${round}`, roundBits(round), roundBits(round))
  }
  return log.report(`a deadline of ${DEADLINE_NS / 1e6} ms passed after ${(waitedNs / 1e6).toFixed(1)} ms`)
}
