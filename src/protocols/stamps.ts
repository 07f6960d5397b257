// stamps.ts: how a bench's message is told apart: its number in its first and in its last word. What lies between travels as
// it is.

const WORD_BYTES = 8

/** A message's memory as words: one of 8 bytes is its own first and last. */
export function wordsOf({ buffer, byteOffset, length }: Uint8Array): Float64Array {
  return new Float64Array(buffer, byteOffset, length / WORD_BYTES)
}

/** The message whose words are `first` to `last`. */
export function stamp(words: Float64Array, sequence: number, first = 0, last = words.length - 1): void {
  words[first] = sequence
  words[last] = sequence
}

/** @throws {Error} the message whose words are `first` to `last` is another */
export function checkStamps(words: Float64Array, sequence: number, first = 0, last = words.length - 1): void {
  if (words[first] === sequence && words[last] === sequence) return
  throw new Error(`Message ${sequence} begins with ${words[first]} and ends with ${words[last]}`)
}
