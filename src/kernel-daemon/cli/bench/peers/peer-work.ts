// peer-work.ts: the work of a peer's two ends: round trips, and a stream with a window, on any line.

import { checkStamps, stamp } from "../../../../protocols/stamps.ts"
import type { Histogram, RoundTrip } from "../row.ts"
import { checkMessage, fillMessage, type Line, STAMP_WORD, wordsOf } from "./line.ts"

export const PeerWork = { "round trips": 0, stream: 1, "paused round trips": 2 } as const
export type PeerWorkName = keyof typeof PeerWork

export interface PeerFigures {
  readonly rttNs: RoundTrip | null
  readonly histogram: Histogram | null
  /** From the sender's stamp to the receiver's handler. */
  readonly onewayNs: number | null
  readonly messagesPerSecond: number | null
}

const WARM_UP_TRIPS = 1_000
/** What a stream may have under way. */
const WINDOW_BYTES = 4 << 20
const MAX_WINDOW = 256
const BUCKETS_IN_OCTAVE = 8
/** Between two trips, so that both ends are asleep. */
export const PAUSE_MS = 1

/** The leader's side. `samples` counts round trips, or messages of the stream. */
export function leadWork(line: Line, work: PeerWorkName, bytes: number, samples: number): Promise<PeerFigures> {
  if (work === "stream") return leadStream(line, bytes, samples)
  return leadTrips(line, bytes, samples, work === "paused round trips" ? PAUSE_MS : 0)
}

/** The follower's side; it ends with its process. */
export function followWork(line: Line, work: PeerWorkName, bytes: number, samples: number): void {
  if (work === "stream") followStream(line, bytes, samples)
  else followTrips(line, bytes, samples)
}

async function leadTrips(line: Line, bytes: number, samples: number, pauseMs: number): Promise<PeerFigures> {
  const warmUp = Math.min(WARM_UP_TRIPS, samples)
  const message = new Uint8Array(bytes)
  const words = wordsOf(message)
  const trips = new Float64Array(samples)
  let sequence = 0
  let begun = 0
  const send = (): void => {
    fillMessage(words, sequence)
    begun = nowNs()
    if (words.length > STAMP_WORD) words[STAMP_WORD] = begun
    line.send(message)
  }
  const onewayNs = await new Promise<number>(resolve => {
    line.onMessage(answer => {
      const ended = nowNs()
      // After the last trip the follower tells what it has seen.
      if (sequence === warmUp + samples) return resolve(wordsOf(answer)[0] as number)
      checkMessage(wordsOf(answer), sequence)
      if (sequence >= warmUp) trips[sequence - warmUp] = ended - begun
      sequence++
      if (sequence === warmUp + samples) return
      if (pauseMs > 0 && sequence >= warmUp) setTimeout(send, pauseMs)
      else send()
    })
    send()
  })
  trips.sort()
  const at = (share: number): number => trips[Math.min(samples - 1, Math.floor(samples * share))] as number
  return {
    rttNs: { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) },
    histogram: histogramOf(trips),
    onewayNs: words.length > STAMP_WORD ? onewayNs : null,
    messagesPerSecond: null,
  }
}

function followTrips(line: Line, bytes: number, samples: number): void {
  const last = Math.min(WARM_UP_TRIPS, samples) + samples - 1
  const ways = new Float64Array(last + 1)
  const answer = new Uint8Array(bytes)
  let sequence = 0
  line.onMessage(message => {
    const words = wordsOf(message)
    ways[sequence] = nowNs() - (words[STAMP_WORD] ?? 0)
    checkMessage(words, sequence)
    answer.set(message)
    line.send(answer)
    if (sequence++ < last) return
    wordsOf(answer)[0] = ways.sort()[ways.length >> 1] as number
    line.send(answer)
  })
}

async function leadStream(line: Line, bytes: number, samples: number): Promise<PeerFigures> {
  const message = new Uint8Array(bytes)
  const words = wordsOf(message)
  const window = windowOf(bytes)
  let sequence = 0
  let allowed = window
  const messagesPerSecond = await new Promise<number>(resolve => {
    const send = (): void => {
      line.burst?.(false)
      for (; sequence < Math.min(allowed, samples); sequence++) {
        stamp(words, sequence)
        line.send(message)
      }
      line.burst?.(true)
    }
    line.onMessage(answer => {
      const [seen = 0] = wordsOf(answer)
      if (seen < 0) return resolve(-seen)
      allowed = seen + window
      send()
    })
    send()
  })
  return { rttNs: null, histogram: null, onewayNs: null, messagesPerSecond }
}

/** Answers with how many it has seen, and in the end with the rate as a number below 0. */
function followStream(line: Line, bytes: number, samples: number): void {
  const answer = new Uint8Array(bytes)
  const words = wordsOf(answer)
  const half = windowOf(bytes) / 2
  let sequence = 0
  let begun = 0
  line.onMessage(message => {
    checkStamps(wordsOf(message), sequence)
    if (sequence++ === 0) begun = nowNs()
    if (sequence === samples) words[0] = -((samples - 1) * 1e9) / (nowNs() - begun)
    else if (sequence % half === 0) words[0] = sequence
    else return
    line.send(answer)
  })
}

function windowOf(bytes: number): number {
  return Math.max(2, Math.min(MAX_WINDOW, 2 ** Math.floor(Math.log2(WINDOW_BYTES / bytes))))
}

function histogramOf(samplesNs: Float64Array): Histogram {
  const counts = new Map<number, number>()
  for (const ns of samplesNs) {
    const bucket = Math.floor(Math.log2(Math.max(1, ns)) * BUCKETS_IN_OCTAVE)
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
  }
  return [...counts].sort(([a], [b]) => a - b)
}

/** CLOCK_MONOTONIC, which both processes share; exact as a double for a hundred days of uptime. */
function nowNs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e9 + nanoseconds
}
