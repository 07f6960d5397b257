// equivalent-mutants.ts: mutants by rule that are no fault in any schedule of the cases that there are, and why.

export interface Equivalent {
  /** In src/ring or src/ring/wasm. */
  readonly file: string
  readonly within: string
  /** What stands there and what it becomes, as scripts/ring-mutants.ts writes them; and the how manieth of its kind it is. */
  readonly changes: readonly (readonly [from: string, to: string, nth?: number])[]
  readonly reason: string
}

const HOW_OFTEN = "it only changes how often a spin looks before it ends"
const MERGED =
  "it orders what is written before a signal that merges, which a waiter can only look for by atomic loads; in one order of all steps those see it anyhow"

export const EQUIVALENT: readonly Equivalent[] = [
  {
    file: "producer.ts",
    within: "askAhead",
    changes: [
      ["((first ^ next) & group) == 0", "((first ^ next) & group) != 0"],
      [
        "start - load<u32>(end, END_PEER_INDEX) > load<u32>(end, END_CAPACITY) - ahead",
        "start - load<u32>(end, END_PEER_INDEX) >= load<u32>(end, END_CAPACITY) - ahead",
      ],
      ["at < to", "at <= to"],
      ["at < to", "at >= to"],
    ],
    reason:
      "it asks elsewhere, less, or in groups longer than these rings' for one word more: test/unit/ring/ask-ahead.test.ts finds it",
  },
  {
    file: "consumer.ts",
    within: "awaitItems",
    changes: [["load<u32>(end, END_PEER_INDEX) - index < max", "load<u32>(end, END_PEER_INDEX) - index <= max"]],
    reason: "one look more at an index that is far enough already",
  },
  {
    file: "record-producer.ts",
    within: "stageRecord",
    changes: [["to <= <usize>RESULT_LAST", "to < <usize>RESULT_LAST"]],
    reason: "the last result is a consumer's: claimRecord() never has it",
  },
  {
    file: "record-consumer.ts",
    within: "awaitRecord",
    changes: [
      ["atomic.load<u32>(slotAt(end, index))", "load<u32>(slotAt(end, index))"],
      ["atomic.load<u32>(slotAt(end, index + at))", "load<u32>(slotAt(end, index + at))"],
    ],
    reason:
      "the index orders a head like all that is published; atomic it is so that no compiler loads it twice, from a producer that changes it",
  },
  {
    file: "record-consumer.ts",
    within: "awaitRecord",
    changes: [["rest >= published", "rest > published"]],
    reason: "padding with nothing behind it is refused by the next check, of the record's length",
  },
  {
    file: "record-consumer.ts",
    within: "popRecord",
    changes: [["bytes > load<u32>(end, END_STAGING_BYTES)", "bytes >= load<u32>(end, END_STAGING_BYTES)"]],
    reason: "room for more is made one record earlier than needed",
  },
  {
    file: "signaller.ts",
    within: "signal",
    changes: [
      ["merged != 0", "merged == 0"],
      ["taken != 0", "taken == 0"],
    ],
    reason: MERGED,
  },
  {
    file: "waiter.ts",
    within: "takeLane",
    changes: [
      [
        "atomic.load<u64>(kernelPart + index * 8, NOTIFICATION_BADGES)",
        "load<u64>(kernelPart + index * 8, NOTIFICATION_BADGES)",
      ],
    ],
    reason: "ordered by the lane before and by the acknowledgement behind it",
  },
  {
    file: "sleep.ts",
    within: "mustWake",
    changes: [
      ["(sleep & 1) == 0 || sleep == load<u32>(woken)", "(sleep & 1) == 0"],
      ["(sleep & 1) == 0 || sleep == load<u32>(woken)", "sleep == load<u32>(woken)"],
    ],
    reason: "a wake-up too many, which costs a system call",
  },
  {
    file: "slot.ts",
    within: "copy",
    changes: [["bytes >= 64", "bytes > 64"]],
    reason: "the last 64 bytes are copied by eights",
  },
  {
    file: "slot.ts",
    within: "pause",
    changes: [["atomic.xchg<u32>(end + END_PAUSE, 0)", "0"]],
    reason: "it keeps a processor from running ahead, which is time and no order: decision 0016",
  },
  {
    file: "wait.ts",
    within: "until",
    changes: [
      ["now >= deadline", "now > deadline"],
      ["!this.#park || now < parkAt", "!this.#park"],
      ["now < parkAt", "now <= parkAt"],
    ],
    reason: HOW_OFTEN,
  },
  {
    file: "wait.ts",
    within: "until",
    changes: [
      ["workers > 0", "workers >= 0"],
      ["workers > 0", "workers <= 0"],
    ],
    reason: "it is for the daemon, which tells of a standstill: no end reads it",
  },
  {
    file: "wait.ts",
    within: "wakeSleeper",
    changes: [["!inLoop || bell === undefined", "!inLoop"]],
    reason: "who has no bell has no peer that sleeps in its event loop",
  },
]
