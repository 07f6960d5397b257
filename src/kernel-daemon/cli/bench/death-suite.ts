// death-suite.ts: from a component's SIGKILL until its peer is told, however it waits; beside a Node process's own end.

import { once } from "node:events"
import { BenchDeathRole, DEATH_WAITS, type DeathReport, WAITING } from "../../../protocols/bench-death.ts"
import { benchSession } from "./bench-session.ts"
import { judged } from "./figure.ts"
import { startIdleNode } from "./processes.ts"
import { median, quantile } from "./statistics.ts"
import type { Run } from "./suite.ts"

const SUITE = "death"
const ROOT_TASK = "bench-death"
/** In one session. */
const DEATHS = 10
/** From a waiter's last signal until it sleeps, with room to spare. */
const SETTLE_MS = 30
const TOLD_LIMIT_NS = 5e6

/** @throws {Error} a session failed */
export async function deathSuite(run: Run): Promise<void> {
  for (const [number, how] of DEATH_WAITS.entries()) {
    const told: number[][] = []
    const alone: number[][] = []
    for (let pair = 0; pair < run.pairs && performance.now() < run.deadlineMs; pair++) {
      run.progress(`${how}: pair ${pair + 1} of ${run.pairs}`)
      const deaths = run.quick ? 2 : DEATHS
      told.push(await killComponents(number, deaths))
      alone.push(await killNodes(deaths))
    }
    tell(run, how, told, alone)
  }
}

function tell(run: Run, how: string, told: readonly number[][], alone: readonly number[][]): void {
  const of = { suite: SUITE, unit: "ns", moreIsBetter: false, pick: () => null } as const
  const beside = { by: "kaal-ipc", against: "a Node process until its parent hears of it", probeNs: Number.NaN }
  const title = `a component's SIGKILL until its peer is told, ${how}`
  run.tell(
    judged(
      run,
      { ...of, key: `told-p50-${how}`, title: `${title}, p50` },
      { ...beside, mine: told.map(median), others: alone.map(median) },
    ),
  )
  // Ten deaths have no p99 of their own.
  const p99 = (trials: readonly number[][]): number[] => [quantile(trials.flat(), 0.99)]
  const least = p99(alone)[0] as number
  run.tell(
    judged(
      { ...run, pairs: 1 },
      {
        ...{ ...of, key: `told-p99-${how}`, title: `${title}, p99` },
        ...{ limit: { of: "ours", atMost: TOLD_LIMIT_NS }, floor: () => least },
        floorIs: "Linux alone takes longer than the limit to end a Node process",
        note: `of ${told.flat().length} deaths`,
      },
      { ...beside, mine: p99(told), others: [least] },
    ),
  )
}

/** Nanoseconds from each kill to the notice. */
async function killComponents(wait: number, deaths: number): Promise<number[]> {
  const killedAtNs: number[] = []
  const pids: number[] = []
  const { toldAtNs } = await benchSession<DeathReport>({
    rootTask: ROOT_TASK,
    arguments: [BenchDeathRole.root, wait, deaths],
    onEvent: event => {
      if (event.event === "spawned") pids.push(event.osPid)
      if (event.event !== "print" || !event.lines.includes(WAITING)) return
      // Of a pair the victim is spawned first.
      const victim = pids[pids.length - 2] as number
      setTimeout(() => {
        killedAtNs.push(Number(process.hrtime.bigint()))
        try {
          process.kill(victim, "SIGKILL")
        } catch {
          // It has ended by itself: the session fails, and says of what.
        }
      }, SETTLE_MS)
    },
  })
  return toldAtNs.map((told, death) => told - (killedAtNs[death] as number))
}

/** Nanoseconds from each kill until this process is told. */
async function killNodes(deaths: number): Promise<number[]> {
  const took: number[] = []
  for (let death = 0; death < deaths; death++) {
    const node = await startIdleNode()
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS))
    const killed = process.hrtime.bigint()
    node.kill("SIGKILL")
    await once(node, "exit")
    took.push(Number(process.hrtime.bigint() - killed))
  }
  return took
}
