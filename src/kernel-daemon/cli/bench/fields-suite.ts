// fields-suite.ts: reading the fields of a declared message beside reading the same elements of typed arrays by hand.

import { defineMessage } from "../../../ring/payload/message-type.ts"
import { fixedView, movingView } from "../../../ring/payload/message-view.ts"
import { measureInPart } from "./caps-suite-part.ts"
import { figureOf } from "./figure.ts"
import { type Contender, takeTurns } from "./rounds.ts"
import type { Trial } from "./row.ts"
import { type Run, samplesFor } from "./suite.ts"

const SUITE = "fields"
const RAW = "typed arrays"
const POPPED = "kaal-ipc, popped"
const IN_PLACE = "kaal-ipc, in place"
/** By number, since a part is given numbers. */
const WAYS = [RAW, POPPED, IN_PLACE]
const BLOCKS = 20

const Tick = defineMessage({ sequence: "u32", price: "f64", quantity: "i32", bid: "f64", ask: "f64" })
/** Where Tick's fields stand, in elements of their arrays. */
const At = { sequence: 0, price: 1, quantity: 4, bid: 3, ask: 4 } as const
const ADDRESS = 4_096

/** @throws {Error} a trial failed */
export async function fieldsSuite(run: Run): Promise<void> {
  const samples = samplesFor(run, 2_000_000)
  const contender = (name: string): Contender => ({
    name,
    run: async () => trialOf(name, await measureInPart<number>("fields", [WAYS.indexOf(name), samples])),
  })
  const [popped, inPlace, raw] = [POPPED, IN_PLACE, RAW].map(contender) as [Contender, Contender, Contender]
  const rounds = await takeTurns(run, "five fields of a message", [popped, inPlace], [raw])
  const spec = {
    suite: SUITE,
    unit: "ns",
    moreIsBetter: false,
    pick: ({ more }: Trial) => more?.message_ns,
    limit: { of: "ratio", atMost: 1.2 },
  } as const
  run.tell(figureOf(run, { ...spec, key: "popped", title: "five fields of a popped message" }, rounds, [POPPED], [RAW]))
  const { limit: _, ...shown } = spec
  run.tell(
    figureOf(
      run,
      { ...shown, key: "in-place", title: "the same in place, its generation checked" },
      rounds,
      [IN_PLACE],
      [RAW],
    ),
  )
}

/** The part's process: nanoseconds for the five fields of one message, median of blocks. */
export function measureFields(way: number, samples: number): number {
  const buffer = new SharedArrayBuffer(65_536)
  const read = [rawReader, poppedReader, inPlaceReader][way]?.(buffer)
  if (read === undefined) throw new RangeError(`way is ${way}, allowed are 0 to ${WAYS.length - 1}`)
  const f64 = new Float64Array(buffer)
  const perBlock = Math.ceil(samples / BLOCKS)
  const times = Array.from({ length: BLOCKS + 2 }, () => {
    const begun = performance.now()
    let sum = 0
    for (let message = 0; message < perBlock; message++) {
      // A new message each time, or a compiler reads it once.
      f64[ADDRESS / 8 + At.price] = message
      sum += read()
    }
    const ns = ((performance.now() - begun) * 1e6) / perBlock
    if (sum !== (perBlock * (perBlock - 1)) / 2) throw new Error(`The fields add up to ${sum}`)
    return ns
  })
  // The first blocks are the compiler's.
  return times.slice(2).sort((a, b) => a - b)[BLOCKS / 2] as number
}

function rawReader(buffer: SharedArrayBuffer): () => number {
  const [u32, i32, f64] = [new Uint32Array(buffer), new Int32Array(buffer), new Float64Array(buffer)]
  const [words, doubles] = [ADDRESS / 4, ADDRESS / 8]
  return () =>
    (u32[words + At.sequence] as number) +
    (f64[doubles + At.price] as number) +
    (i32[words + At.quantity] as number) +
    (f64[doubles + At.bid] as number) +
    (f64[doubles + At.ask] as number)
}

function poppedReader(buffer: SharedArrayBuffer): () => number {
  const tick = fixedView(Tick, buffer, ADDRESS)
  return () => tick.sequence + tick.price + tick.quantity + tick.bid + tick.ask
}

function inPlaceReader(buffer: SharedArrayBuffer): () => number {
  const tick = movingView(Tick, buffer, { address: ADDRESS, generation: 1 }, { generation: 1 })
  return () => tick.sequence + tick.price + tick.quantity + tick.bid + tick.ask
}

function trialOf(name: string, messageNs: number): Trial {
  return {
    what: "trial",
    suite: SUITE,
    work: "fields",
    of: name,
    variant: null,
    bytes: Tick.bytes,
    rtt_ns: null,
    histogram: null,
    oneway_cycles_p50: null,
    msgs_per_s: null,
    probe_ns: null,
    more: { message_ns: messageNs },
  }
}
