// spawn-suite.ts: what a component costs: time to its first message, memory while idle; beside an empty Node process.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { ALL_IDLE, BenchSpawnRole, type SpawnReport } from "../../../protocols/bench-spawn.ts"
import { benchSession } from "./bench-session.ts"
import { judged } from "./figure.ts"
import { pssBytes, runNsOf, startIdleNode } from "./processes.ts"
import { median } from "./statistics.ts"
import type { Run } from "./suite.ts"

const SUITE = "spawn"
const ROOT_TASK = "bench-spawn"
const SPAWNS = 10
const IDLE = 8
const IDLE_LOOK_MS = 2_000
/** What is 0 % to who rounds to a tenth. */
const IDLE_PERCENT = 0.05
/** Says a byte, and is gone; what an empty script does before that is its start. */
const EMPTY = "process.stdout.write('.')"

/** @throws {Error} a session failed */
export async function spawnSuite(run: Run): Promise<void> {
  await measureStart(run)
  await measureIdle(run)
}

async function measureStart(run: Run): Promise<void> {
  const ours: number[] = []
  const toByte: number[] = []
  const toEnd: number[] = []
  for (let pair = 0; pair < run.pairs && performance.now() < run.deadlineMs; pair++) {
    run.progress(`start: pair ${pair + 1} of ${run.pairs}`)
    const { firstMessageNs } = await benchSession<SpawnReport>({
      rootTask: ROOT_TASK,
      arguments: [BenchSpawnRole.messages, run.quick ? 2 : SPAWNS],
    })
    ours.push(median(firstMessageNs))
    const empty: (readonly [number, number])[] = []
    for (let start = 0; start < (run.quick ? 2 : SPAWNS); start++) empty.push(await startEmpty())
    toByte.push(median(empty.map(([byte]) => byte)))
    toEnd.push(median(empty.map(([, end]) => end)))
  }
  const of = { suite: SUITE, unit: "ns", moreIsBetter: false, pick: () => null } as const
  const beside = { by: "kaal-ipc", mine: ours, probeNs: Number.NaN }
  const title = "spawn to first message"
  run.tell(
    judged(
      run,
      {
        ...of,
        key: "first-message",
        title: `${title}, beside an empty Node, start to end`,
        limit: { of: "ratio", atMost: 1.4 },
      },
      { ...beside, against: "an empty node process", others: toEnd },
    ),
  )
  run.tell(
    judged(
      run,
      { ...of, key: "first-message-byte", title: `${title}, beside Node's first byte on a pipe` },
      { ...beside, against: "node to its first byte", others: toByte },
    ),
  )
}

/** Nanoseconds from the spawn of an empty Node to its first byte, and to its end. */
async function startEmpty(): Promise<readonly [number, number]> {
  const begun = performance.now()
  const child = spawn(process.execPath, ["-e", EMPTY], { stdio: ["ignore", "pipe", "ignore"], env: {} })
  let byte = Number.NaN
  child.stdout.once("data", () => {
    byte = performance.now()
  })
  await once(child, "close")
  return [(byte - begun) * 1e6, (performance.now() - begun) * 1e6]
}

async function measureIdle(run: Run): Promise<void> {
  const memory: [number, number][] = []
  const busy: number[] = []
  for (let pair = 0; pair < (run.quick ? 1 : Math.min(run.pairs, 3)) && performance.now() < run.deadlineMs; pair++) {
    run.progress(`idle: ${pair + 1}`)
    const seen = await lookAtIdle()
    memory.push(seen.memory)
    busy.push(seen.busy)
  }
  const alone = { by: "kaal-ipc", probeNs: Number.NaN }
  const quick = { ...run, pairs: memory.length }
  run.tell(
    judged(
      quick,
      {
        ...{ suite: SUITE, key: "idle-pss", title: "memory of an idle component, PSS", unit: "bytes" },
        ...{ moreIsBetter: false, pick: () => null, limit: { of: "ratio", atMost: 1.2 } },
        note: `${IDLE} of each at the same time`,
      },
      {
        ...alone,
        against: "an idle node process",
        mine: memory.map(([mine]) => mine),
        others: memory.map(([, other]) => other),
      },
    ),
  )
  run.tell(
    judged(
      quick,
      {
        ...{
          suite: SUITE,
          key: "idle-cpu",
          title: "processor time of an idle component and its channel",
          unit: "% of one",
        },
        ...{ moreIsBetter: false, pick: () => null, limit: { of: "ours", atMost: IDLE_PERCENT } },
        note: `mean of ${IDLE} components for ${IDLE_LOOK_MS / 1e3} s, by the nanosecond: what they look again for (decision 0013)`,
      },
      { ...alone, against: null, mine: busy, others: [] },
    ),
  )
}

interface IdleLook {
  /** Mean PSS of a component and of a Node process. */
  readonly memory: [number, number]
  /** Of one processor, in percent: what a component ran, on average. */
  readonly busy: number
}

/** Idle components and idle Node processes, all there at once. */
async function lookAtIdle(): Promise<IdleLook> {
  const components: number[] = []
  let nodes: ChildProcess[] = []
  let look: Promise<IdleLook> | undefined
  try {
    nodes = await Promise.all(Array.from({ length: IDLE }, startIdleNode))
    await benchSession({
      rootTask: ROOT_TASK,
      arguments: [BenchSpawnRole.idle, IDLE],
      onEvent: event => {
        // The root task is the first one, and no child.
        if (event.event === "spawned") components.push(event.osPid)
        if (event.event !== "print" || !event.lines.includes(ALL_IDLE)) return
        const children = components.slice(1)
        look = lookAt(
          children,
          nodes.map(({ pid }) => pid as number),
        )
      },
    })
    if (look === undefined) throw new Error(`bench-spawn never said "${ALL_IDLE}"`)
    return await look
  } finally {
    for (const node of nodes) node.kill()
  }
}

async function lookAt(components: readonly number[], nodes: readonly number[]): Promise<IdleLook> {
  const total = (pids: readonly number[], of: (pid: number) => number): number =>
    pids.reduce((sum, pid) => sum + of(pid), 0)
  const before = total(components, runNsOf)
  await new Promise(resolve => setTimeout(resolve, IDLE_LOOK_MS))
  const busy = ((total(components, runNsOf) - before) / components.length / (IDLE_LOOK_MS * 1e6)) * 100
  const memory: [number, number] = [
    total(components, pssBytes) / components.length,
    total(nodes, pssBytes) / nodes.length,
  ]
  return { memory, busy }
}
