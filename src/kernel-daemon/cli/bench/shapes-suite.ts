// shapes-suite.ts: many producers, many consumers, a ring that overtakes, request and reply: rates, shares and losses.

import { Shape, type ShapeName, type ShapesReport } from "../../../protocols/bench-shapes.ts"
import { benchSession } from "./bench-session.ts"
import { type FigureSpec, judged } from "./figure.ts"
import { type Run, samplesFor } from "./suite.ts"

const SUITE = "shapes"
const BYTES = 64
const MESSAGES: Readonly<Record<ShapeName, number>> = {
  merge: 2_000_000,
  broadcast: 500_000,
  lossy: 1_000_000,
  service: 50_000,
}
const TITLES: Readonly<Record<ShapeName, string>> = {
  merge: "two producers to one consumer",
  broadcast: "one producer to two consumers, both waited for",
  lossy: "a producer that overtakes its consumer",
  service: "calls, request and reply",
}
const NOTE = "where the scheduler puts the processes; messages stamped and checked"

/** @throws {Error} a trial failed */
export async function shapesSuite(run: Run): Promise<void> {
  for (const shape of Object.keys(Shape) as ShapeName[]) await measure(run, shape)
}

async function measure(run: Run, shape: ShapeName): Promise<void> {
  const trials: ShapesReport[] = []
  while (trials.length < run.pairs && (trials.length === 0 || performance.now() < run.deadlineMs)) {
    run.progress(`${shape}: trial ${trials.length + 1} of ${run.pairs}`)
    const args = [Shape[shape], samplesFor(run, MESSAGES[shape]), BYTES]
    trials.push(await benchSession<ShapesReport>({ rootTask: "bench-shapes", arguments: args }))
  }
  const tell = (
    spec: Omit<FigureSpec, "suite" | "pick" | "note">,
    pick: (trial: ShapesReport) => number | null,
  ): void => {
    const mine = trials.map(trial => pick(trial) ?? Number.NaN)
    const measured = { by: "kaal-ipc", against: null, mine, others: [], probeNs: Number.NaN }
    run.tell(judged(run, { suite: SUITE, pick: () => null, note: NOTE, ...spec }, measured))
  }
  const title = `${TITLES[shape]}, ${BYTES} bytes`
  const isMerge = shape === "merge"
  tell(
    {
      ...{ key: `${shape}-rate`, title, unit: "messages/s", moreIsBetter: true },
      ...(isMerge ? { limit: { of: "ours", atLeast: 8e6 } } : {}),
    },
    ({ perSecond }) => perSecond,
  )
  if (isMerge) {
    const share = { key: "merge-share", title: `${title}, largest share to least`, unit: "x", moreIsBetter: false }
    tell({ ...share, limit: { of: "ours", atMost: 1.5 } }, ({ shareRatio }) => shareRatio)
  }
  if (shape === "lossy") {
    const lost = { key: "lossy-lost", title: `${title}, lost and counted`, unit: "of all", moreIsBetter: false }
    tell(lost, ({ lostPart }) => lostPart)
  }
}
