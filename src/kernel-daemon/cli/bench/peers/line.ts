// line.ts: what each peer is reduced to: a line on which messages of a fixed size go both ways.

export interface Line {
  /** Sends a copy, or what amounts to one: the caller writes into `message` again at once. */
  send(message: Uint8Array): void
  /** Called before and after some sends in a row, by peers that gain from knowing. */
  burst?(isOver: boolean): void
  /** Called once; `message` is valid during the call only. */
  onMessage(handler: (message: Uint8Array) => void): void
  /** Ends both ends' reason to live. */
  close(): void
}

/** Words of a round trip's message, 8 bytes each: number, the sender's clock, then number + 2, number + 3, ... */
export const STAMP_WORD = 1

export function fillMessage(words: Float64Array, sequence: number): void {
  for (let word = 0; word < words.length; word++) words[word] = sequence + word
}

/** @throws {Error} a word is not what its sender wrote; save the clock's */
export function checkMessage(words: Float64Array, sequence: number): void {
  for (let word = 0; word < words.length; word++) {
    if (words[word] !== sequence + word && word !== STAMP_WORD) {
      throw new Error(`Message ${sequence}, word ${word} is ${words[word]}`)
    }
  }
}

/** As words, copied where its address does not allow a view. */
export function wordsOf(message: Uint8Array): Float64Array {
  const { buffer, byteOffset, length } = message
  return byteOffset % 8 === 0
    ? new Float64Array(buffer, byteOffset, length / 8)
    : new Float64Array(message.slice().buffer, 0, length / 8)
}
