// mutants.ts: faults that the explorer must find and that scripts/ring-mutants.ts does not make by rule: orders of two accesses
// turned round, second looks and wake-ups left out. Each is one change of a source of src/ring.

export interface Mutant {
  readonly path: string
  /** Occurs once. */
  readonly from: string
  readonly to: string
  readonly what: string
  /** It is looked for in those of shapes.ts whose name has this in it. By default in the small cases of all others. */
  readonly cases?: string
  /** Why it is no fault in the cases that there are: then none may fail. */
  readonly equivalent?: string
}

const producer = "src/ring/wasm/producer.ts"
const consumer = "src/ring/wasm/consumer.ts"
const recordProducer = "src/ring/wasm/record-producer.ts"
const recordConsumer = "src/ring/wasm/record-consumer.ts"
const sleep = "src/ring/wasm/sleep.ts"
const signaller = "src/ring/wasm/signaller.ts"
const waiter = "src/ring/wasm/waiter.ts"
const wait = "src/ring/wait.ts"
const ringEnd = "src/ring/ring-end.ts"

const COPY_OUT =
  "  copy(slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_STAGING), load<u32>(end, END_SLOT_BYTES))\n"
const COPY_OUT_MANY = `  for (let message: u32 = 0; message < count; ) {
    const piece = inOnePiece(end, first + message, count - message)
    copy(slotAt(end, first + message), from, piece * bytes)
    from += piece * bytes
    message += piece
  }
`
const COPY_IN =
  "  copy(load<u32>(end, END_STAGING), slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_SLOT_BYTES))\n"
const COPY_IN_MANY = `  for (let message: u32 = 0; message < count; ) {
    const piece = inOnePiece(end, first + message, count - message)
    copy(to, slotAt(end, first + message), piece * bytes)
    to += piece * bytes
    message += piece
  }
`
const OTHER_SEQUENCES =
  "    for (let index = <u32>first + 1; index != <u32>next; index++) store<u32>(sequenceAt(end, index), index + 1)\n"
const FIRST_SEQUENCE = "    atomic.store<u32>(word, <u32>first + 1)\n"
const ASKED = "  askAhead(end, <u32>first, <u32>next)\n"
const ROOM_TO_ASK = "  if (start - load<u32>(end, END_PEER_INDEX) > load<u32>(end, END_CAPACITY) - ahead"
const PROGRESS = "  store<u64>(load<u32>(end, END_PROGRESS_WORD), ((<u64>(<u32>index)) << 32) | <u64>(<u32>index))\n"
/** ORDER lane-merge is for data that are read before one knows whether they are there: by plain accesses that is a race. */
const ORDERS_NO_PLAIN_DATA =
  "it orders what is written before a signal that merges, which a waiter can only look for by atomic loads; in one order of all steps those see it anyhow"
const AFTER_A_DEATH = "only who takes over after a death reads it: death at every step is what npm run faults shows"

