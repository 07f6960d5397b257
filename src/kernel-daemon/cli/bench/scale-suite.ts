// scale-suite.ts: many components with channels between them, all carrying messages, beside few.

import { SCALE_BATCH, SCALE_STEPS, type ScaleReport } from "../../../protocols/bench-scale.ts"
import { benchSession } from "./bench-session.ts"
import { judged } from "./figure.ts"
import type { Run } from "./suite.ts"

const SUITE = "scale"
const FEW = 10
const MANY = 200
/** Rounds of the many; the few play as many messages. */
const ROUNDS_OF_MANY = 50
const TRIALS = 3
const TIMEOUT_SECONDS = 170

/** @throws {Error} a session failed, or a message was wrong: its receiver says which */
export async function scaleSuite(run: Run): Promise<void> {
  const few: number[] = []
  const many: number[] = []
  let checked = 0
  const manyComponents = run.quick ? MANY / 10 : MANY
  const rounds = run.quick ? ROUNDS_OF_MANY / 10 : ROUNDS_OF_MANY
  for (let trial = 0; trial < (run.quick ? 1 : TRIALS); trial++) {
    if (trial > 0 && performance.now() >= run.deadlineMs) break
    run.progress(`${FEW} components: trial ${trial + 1}`)
    few.push(costOf(await circle(FEW, (rounds * MANY) / FEW)))
    run.progress(`${manyComponents} components: trial ${trial + 1}`)
    const report = await circle(manyComponents, rounds)
    many.push(costOf(report))
    checked += report.checked
  }
  const spec = { suite: SUITE, unit: "ns", moreIsBetter: false, pick: () => null } as const
  const channels = manyComponents * SCALE_STEPS.length
  const note = `${checked.toLocaleString("en")} messages, every word of each checked; ${SCALE_BATCH} on a channel at a time`
  run.tell(
    judged(
      { ...run, pairs: many.length },
      {
        ...spec,
        ...{
          key: "per-message",
          title: `a message, ${manyComponents} components on ${channels} channels, beside ${FEW}`,
        },
        ...{ limit: { of: "ratio", atMost: 2 }, note },
      },
      {
        by: `${manyComponents} components`,
        against: `${FEW} components`,
        mine: many,
        others: few,
        probeNs: Number.NaN,
      },
    ),
  )
}

async function circle(components: number, rounds: number): Promise<ScaleReport> {
  const report = await benchSession<ScaleReport>({
    rootTask: "bench-scale",
    arguments: [components, rounds],
    timeoutSeconds: TIMEOUT_SECONDS,
  })
  if (report.checked === report.messages) return report
  throw new Error(`bench-scale: ${report.checked} of ${report.messages} messages were received`)
}

function costOf({ elapsedNs, messages }: ScaleReport): number {
  return elapsedNs / messages
}
