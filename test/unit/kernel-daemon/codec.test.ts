// codec.test.ts: requests and replies survive the wire, and no bytes do harm.

import assert from "node:assert/strict"
import fc from "fast-check"
import t from "tap"
import {
  decodeArgs,
  decodeHeader,
  decodeReply,
  encodeRefusal,
  encodeReply,
  encodeRequest,
  rawResult,
} from "../../../src/kernel-daemon/abi/codec.ts"
import { KernelError, type KernelErrorName, RAW_REFUSED } from "../../../src/kernel-daemon/abi/errors.ts"
import { MAX_MESSAGE_BYTES } from "../../../src/kernel-daemon/abi/limits.ts"
import {
  type Args,
  type FieldKind,
  type Fields,
  type Result,
  type SyscallName,
  Syscalls,
} from "../../../src/kernel-daemon/abi/syscalls.ts"

const kinds: Record<FieldKind, fc.Arbitrary<unknown>> = {
  index: fc.nat(0xffff_ffff),
  size: fc.maxSafeNat(),
  word: fc.bigInt({ min: 0n, max: RAW_REFUSED }),
  text: fc.string({ unit: "grapheme", maxLength: 100 }),
  blob: fc.uint8Array({ maxLength: 100 }),
  sizes: fc.array(fc.maxSafeNat(), { maxLength: 20 }),
}

function valuesOf(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(Object.entries(fields).map(([key, kind]) => [key, kinds[kind]])))
}

const names = Object.keys(Syscalls) as SyscallName[]
const calls = fc
  .constantFrom(...names)
  .chain(name => fc.record({ name: fc.constant(name), callId: kinds.index, args: valuesOf(Syscalls[name].args) }))
const results = fc
  .constantFrom(...names)
  .chain(name => fc.record({ name: fc.constant(name), callId: kinds.index, result: valuesOf(Syscalls[name].result) }))

/** The code of the KernelError that `run` throws, "ok" when it throws nothing; anything else is thrown on. */
function outcome(run: () => unknown): "ok" | KernelErrorName {
  try {
    run()
    return "ok"
  } catch (error) {
    if (error instanceof KernelError) return error.code
    throw error
  }
}

t.test("encodeRequest() and decodeArgs() are inverse for every syscall", async t => {
  fc.assert(
    fc.property(calls, ({ name, callId, args }) => {
      const bytes = encodeRequest(name, callId as number, args as Args<SyscallName>)
      assert.deepEqual(decodeHeader(bytes), { number: Syscalls[name].number, name, callId })
      assert.deepEqual({ ...decodeArgs(name, bytes) }, { ...args })
    }),
  )
  t.pass("for any arguments")
})

t.test("encodeReply() and decodeReply() are inverse for every syscall", async t => {
  fc.assert(
    fc.property(results, ({ name, callId, result }) => {
      const decoded = decodeReply(name, encodeReply(name, callId as number, result as Result<SyscallName>))
      assert.equal(decoded.callId, callId)
      assert.deepEqual({ ...decoded.result }, { ...result })
    }),
  )
  t.pass("for any result")
})

t.test("encodeRequest() writes into a buffer of the caller's, whatever was there", async t => {
  const args = { componentName: "abc", arguments: [7], capabilities: [], priority: 1, confined: 1, tcb: 5, vspace: 6 }
  const into = new Uint8Array(MAX_MESSAGE_BYTES).fill(0xff)
  const bytes = encodeRequest("process_create", 5, args, into)
  t.equal(bytes.buffer, into.buffer)
  t.strictSame(bytes, encodeRequest("process_create", 5, args))
  t.equal(
    outcome(() => encodeRequest("process_create", 5, args, new Uint8Array(16))),
    "RangeError",
    "a buffer that is too small is refused",
  )
})

