// signalling.ts: Test 1, side A: signals, and checks what comes back.

import { DATA_BADGE, SPACE_BADGE, type TaskReport } from "../../protocols/ipc-test.ts"
import type { Plan } from "../plan/open-plan.ts"
import { ALL_BITS, Merge, PING_PONG_ROUNDS, roundBits, STEP_TIMEOUT_NS } from "../plan/signalling-steps.ts"
import { TaskLog } from "../plan/task-log.ts"

/** The consumer's waitAndEcho (ipc-consumer/signalling.ts) is the other side, step for step. */
export function signalAndEcho({ toConsumer, toProducer, go }: Plan): TaskReport {
  const log = new TaskLog()
  const roundTrip = (what: string, bits: bigint, answer: bigint): void => {
    toConsumer.signal(bits)
    log.expect(what, toProducer.wait(STEP_TIMEOUT_NS), answer)
  }

  roundTrip("answer to badge 0x1", DATA_BADGE, SPACE_BADGE)
  for (let bit = 0n; bit < 64n && !log.failed; bit++) roundTrip(`echo of bit ${bit}`, 1n << bit, 1n << bit)
  roundTrip("echo of all bits", ALL_BITS, ALL_BITS)

  // Merging: all of these are signalled before the consumer is told to look.
  for (const bits of Merge.signals) toConsumer.signal(bits)
  go.signal(DATA_BADGE)
  log.expect("answer after merged signals", toProducer.wait(STEP_TIMEOUT_NS), SPACE_BADGE)

  // Poll: once with a signal pending, once without.
  toConsumer.signal(SPACE_BADGE)
  go.signal(DATA_BADGE)
  log.expect("answer after poll", toProducer.wait(STEP_TIMEOUT_NS), SPACE_BADGE)
  log.expect("poll without a signal", toProducer.poll(), 0n)

  // Nothing is lost: every round's bits must arrive, exactly.
  for (let round = 0; round < PING_PONG_ROUNDS && !log.failed; round++) {
    roundTrip(`echo in round ${round}`, roundBits(round), roundBits(round))
  }
  return log.report(`64 bits apart and together, ${PING_PONG_ROUNDS} rounds`)
}
