// msgpack-scan.ts: looks over MessagePack from a peer before a decoder believes it: five bytes can claim an array of four
// thousand million elements, and a decoder makes room for them. The numbers are those of the MessagePack specification.

/** Bytes after the first one, for what is no container. */
const FIXED = new Map([
  ...[0xc0, 0xc2, 0xc3].map(type => [type, 0] as const), // nil, false, true
  ...[0xcc, 0xd0].map(type => [type, 1] as const), // integers, unsigned and signed
  ...[0xcd, 0xd1].map(type => [type, 2] as const),
  ...[0xca, 0xce, 0xd2].map(type => [type, 4] as const), // the first is a float
  ...[0xcb, 0xcf, 0xd3].map(type => [type, 8] as const),
])
/** Bytes of the length in front of binaries, strings, arrays and maps, and how many values an entry has: 0 for bytes. */
const SIZED = new Map<number, readonly [lengthBytes: number, valuesEach: number]>([
  [0xc4, [1, 0]],
  [0xc5, [2, 0]],
  [0xc6, [4, 0]],
  [0xd9, [1, 0]],
  [0xda, [2, 0]],
  [0xdb, [4, 0]],
  [0xdc, [2, 1]],
  [0xdd, [4, 1]],
  [0xde, [2, 2]],
  [0xdf, [4, 2]],
])
/** Extensions: the bytes in front of their data, and how much that is. Three forms of timestamp, and undefined. */
const EXTENSIONS: readonly (readonly [head: readonly number[], dataBytes: number])[] = [
  [[0xd6, 0xff], 4],
  [[0xd7, 0xff], 8],
  [[0xc7, 12, 0xff], 12],
  [[0xd4, 0x00], 1],
]

/**
 * Whether `bytes` are exactly one value, made of no more parts than there are bytes, with no other extension than dates
 * and undefined.
 * Cost: linear in the parts; no recursion, no memory.
 */
export function isOneValue(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const unsigned = (at: number, size: number): number =>
    size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at)
  let at = 0
  // Values still to come; each takes at least one byte.
  let wanted = 1
  while (wanted > 0) {
    if (wanted > bytes.length - at) return false
    const start = at
    const type = bytes[at++] as number
    wanted -= 1
    if (type <= 0x7f || type >= 0xe0) continue
    if (type <= 0x8f) wanted += 2 * (type & 0x0f)
    else if (type <= 0x9f) wanted += type & 0x0f
    else if (type <= 0xbf) at += type & 0x1f
    else if (FIXED.has(type)) at += FIXED.get(type) as number
    else if (SIZED.has(type)) {
      const [lengthBytes, valuesEach] = SIZED.get(type) as readonly [number, number]
      if (at + lengthBytes > bytes.length) return false
      const length = unsigned(at, lengthBytes)
      at += lengthBytes + (valuesEach === 0 ? length : 0)
      wanted += length * valuesEach
    } else {
      const found = EXTENSIONS.find(([head]) => head.every((byte, index) => bytes[start + index] === byte))
      if (found === undefined) return false
      at = start + found[0].length + found[1]
    }
  }
  return at === bytes.length
}
