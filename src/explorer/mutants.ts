// mutants.ts: faults that the explorer must find: orders turned round, atomic accesses made plain, second looks left out,
// bounds moved by one. Each is one change of a source of src/ring.

export interface Mutant {
  readonly path: string
  /** Occurs once. */
  readonly from: string
  readonly to: string
  readonly what: string
  /** Why it is no fault in the cases that there are: then none may fail. */
  readonly equivalent?: string
}

const producer = "src/ring/wasm/producer.ts"
const consumer = "src/ring/wasm/consumer.ts"
const sleep = "src/ring/wasm/sleep.ts"
const signaller = "src/ring/wasm/signaller.ts"
const waiter = "src/ring/wasm/waiter.ts"
const wait = "src/ring/wait.ts"
const COPY =
  "  copy(slotAt(end, load<u32>(end, END_INDEX)), load<u32>(end, END_STAGING), load<u32>(end, END_SLOT_BYTES))\n"
/** ORDER lane-merge is for data that are read before one knows whether they are there: by plain accesses that is a race. */
const ORDERS_NO_PLAIN_DATA =
  "it orders what is written before a signal that merges, which a waiter can only look for by atomic loads; in one order of all steps those see it anyhow"

export const MUTANTS: readonly Mutant[] = [
  {
    path: producer,
    from: `${COPY}  return commit(end, 1)`,
    to: `  const done = commit(end, 1)\n${COPY.replace("load<u32>(end, END_INDEX)", "load<u32>(end, END_INDEX) - 1")}  return done`,
    what: "publishes before the payload is written",
  },
  {
    path: producer,
    from: "atomic.store<u32>(load<u32>(end, END_INDEX_WORD), <u32>next)",
    to: "store<u32>(load<u32>(end, END_INDEX_WORD), <u32>next)",
    what: "writeIndex stored plainly",
  },
  {
    path: producer,
    from: "atomic.store<u32>(word, <u32>first + 1)",
    to: "store<u32>(word, <u32>first + 1)",
    what: "sequence stored plainly",
  },
  {
    path: producer,
    from: "if (capacity - (index - seen) >= count)",
    to: "if (capacity - (index - seen) + 1 >= count)",
    what: "room for one more than the capacity, by what was seen",
  },
  {
    path: consumer,
    from: "atomic.store<u32>(load<u32>(end, END_INDEX_WORD), index)",
    to: "store<u32>(load<u32>(end, END_INDEX_WORD), index)",
    what: "readIndex stored plainly",
  },
  {
    path: consumer,
    from: "return peer == index ? RESULT_NONE : RESULT_DONE",
    to: "return RESULT_DONE",
    what: "reads a slot that is not published",
  },
  {
    path: consumer,
    from: "const index = load<u64>(end, END_INDEX) + count",
    to: "giveBack(end)\n  const index = load<u64>(end, END_INDEX) + count + 1",
    what: "releases one slot too many",
  },
  {
    path: consumer,
    from: "  store<u32>(end, index, END_RELEASED)\n  return published(end)",
    to: "  store<u32>(end, index, END_RELEASED)\n  return RESULT_DONE",
    what: "gives back and wakes nobody",
  },
  {
    path: sleep,
    from: "(sleep & 1) == 0 || sleep == load<u32>(woken)",
    to: "(sleep & 1) == 0 || load<u32>(woken) != 0",
    what: "wakes a peer from its first sleep only",
  },
  {
    path: producer,
    from: "  store<u64>(end, next, END_INDEX)\n  return published(end)",
    to: "  store<u64>(end, next, END_INDEX)\n  return RESULT_DONE",
    what: "publishes and wakes nobody",
  },
  {
    path: signaller,
    from: "which loads the lane.\n  atomic.store<u64>(lane, value)",
    to: "which loads the lane.\n  store<u64>(lane, value)",
    what: "lane stored plainly",
  },
  {
    path: signaller,
    from: "? RESULT_DONE_WAKE : RESULT_DONE",
    to: "? RESULT_DONE : RESULT_DONE",
    what: "signals and wakes nobody",
  },
  {
    path: signaller,
    from: "if (taken != 0)",
    to: "if (false)",
    what: "a signal that merges does not look whether the bit was taken meanwhile",
    equivalent: ORDERS_NO_PLAIN_DATA,
  },
  {
    path: signaller,
    from: "const taken = merged & ~(value ^ atomic.load<u64>(ack))",
    to: "const taken = merged & ~(value ^ load<u64>(ack))",
    what: "the acknowledgement looked at again by a plain load",
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
    from: "atomic.store<u64>(load<u32>(waiter + index * 4, WAITER_ACKS), value, ACK_VALUE)",
    to: "store<u64>(load<u32>(waiter + index * 4, WAITER_ACKS), value, ACK_VALUE)",
    what: "acknowledgement stored plainly",
  },
  {
    path: wait,
    from: "result = attempt(1)\n      if (result === RESULT_NONE) sleep(",
    to: "if (result === RESULT_NONE) sleep(",
    what: "no second look after the sleep was announced",
    equivalent:
      "the futex compares each word with what was seen before the announcement, so it looks once more itself; only a broadcast's consumer sleeps on another word than it looks at",
  },
  {
    path: wait,
    from: "      sleeper.announce()\n",
    to: "",
    what: "sleeps unannounced",
  },
  {
    path: "src/ring/sleep-number.ts",
    from: "((this.#number | SLEEP_BITS) + 1) | how",
    to: "this.#number | how",
    what: "every sleep has the same number",
  },
  {
    path: "src/ring/ring-end.ts",
    from: "words[at + 1] = this.field(END_PEER_INDEX)",
    to: "words[at + 1] = this.#vspace.loadWord(words[at] as number)",
    what: "sleeps on the word as it is, not as it was seen",
  },
]