t.test("encodeRequest() refuses values that are not of their kind or range", async t => {
  const cases = [
    [4096, "ok"],
    [0, "ok"],
    [-1, "RangeError"],
    [2 ** 53, "RangeError"],
    [Number.POSITIVE_INFINITY, "RangeError"],
    [1.5, "InvalidArgument"],
    [Number.NaN, "InvalidArgument"],
    ["4096", "InvalidArgument"],
    [4096n, "InvalidArgument"],
    [null, "InvalidArgument"],
    [undefined, "InvalidArgument"],
  ] as const
  for (const [bytes, expected] of cases) {
    t.equal(
      outcome(() => encodeRequest("memory_allocate", 1, { bytes } as Args<"memory_allocate">)),
      expected,
      String(bytes),
    )
  }
  const text = (length: number) => outcome(() => encodeRequest("debug_print", 1, { text: "x".repeat(length) }))
  t.equal(text(MAX_MESSAGE_BYTES - 16), "ok")
  t.equal(text(MAX_MESSAGE_BYTES - 15), "RangeError", "longer than a message can be")
})

t.test("decodeArgs() refuses what is cut short, goes on too long, or is out of range", async t => {
  const whole = encodeRequest("process_create", 1, {
    componentName: "abc",
    arguments: [1, 2],
    capabilities: [3, 4, 5],
    priority: 6,
    confined: 1,
    tcb: 7,
    vspace: 8,
  })
  const decode = (bytes: Uint8Array) => outcome(() => decodeArgs("process_create", bytes))
  t.equal(decode(whole), "ok")
  for (let length = 0; length < whole.length; length++) {
    t.equal(decode(whole.subarray(0, length)), "TruncatedMessage", `${length} of ${whole.length} bytes`)
  }
  t.equal(decode(new Uint8Array([...whole, 0])), "InvalidArgument", "a byte too many")

  const changed = (at: number, ...bytes: number[]) => {
    const copy = whole.slice()
    copy.set(bytes, at)
    return decode(copy)
  }
  t.equal(changed(16, 0xff), "InvalidArgument", "text that is not UTF-8")
  t.equal(changed(20, 1), "InvalidArgument", "padding that is not zero")
  t.equal(changed(15, 0xff), "RangeError", "a length beyond 2^53")
  t.equal(changed(24, 0xff, 0xff, 0xff, 0xff), "TruncatedMessage", "a count that no message could hold")
  t.equal(changed(whole.length - 4, 1), "RangeError", "an index of 2^32")
})

t.test("decodeHeader(), decodeArgs() and decodeReply() throw nothing but KernelError on any bytes", async t => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    calls.map(({ name, args }) => encodeRequest(name, 1, args as Args<SyscallName>)),
  )
  fc.assert(
    fc.property(fc.constantFrom(...names), bytes, fc.nat(300), fc.nat(255), (name, message, at, value) => {
      const hostile = message.slice()
      if (at < hostile.length) hostile[at] = value
      outcome(() => decodeHeader(hostile))
      outcome(() => decodeArgs(name, hostile))
      outcome(() => decodeReply(name, hostile))
      outcome(() => rawResult(hostile))
    }),
    { numRuns: 2_000 },
  )
  t.pass("2,000 messages")
})

t.test("decodeReply() throws the refusal that encodeRefusal() wrote", async t => {
  const reply = encodeRefusal(9, new KernelError("DeleteFirst", "slot 4 is occupied: é"))
  t.throws(() => decodeReply("cap_copy", reply), { code: "DeleteFirst", message: "slot 4 is occupied: é" })
  const long = encodeRefusal(9, new KernelError("DeleteFirst", "é".repeat(MAX_MESSAGE_BYTES)))
  t.ok(long.length < MAX_MESSAGE_BYTES, "a refusal fits into a message, however long its text")
  const unknown = reply.slice()
  unknown[4] = 99
  t.equal(
    outcome(() => decodeReply("cap_copy", unknown)),
    "InvalidArgument",
    "an unknown status is nonsense",
  )
})

t.test("rawResult() is the first result word, 0 without one, all ones when refused", async t => {
  t.equal(rawResult(encodeReply("cap_allocate", 1, { slot: 100 })), 100n)
  t.equal(rawResult(encodeReply("yield", 1, {})), 0n)
  t.equal(rawResult(encodeRefusal(1, new KernelError("RangeError", "x".repeat(8)))), RAW_REFUSED)
})
