// suites.ts: the suites by name, and a run of one or of all.

import { native } from "../../../../native/index.ts"
import { awaitSuite } from "./await-suite.ts"
import { deathSuite } from "./death-suite.ts"
import { fieldsSuite } from "./fields-suite.ts"
import { describeMachine } from "./machine.ts"
import { notifySuite } from "./notify-suite.ts"
import { peersSuite } from "./peers-suite.ts"
import { saveResults } from "./results.ts"
import { ringSuite } from "./ring-suite.ts"
import type { Figure, Machine, Row } from "./row.ts"
import { scaleSuite } from "./scale-suite.ts"
import { shapesSuite } from "./shapes-suite.ts"
import { sizesSuite } from "./sizes-suite.ts"
import { spawnSuite } from "./spawn-suite.ts"
import type { Suite } from "./suite.ts"
import { syscallSuite } from "./syscall-suite.ts"

interface Entry {
  readonly suite: Suite
  /** No new trial begins after that. */
  readonly seconds: number
  /** Both ends spin, or play the probe. */
  readonly twoProcessors: boolean
}

export const SUITES: Readonly<Record<string, Entry>> = {
  ring: { suite: ringSuite, seconds: 420, twoProcessors: true },
  notify: { suite: notifySuite, seconds: 90, twoProcessors: true },
  await: { suite: awaitSuite, seconds: 200, twoProcessors: false },
  shapes: { suite: shapesSuite, seconds: 90, twoProcessors: false },
  sizes: { suite: sizesSuite, seconds: 300, twoProcessors: true },
  fields: { suite: fieldsSuite, seconds: 60, twoProcessors: false },
  syscall: { suite: syscallSuite, seconds: 60, twoProcessors: false },
  spawn: { suite: spawnSuite, seconds: 90, twoProcessors: false },
  scale: { suite: scaleSuite, seconds: 180, twoProcessors: false },
  death: { suite: deathSuite, seconds: 180, twoProcessors: false },
  peers: { suite: peersSuite, seconds: 300, twoProcessors: true },
}

export interface SuiteRun {
  readonly pairs: number
  readonly quick: boolean
  readonly progress: (text: string) => void
  readonly onRow: (row: Row) => void
}

/** @throws {Error} a trial failed, or a suite needs two processors and there is one */
export async function runSuites(
  names: readonly string[],
  options: SuiteRun,
): Promise<{ machine: Machine; figures: Figure[] }> {
  const { pairs, quick, progress, onRow } = options
  const [first, second = first] = native.affinity()
  if (first === undefined || second === undefined) throw new Error("sched_getaffinity named no processor")
  const machine = await describeMachine([first, second])
  onRow(machine)
  const figures: Figure[] = []
  for (const name of names) {
    const rows: Row[] = []
    const { suite, seconds, twoProcessors } = SUITES[name] as Entry
    if (twoProcessors && first === second) {
      throw new Error(`bench ${name} needs two processors: both ends spin; this process may use one (see taskset)`)
    }
    await suite({
      pairs,
      quick,
      cpus: [first, second],
      progress: text => progress(`${name}: ${text}`),
      deadlineMs: performance.now() + seconds * 1e3,
      tell: row => {
        rows.push(row)
        if (row.what === "figure") figures.push(row)
        onRow(row)
      },
    })
    // A quick run is no result.
    if (!quick) saveResults(name, machine, rows)
  }
  return { machine, figures }
}
