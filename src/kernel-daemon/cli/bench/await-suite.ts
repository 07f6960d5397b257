// await-suite.ts: messages between two event loops, asleep and awake, beside a Unix socket and zeromq.

import { type AwaitReport, BenchAwaitRole } from "../../../protocols/bench-await.ts"
import { benchSession } from "./bench-session.ts"
import { type FigureSpec, figureOf } from "./figure.ts"
import { probeBetween } from "./machine.ts"
import { nodePeer } from "./peers/node-peer-trial.ts"
import { PAUSE_MS, type PeerWorkName } from "./peers/peer-work.ts"
import { zeromq } from "./peers/zeromq.ts"
import { type Contender, takeTurns } from "./rounds.ts"
import type { Trial } from "./row.ts"
import { type Run, samplesFor } from "./suite.ts"

const SUITE = "await"
const BYTES = 64
const SAMPLES = 2_000
const SOCKET = "Unix socket"
const ZEROMQ = "zeromq"

/** @throws {Error} a trial failed */
export async function awaitSuite(run: Run): Promise<void> {
  const [first, second] = run.cpus
  await asleep(run, "one CPU", [first, first], 0.75)
  if (first === second) return
  await asleep(run, "two CPUs", run.cpus, 0.9)
  await awake(run)
}

type Cpus = readonly [number, number]

async function asleep(run: Run, where: string, cpus: Cpus, atMost: number): Promise<void> {
  const others = peers(run, "paused round trips", cpus)
  const rounds = await takeTurns(run, `asleep, ${where}`, [ours(run, cpus, PAUSE_MS)], others)
  const of = specOf(`await, both ends asleep on their event loops, ${where}`)
  const beside = (name: string, key: string, limit: number): void => {
    const spec = { ...of, key: `${key}, ${where}`, title: `${of.title}, beside ${name}` }
    run.tell(figureOf(run, { ...spec, limit: { of: "ratio", atMost: limit } }, rounds, ["kaal-ipc"], [name]))
  }
  beside(SOCKET, "asleep", atMost)
  if (others.some(({ name }) => name === ZEROMQ)) beside(ZEROMQ, "asleep-zeromq", 0.5)
}

async function awake(run: Run): Promise<void> {
  const others = peers(run, "round trips", run.cpus)
  const rounds = await takeTurns(run, "awake", [ours(run, run.cpus, 0)], others)
  const of = specOf("await, within the bounded check after activity, two CPUs")
  const limit = { of: "ratio", atMost: 0.1 } as const
  const title = `${of.title}, beside ${SOCKET}`
  run.tell(figureOf(run, { ...of, key: "awake", title, limit }, rounds, ["kaal-ipc"], [SOCKET]))
}

function specOf(title: string): Omit<FigureSpec, "key"> {
  return { suite: SUITE, title, unit: "ns", moreIsBetter: false, pick: ({ rtt_ns }) => rtt_ns?.p50 }
}

function peers(run: Run, work: PeerWorkName, cpus: Cpus): Contender[] {
  const names = zeromq() === undefined ? [SOCKET] : [SOCKET, ZEROMQ]
  return names.map(name =>
    nodePeer(name, { suite: SUITE, work, bytes: BYTES, samples: samplesFor(run, SAMPLES), cpus }),
  )
}

function ours(run: Run, cpus: Cpus, pauseMs: number): Contender {
  const probe = (): number => (cpus[0] === cpus[1] ? Number.NaN : probeBetween(cpus))
  const measure = async (): Promise<Trial> => {
    const before = probe()
    const { rttNs, histogram } = await benchSession<AwaitReport>({
      rootTask: "bench-await",
      arguments: [BenchAwaitRole.root, samplesFor(run, SAMPLES), pauseMs, ...cpus],
    })
    const after = probe()
    return {
      what: "trial",
      suite: SUITE,
      work: pauseMs > 0 ? "await, paused round trips" : "await, round trips",
      of: "kaal-ipc",
      variant: null,
      bytes: BYTES,
      rtt_ns: rttNs,
      histogram,
      oneway_cycles_p50: null,
      msgs_per_s: null,
      probe_ns: Number.isNaN(before) ? null : { before, after },
    }
  }
  return { name: "kaal-ipc", run: measure }
}
