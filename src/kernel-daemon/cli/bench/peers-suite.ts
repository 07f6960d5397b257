// peers-suite.ts: messages of 64 bytes by SharedRing and by everything else that two processes could use.

import { type FigureSpec, figureOf } from "./figure.ts"
import { COMPILED_PEERS, type CompiledPeer, missing, programOf, startDaemon } from "./peers/compiled-peers.ts"
import { nodePeer } from "./peers/node-peer-trial.ts"
import { NODE_PEERS } from "./peers/node-peers.ts"
import type { PeerWorkName } from "./peers/peer-work.ts"
import { ours, type RingWork, reference, referenceBy } from "./ring-trial.ts"
import { type Contender, type Round, takeTurns } from "./rounds.ts"
import type { Trial } from "./row.ts"
import { type Run, samplesFor } from "./suite.ts"

const SUITE = "peers"
const BYTES = 64
const ON_TRIPS = ["index-release", "slot-release", "slot-release+pause"]
const IN_STREAMS = ["index-release", "slot-release", "index-release+in-place"]

/** @throws {Error} a trial failed */
export async function peersSuite(run: Run): Promise<void> {
  const absent = NODE_PEERS.flatMap(({ name, isInstalled }) =>
    isInstalled?.() === false ? [`${name}: not installed`] : [],
  )
  const compiled: CompiledPeer[] = []
  for (const peer of COMPILED_PEERS) {
    run.progress(`building ${peer.name}`)
    const problem = missing(peer) ?? (await problemOf(programOf(peer)))
    if (problem === undefined) compiled.push(peer)
    else absent.push(`${peer.name}: ${problem}`)
  }
  const ends: (() => void)[] = []
  try {
    for (const peer of compiled) ends.push(await startDaemon(peer))
    await trips(run, compiled, absent)
    await streams(run, compiled, absent)
  } finally {
    for (const end of ends) end()
  }
}

/** Undefined when it was built: a library of another version is no reason to measure nothing. */
async function problemOf(build: Promise<string>): Promise<string | undefined> {
  try {
    await build
    return undefined
  } catch (error) {
    return `does not build here: ${(error as Error).message.split("\n").find(line => line.includes("error")) ?? "out of time"}`
  }
}

async function trips(run: Run, compiled: readonly CompiledPeer[], absent: readonly string[]): Promise<void> {
  const work: RingWork = {
    ...{ suite: SUITE, mode: "ping-pong", wait: "spin", bytes: BYTES, slots: 1_024, cpus: run.cpus },
    samples: samplesFor(run, 50_000),
  }
  const parked: RingWork = { ...work, wait: "park", samples: samplesFor(run, 3_000) }
  const others = [
    { ...ours(parked), name: "kaal-ipc, parked" },
    ...(await inCpp(work, ON_TRIPS, compiled)),
    reference(parked, "futex"),
    ...inNode(run, "round trips", 3_000),
  ]
  const rounds = await takeTurns(run, "round trips", [ours(work)], others)
  const of = { suite: SUITE, unit: "ns", moreIsBetter: false, pick: (t: Trial) => t.rtt_ns?.p50 } as const
  tellEach(run, rounds, others, { ...of, key: "rtt", title: "round trip p50", note: noteOf(absent) })
}

async function streams(run: Run, compiled: readonly CompiledPeer[], absent: readonly string[]): Promise<void> {
  const work: RingWork = {
    ...{ suite: SUITE, mode: "stream", wait: "spin", bytes: BYTES, slots: 1_024, cpus: run.cpus },
    samples: samplesFor(run, 1_000_000),
  }
  const others = [...(await inCpp(work, IN_STREAMS, compiled)), ...inNode(run, "stream", 50_000)]
  const rounds = await takeTurns(run, "streams", [ours(work)], others)
  const of = { suite: SUITE, unit: "messages/s", moreIsBetter: true, pick: (t: Trial) => t.msgs_per_s } as const
  tellEach(run, rounds, others, { ...of, key: "stream", title: "stream", note: noteOf(absent) })
}

async function inCpp(
  work: RingWork,
  variants: readonly string[],
  compiled: readonly CompiledPeer[],
): Promise<Contender[]> {
  const peers: Contender[] = []
  for (const peer of compiled) {
    const program = await programOf(peer)
    // Any variant: these have one ring each. iceoryx has fewer chunks than a ring has slots.
    peers.push({ ...referenceBy(work, "index-release", program, peer.name), name: peer.name })
  }
  return [...variants.map(variant => reference(work, variant)), ...peers]
}

function inNode(run: Run, work: PeerWorkName, samples: number): Contender[] {
  return NODE_PEERS.filter(
    ({ isInstalled, streamOnly }) => isInstalled?.() !== false && (work === "stream" || streamOnly === undefined),
  ).map(({ name }) =>
    nodePeer(name, { suite: SUITE, work, bytes: BYTES, samples: samplesFor(run, samples), cpus: run.cpus }),
  )
}

/** A figure for each peer: ours beside it. */
function tellEach(run: Run, rounds: readonly Round[], others: readonly Contender[], spec: FigureSpec): void {
  for (const { name } of others) {
    const each = { ...spec, key: `${spec.key}, ${name}`, title: `${spec.title}, beside ${name}` }
    run.tell(figureOf(run, each, rounds, ["kaal-ipc"], [name]))
  }
}

function noteOf(absent: readonly string[]): string {
  return absent.join("; ")
}
