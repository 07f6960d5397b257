// sizes-suite.ts: throughput by the size of a message, beside the C++ reference and a Unix socket.

import { type FigureSpec, figureOf } from "./figure.ts"
import { nodePeer } from "./peers/node-peer-trial.ts"
import { ours, type RingWork, reference } from "./ring-trial.ts"
import { takeTurns } from "./rounds.ts"
import { type Run, samplesFor } from "./suite.ts"

const SUITE = "sizes"
/** 8 bytes to 1 MiB, which is the largest slot. */
const SIZES = [8, 64, 512, 4_096, 65_536, 1_048_576] as const
const RING_BYTES = 1 << 22
const MAX_SLOTS = 1_024
/** What one trial moves, at most. */
const TRIAL_BYTES = 1 << 30
const MAX_MESSAGES = 1_000_000
const IN_PLACE = ["index-release", "slot-release"] as const
const COPIED = [...IN_PLACE, "index-release-ahead"]
const OURS = "kaal-ipc"
const SOCKET = "Unix socket"
/** A socket is so much slower that it is given less to do. */
const SOCKET_SHARE = 10

/** @throws {Error} a trial failed */
export async function sizesSuite(run: Run): Promise<void> {
  for (const bytes of SIZES) await measure(run, bytes)
}

async function measure(run: Run, bytes: number): Promise<void> {
  const slots = Math.max(4, Math.min(MAX_SLOTS, RING_BYTES / bytes))
  const samples = samplesFor(run, Math.min(MAX_MESSAGES, TRIAL_BYTES / bytes))
  const work: RingWork = { suite: SUITE, mode: "stream", wait: "spin", bytes, slots, samples, cpus: run.cpus }
  const references = COPIED.map(variant => reference(work, variant))
  const inPlace: RingWork = { ...work, payload: "block" }
  const socket = nodePeer(SOCKET, {
    ...{ suite: SUITE, work: "stream", bytes, cpus: run.cpus },
    samples: Math.max(2, Math.ceil(samples / SOCKET_SHARE)),
  })
  const rounds = await takeTurns(run, `${bytes} bytes`, [ours(work)], [...references, socket])
  const spec: FigureSpec = {
    ...{
      suite: SUITE,
      key: `bytes-${bytes}`,
      title: `throughput, ${bytes.toLocaleString("en")} bytes, copied in and out`,
    },
    ...{ unit: "bytes/s", moreIsBetter: true, pick: ({ msgs_per_s }) => (msgs_per_s ?? Number.NaN) * bytes },
  }
  const names = references.map(({ name }) => name)
  run.tell(figureOf(run, spec, rounds, [OURS], names))
  const toSocket = { ...spec, key: `${spec.key}-socket`, title: `${spec.title}, beside a Unix socket` }
  run.tell(figureOf(run, toSocket, rounds, [OURS], [SOCKET]))
  const inPlaceRounds = await takeTurns(
    run,
    `${bytes} bytes in place`,
    [ours(inPlace)],
    IN_PLACE.map(variant => reference(inPlace, variant)),
  )
  const title = `throughput, ${bytes.toLocaleString("en")} bytes, in place`
  run.tell(
    figureOf(
      run,
      { ...spec, key: `${spec.key}-in-place`, title },
      inPlaceRounds,
      [OURS],
      IN_PLACE.map(variant => `C++ ${variant}`),
    ),
  )
}
