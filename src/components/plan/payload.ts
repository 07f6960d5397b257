// payload.ts: what the two components write and check, so that neither can pass by accident.

/** Word `index` of message `sequence`: differs between neighbours in both, and between messages that are mixed up. */
export function payloadWord(sequence: number, index: number): number {
  return index === 0 ? sequence >>> 0 : (Math.imul(sequence ^ Math.imul(index, 0x9e37_79b1), 0x85eb_ca6b) + index) >>> 0
}

/** Adds a word to a running checksum; the order of the words counts. */
export function addToChecksum(checksum: number, word: number): number {
  return (Math.imul(checksum ^ word, 0x0100_0193) + 1) >>> 0
}

export const CHECKSUM_START = 0x811c_9dc5

/** Byte `index` of a frame filled with pattern `seed`. */
export function patternByte(seed: number, index: number): number {
  return (Math.imul(index, 167) + (index >>> 8) + seed) & 0xff
}
