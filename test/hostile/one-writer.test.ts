// one-writer.test.ts: what an end of a channel or a notification can write, read and forge: its own part and no more.

import t from "tap"
import { runFixture } from "../helpers/system.ts"

/** What a store to a page ends as that the component has mapped for reading, through the capability in `slot`. */
function readOnly(slot: number, object: string): object {
  return {
    name: "PageFault",
    access: "write",
    capability: slot,
    message: new RegExp(`write at 0x[0-9a-f]+, which lies in ${object} \\d+, mapped r; slot ${slot} has rights`),
  }
}

const notMapped = { name: "PageFault", access: "read", message: /not mapped/ }
const refused = { name: "KernelError", code: "IllegalOperation" }
const asSignaller = {
  forge: "done",
  signalForeignBit: refused,
  readAck: "done",
  writeAck: readOnly(102, "notification"),
  readNextLane: notMapped,
  wait: refused,
  attachAsWaiter: refused,
}

t.test("each memory of a channel and a notification has one writer", async t => {
  const { code, stderr, reports } = await runFixture(t, "one-writer-root", ["one-writer-end"])
  t.equal(code, 0, stderr)
  const [{ signaller, producer, consumer }] = reports as [Record<string, { kind: string; report: unknown }>]

  t.match(signaller, { kind: "reported", report: asSignaller }, "a signaller writes its lane and nothing else")
  t.match(
    producer,
    {
      kind: "reported",
      report: {
        push: "pushed",
        writeOwnSlot: "done",
        readReadIndex: "done",
        writeReadIndex: readOnly(101, "frame"),
        signals: asSignaller,
      },
    },
    "a producer writes slots, its index and its lane",
  )
  t.match(
    consumer,
    {
      kind: "reported",
      report: {
        readSlot: "done",
        writeSlot: readOnly(100, "frame"),
        writeWriteIndex: readOnly(100, "frame"),
        exchangeWriteIndex: { name: "RuntimeError" },
        writeOwnPart: "done",
        message: "kept",
        taken: 3,
        left: 0,
        signal: refused,
        writeKernelPart: readOnly(102, "notification"),
        readLane: "done",
        writeLane: readOnly(102, "notification"),
        writeAck: "done",
        readUnusedLane: notMapped,
      },
    },
    "a consumer writes its index and its acknowledgements; the bits of the dead arrive, forged ones do not",
  )
})