export const MUTANTS: readonly Mutant[] = [
  {
    path: producer,
    from: `${COPY_OUT}  return commit(end, 1)`,
    to: `  const done = commit(end, 1)\n${COPY_OUT.replace("load<u32>(end, END_INDEX)", "load<u32>(end, END_INDEX) - 1")}  return done`,
    what: "publishes before the payload is written",
  },
  {
    path: producer,
    from: `${COPY_OUT_MANY}  return commit(end, count)`,
    to: `  const done = commit(end, count)\n${COPY_OUT_MANY}  return done`,
    what: "publishes a batch before its payload is written",
  },
  {
    path: producer,
    from: `${COPY_OUT_MANY}  return commit(end, count)`,
    to: `${COPY_OUT_MANY}  for (let message: u32 = 1; message < count; message++) commit(end, 1)\n  return commit(end, 1)`,
    what: "publishes a batch one by one",
  },
  {
    path: producer,
    from: OTHER_SEQUENCES,
    to: FIRST_SEQUENCE.replace("word", "sequenceAt(end, <u32>first)") + OTHER_SEQUENCES,
    what: "the first sequence of a batch stored before the others",
  },
  {
    path: producer,
    from: OTHER_SEQUENCES,
    to: "",
    what: "the other sequences of a batch not stored",
  },
  {
    path: producer,
    from: `${FIRST_SEQUENCE}    store<u32>(end, word, END_WAKE_WORD)\n`,
    to: `${FIRST_SEQUENCE}`,
    what: "wakes on a word that nobody sleeps on",
  },
  {
    path: producer,
    from: `${FIRST_SEQUENCE}    store<u32>(end, word, END_WAKE_WORD)\n    // Polled by nobody: where a producer that takes over begins to look.\n    store<u32>(load<u32>(end, END_INDEX_WORD), <u32>next)\n`,
    to: `    store<u32>(load<u32>(end, END_INDEX_WORD), <u32>next)\n${FIRST_SEQUENCE}    store<u32>(end, word, END_WAKE_WORD)\n`,
    what: "writeIndex stored before the sequence that publishes",
    equivalent: AFTER_A_DEATH,
  },
  {
    path: producer,
    from: "  const next = first + count\n  if",
    to: "  const next = first + count\n  const wakes = published(end)\n  if",
    what: "asks before it publishes whether the peer sleeps, and again after",
  },
  {
    path: producer,
    from: `${ASKED}  return published(end)`,
    to: `${ASKED}  return RESULT_DONE`,
    what: "publishes and wakes nobody",
  },
  {
    path: producer,
    from: `${ROOM_TO_ASK}) return\n`,
    to: "",
    what: "asks for the lines of slots that are not free",
  },
  {
    path: producer,
    from: "  const result = room(end, count)\n  return result == RESULT_NONE ? RESULT_CLOSED : result",
    to: "  return RESULT_CLOSED",
    what: "no second look for room after the consumer has closed",
  },
  {
    path: producer,
    from: "  store<u32>(end, peer, END_PEER_INDEX)\n",
    to: "  store<u32>(end, peer + 1, END_PEER_INDEX)\n",
    what: "remembers one slot more than was given back",
  },
  {
    path: consumer,
    from: `${COPY_IN}  return release(end, 1)`,
    to: `  const done = release(end, 1)\n${COPY_IN.replace("load<u32>(end, END_INDEX)", "load<u32>(end, END_INDEX) - 1")}  return done`,
    what: "releases before the payload is read",
  },
  {
    path: consumer,
    from: `${COPY_IN_MANY}  return release(end, count)`,
    to: `  const done = release(end, count)\n${COPY_IN_MANY}  return done`,
    what: "releases a batch before its payload is read",
  },
  {
    path: consumer,
    from: "const index = load<u64>(end, END_INDEX) + count",
    to: "giveBack(end)\n  const index = load<u64>(end, END_INDEX) + count + 1",
    what: "releases one slot too many",
  },
  {
    path: consumer,
    from: PROGRESS,
    to: "",
    what: "progress not stored",
  },
  {
    path: consumer,
    from: `${PROGRESS}  store<u64>(end, index, END_INDEX)\n`,
    to: `  store<u64>(end, index, END_INDEX)\n${PROGRESS}`,
    what: "progress stored after this end's own index",
    equivalent: "both before anything that the producer sees; that one is private",
  },
  {
    path: consumer,
    from: "  store<u32>(end, index, END_RELEASED)\n  return published(end)",
    to: "  store<u32>(end, index, END_RELEASED)\n  return RESULT_DONE",
    what: "gives back and wakes nobody",
  },
  {
    path: consumer,
    from: "  if (giveBack(end) == RESULT_DONE_WAKE) return RESULT_NONE_WAKE\n",
    to: "",
    what: "keeps what it has read while it waits",
  },
  {
    path: consumer,
    from: "  const result = items(end)\n  return result == RESULT_NONE ? RESULT_CLOSED : result",
    to: "  return RESULT_CLOSED",
    what: "no second look for messages after the producer has closed",
  },
  {
    path: consumer,
    from: "    store<u32>(end, sequence, END_PEER_INDEX)\n",
    to: "",
    what: "sleeps on another sequence than was seen",
  },
  {
    path: recordProducer,
    from: "  if (padding != 0) store<u32>(slotAt(end, index), RECORD_PADDING | padding)\n",
    to: "",
    what: "padding without a head",
  },
  {
    path: recordProducer,
    from: "  return result == RESULT_DONE ? commit(end, load<u32>(end, END_COUNT)) : result",
    to: `  if (result != RESULT_DONE) return result
  const at = load<u32>(end, END_RECORD_AT)
  const done = commit(end, load<u32>(end, END_COUNT))
  endRecord(end, at - load<u32>(end, END_COUNT), bytes)
  return done`,
    what: "a record's head written once more after it was published",
  },
  {
    path: recordProducer,
    from: "  const result = awaitRoom(end, at + padding + recordStride(bytes), spins)",
    to: "  const result = awaitRoom(end, at + recordStride(bytes), spins)",
    what: "waits for room without the padding",
  },
  {
    path: "src/ring/wasm/record.ts",
    from: "return aligned(bytes) + RECORD_HEAD_BYTES",
    to: "return aligned(bytes)",
    what: "a record without room for its head",
  },
  {
    path: "src/ring/wasm/record.ts",
    from: "return (bytes + (RECORD_ALIGN - 1)) & ~(RECORD_ALIGN - 1)",
    to: "return bytes & ~(RECORD_ALIGN - 1)",
    what: "records that are rounded down",
  },
  {
    path: recordConsumer,
    from: "  copy(load<u32>(end, END_STAGING), from, bytes)\n  return releaseRecord(end)",
    to: "  const done = releaseRecord(end)\n  copy(load<u32>(end, END_STAGING), from, bytes)\n  return done",
    what: "releases a record before it is read",
  },
  {
    path: recordConsumer,
    from: "  return release(end, load<u32>(end, END_RECORD_AT) + recordStride(load<u32>(end, END_COUNT)))",
    to: "  return release(end, recordStride(load<u32>(end, END_COUNT)))",
    what: "releases a record without the padding before it",
  },
  {
    path: sleep,
    from: "  store<u32>(woken, sleep)\n",
    to: "",
    what: "forgets whom it has woken, and how that one sleeps",
  },
  {
    path: sleep,
    from: "sleep == load<u32>(woken)",
    to: "load<u32>(woken) != 0",
    what: "wakes a peer from its first sleep only",
  },
  {
    path: signaller,
    from: "  // ORDER lane-publish: data written before this store is visible to take(), which loads the lane.\n  atomic.store<u64>(lane, value)\n",
    to: "  if (toggled != 0) atomic.store<u64>(lane, value)\n",
    what: "a signal that merges stores nothing",
    equivalent: ORDERS_NO_PLAIN_DATA,
  },
  {
    path: signaller,
    from: "  let value = load<u64>(signaller, SIGNALLER_VALUE)\n",
    to: "  let value = load<u64>(signaller, SIGNALLER_VALUE)\n  const early = mustWake(load<u32>(signaller, SIGNALLER_SLEEP_WORD), signaller + SIGNALLER_WOKEN)\n",
    what: "asks before the store of the lane, too, whether the waiter sleeps, and takes no notice",
  },
  {
    path: signaller,
    from: "? RESULT_DONE_WAKE : RESULT_DONE",
    to: "? RESULT_DONE : RESULT_DONE",
    what: "signals and wakes nobody",
  },
  {
    path: signaller,
    from: "      value ^= taken\n",
    to: "",
    what: "a bit that was taken meanwhile is not made pending",
    equivalent: ORDERS_NO_PLAIN_DATA,
  },
  {
    path: waiter,
    from: "  store<u64>(waiter, atomic.load<u64>(lane), WAITER_SEEN)\n",
    to: "",
    what: "a lane is not looked at again after its acknowledgement",
    equivalent: ORDERS_NO_PLAIN_DATA,
  },
  {
    path: waiter,
    from: "  const value = atomic.load<u64>(lane)\n  const pending",
    to: "  const value = atomic.load<u64>(lane)\n  atomic.store<u64>(load<u32>(waiter + index * 4, WAITER_ACKS), ~value, ACK_VALUE)\n  const pending",
    what: "acknowledges the opposite before it acknowledges",
  },
  {
    path: waiter,
    from: "  return pending & badge",
    to: "  return pending & atomic.load<u64>(kernelPart + index * 8, NOTIFICATION_BADGES)",
    what: "the badge loaded after the acknowledgement",
  },
  {
    path: wait,
    from: "result = attempt(1)\n      if (result === RESULT_NONE) {",
    to: "if (result === RESULT_NONE) {",
    what: "no second look after the sleep was announced",
    // Elsewhere the futex, which compares each word with what was seen before the announcement, looks once more itself.
    cases: "broadcast",
  },
  {
    path: wait,
    from: "      sleeper.announce()\n",
    to: "",
    what: "sleeps unannounced",
  },
  {
    path: wait,
    from: "      sleeper.announce()\n      // ORDER",
    to: "      sleeper.announce()\n      sleeper.retract()\n      // ORDER",
    what: "sleeps after it has said that it no longer does",
  },
  {
    path: wait,
    from: "      sleeper.retract()\n",
    to: "",
    what: "does not say that it is awake",
    equivalent: "the peer wakes it once more, and each sleep has another number",
  },
  {
    path: "src/ring/sleep-number.ts",
    from: "((this.#number | SLEEP_BITS) + 1) | how",
    to: "this.#number | how",
    what: "every sleep has the same number",
  },
  {
    path: ringEnd,
    from: "words[at + 1] = this.field(END_PEER_INDEX)",
    to: "words[at + 1] = this.#vspace.loadWord(words[at] as number)",
    what: "sleeps on the word as it is, not as it was seen",
  },
  {
    path: ringEnd,
    from: "    words[at + 5] = 0\n",
    to: "    words[at + 5] = this.#vspace.loadWord(this.#peerClosedWord)\n",
    what: "sleeps on though the peer has closed",
  },
  {
    path: ringEnd,
    from: "    if (!woken) this.#vspace.u32[(this.state + END_WOKEN) / 4] = NEVER_WOKEN\n",
    to: "    void woken\n",
    what: "does not wake again whom it found awake",
  },
  {
    path: ringEnd,
    from: "      this.#vspace.storeWord(this.#closedWord, 1)\n      wake(this.#closedWord)\n",
    to: "      wake(this.#closedWord)\n      this.#vspace.storeWord(this.#closedWord, 1)\n",
    what: "wakes the peer before it has closed",
  },
  {
    path: ringEnd,
    from: "    vspace.storeWord(this.#closedWord, 0)\n",
    to: "",
    what: "an end that attaches stays closed",
  },
]
