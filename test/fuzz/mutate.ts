// mutate.ts: one input made of another: bits, bytes, numbers at the edges of what can be, pieces moved, cut and doubled.

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = (seed ^ 0x9e37_79b9) | 1
  }

  below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }
}

const MAX_BYTES = 2_048
const EDGES = [0, 1, 2, 7, 8, 9, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) => {
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] as number) ^ (1 << random.below(8))
    return bytes
  },
  (bytes, random) => {
    bytes[random.below(bytes.length)] = random.below(256)
    return bytes
  },
  (bytes, random) => {
    const at = random.below(bytes.length)
    bytes[at] = (bytes[at] as number) + random.below(17) - 8
    return bytes
  },
  (bytes, random) => numberAt(bytes, random, random.one(EDGES)),
  (bytes, random) => numberAt(bytes, random, 1 << random.below(32)),
  (bytes, random) => bytes.slice(0, random.below(bytes.length)),
  (bytes, random) => {
    const [from, to] = span(bytes, random)
    return joined(bytes.subarray(0, from), bytes.subarray(to))
  },
  (bytes, random) => {
    const [from, to] = span(bytes, random)
    return joined(bytes.subarray(0, to), bytes.subarray(from))
  },
  (bytes, random) => joined(bytes, new Uint8Array(1 + random.below(16))),
  (bytes, random) => {
    const at = random.below(bytes.length)
    const made = Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256))
    return joined(bytes.subarray(0, at), made, bytes.subarray(at))
  },
  (bytes, random, other) => {
    const [from, to] = span(other, random)
    const at = random.below(bytes.length)
    return joined(bytes.subarray(0, at), other.subarray(from, to), bytes.subarray(at))
  },
  (bytes, random, other) => {
    const [from, to] = span(other, random)
    bytes.set(other.subarray(from, Math.min(to, from + bytes.length)).slice(0, bytes.length))
    return bytes
  },
]

/** A copy of `input` with a few changes; pieces of `other` may be in it. */
export function mutate(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  let bytes: Uint8Array = input.slice()
  for (let changes = 1 << random.below(4); changes > 0; changes--) {
    // An empty input has no place for a change.
    if (bytes.length === 0) bytes = Uint8Array.of(random.below(256))
    bytes = random.one(MUTATIONS)(bytes, random, other)
  }
  return bytes.slice(0, MAX_BYTES)
}

function numberAt(bytes: Uint8Array, random: Random, value: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const at = bytes.length < 4 ? 0 : Math.floor(random.below(bytes.length - 3) / 4) * 4
  if (bytes.length >= 4) view.setUint32(at, value + random.below(3) - 1, random.below(8) !== 0)
  return bytes
}

function span(bytes: Uint8Array, random: Random): [from: number, to: number] {
  if (bytes.length === 0) return [0, 0]
  const from = random.below(bytes.length)
  return [from, from + 1 + random.below(Math.min(32, bytes.length - from))]
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap(part => [...part]))
}
