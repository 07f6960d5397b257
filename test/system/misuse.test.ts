// misuse.test.ts: what ends are used for and cannot do is refused with a typed error, and costs neither a message nor an end.

import t, { type Test } from "tap"
import { runFixture } from "../helpers/system.ts"

interface Outcome {
  readonly code: string
  readonly message: string
}

type Expected = readonly (readonly [name: string, code: string, message: RegExp])[]

const WAIT = /options are null: pass an object with signal and deadlineNs/
const NO_TIME = /timeoutNs is 5, which must be a number|deadlineNs is 5, which must be a number/
const NO_SIGNAL = /signal is of type (string|object), which must be an AbortSignal/

const SENDS: Expected = [
  ["wait strategy null", "InvalidArgument", /options are null.*spinNs/],
  ["wait strategy number", "InvalidArgument", /options are a number.*spinNs/],
  ["spinNs text", "InvalidArgument", /wait.spinNs is 5, which must be a number/],
  ["checkNs text", "InvalidArgument", /wait.checkNs is 5, which must be a number/],
  ["slot text", "InvalidArgument", /slot/],
  ["slot missing", "InvalidArgument", /slot/],
  ["broadcast of too many", "InvalidArgument", /consumers are 1000000000, which must be 1 to 63/],
  ["broadcast of none", "InvalidArgument", /consumers are undefined, which must be 1 to 63/],
  ["client without inFlight", "InvalidArgument", /inFlight is undefined, which must be a power of two/],
  ["client with inFlight 3", "InvalidArgument", /inFlight is 3, which must be a power of two/],
  ["worker without ends", "InvalidArgument", /options are missing.*jobs/],
  ["worker with options null", "InvalidArgument", /options are null.*privateBytes/],
  ["worker with an end that is no list", "InvalidArgument", /end of jobs is producer, which must be a list/],
  ["worker with an end of nothing", "InvalidArgument", /slot/],
  ...["ring", "records"].flatMap(
    (name): Expected => [
      [`${name}: push with options null`, "InvalidArgument", WAIT],
      [`${name}: push with a time that is text`, "InvalidArgument", NO_TIME],
      [`${name}: push with a signal that is none`, "InvalidArgument", NO_SIGNAL],
      [`${name}: push of text`, "InvalidArgument", /(message|record) is of type string, which must be Uint8Array/],
      [`${name}: push of too much`, "RangeError", /1000 bytes/],
      [`${name}: pushMany of nothing`, "InvalidArgument", /(messages|records) is of type undefined/],
      [`${name}: pushMany of null`, "InvalidArgument", /(messages|records) is of type null/],
      [`${name}: pushMany of an empty list`, "RangeError", /batch is 0/],
      [`${name}: pushMany of text`, "InvalidArgument", /(message|record) is of type string/],
    ],
  ),
  ...["policy", "news"].flatMap(
    (name): Expected => [
      [`${name}: push of text`, "InvalidArgument", /message is of type string/],
      [`${name}: push of text, awaited`, "InvalidArgument", /message is of type string/],
    ],
  ),
  ["typed: number for a bigint", "InvalidArgument", /number is of type u64 and given 1, a number: a bigint is needed/],
  ["typed: text for a number", "InvalidArgument", /price is of type f64 and given 1, a string: a number is needed/],
  ["typed: nothing for an array", "InvalidArgument", /tag is an array of 2 u8, and given undefined/],
  ["typed: number for an array", "InvalidArgument", /tag is an array of 2 u8, and given 5/],
  ["typed: array of text", "InvalidArgument", /tag is of type u8 and given a, a string/],
  ["typed: array too long", "RangeError", /tag has 2 elements, given are 3/],
  ["typed: no such field", "InvalidArgument", /no field prize; it has number, price, tag/],
  ["typed: null", "InvalidArgument", /options are null.*fields/],
  ["packed: a function", "InvalidArgument", /cannot be packed/],
  ["typed: closed, a field", "IllegalOperation", /price belongs to a message.*closed/],
  ["files: send with options null", "InvalidArgument", WAIT],
  ["files: send of text", "InvalidArgument", /payload is of type string/],
  ["files: commit of nothing", "IllegalOperation", /claim\(\) first/],
  ["files: commit of too much", "RangeError", /4097 bytes.*0 to 4096/],
  ["files: commit of text", "RangeError", /5 bytes/],
  ["files: closed, commit", "IllegalOperation", /claim\(\) first/],
  ["service: call with a number", "InvalidArgument", /options are a number.*timeoutNs/],
  ["service: call with null", "InvalidArgument", /options are null.*timeoutNs/],
  ["service: call that blocks with a signal", "InvalidArgument", /timeoutNs, which blocks, beside signal/],
  ["service: call with a time that is text", "InvalidArgument", NO_TIME],
  ["service: call of text", "InvalidArgument", /payload is of type string/],
  ["service: receive of no call", "InvalidArgument", /call is 77/],
  ["service: receive with a number", "InvalidArgument", /options are a number/],
  ["service: receive with null", "InvalidArgument", /options are null/],
]

const RECEIVES: Expected = [
  ["merge of too many", "RangeError", /producers is 1000000000, which must be 1 to 42/],
  ["merge of half of one", "RangeError", /producers is 0.5, which must be 1 to 42/],
  ["merge of nobody knows how many", "RangeError", /producers is undefined/],
  ["merge with options null", "InvalidArgument", /options are null.*budget/],
  ["server of too many", "RangeError", /clients is 1000000000, which must be 1 to 42/],
  ["server with options null", "InvalidArgument", /options are null.*budget/],
  ...["ring", "records", "policy", "merge", "news"].flatMap(
    (name): Expected => [
      [`${name}: pop with null`, "InvalidArgument", WAIT],
      [`${name}: pop with text`, "InvalidArgument", NO_TIME],
      [`${name}: pop with a deadline that is text`, "InvalidArgument", NO_TIME],
      [`${name}: pop with a signal that is none`, "InvalidArgument", NO_SIGNAL],
    ],
  ),
  ["notification with options null", "InvalidCapability", /./],
  ["files: receive with null", "InvalidArgument", WAIT],
  ["files: borrow with null", "InvalidArgument", WAIT],
  ["files: receive into text", "InvalidArgument", /into is of type string/],
  ["files: receive into words", "InvalidArgument", /into is of type Uint32Array/],
  ["files: receive into too little", "RangeError", /payload has 2 bytes, into holds 1/],
  ["files: release twice", "IllegalOperation", /released/],
  ["files: bytes after the release", "IllegalOperation", /released/],
  ["service: next with null", "InvalidArgument", WAIT],
  ["service: serve without a handler", "InvalidArgument", /handler is of type undefined, which must be a function/],
  ["service: serve with an object", "InvalidArgument", /handler is of type object/],
  ["service: serve with null", "InvalidArgument", WAIT],
  ["service: reply to nothing", "InvalidArgument", /options are missing.*client and call/],
  ["service: reply to no client", "RangeError", /client is 7, which must be 0 to 0/],
  ["service: reply of text", "InvalidArgument", /payload is of type string/],
  ["service: reply of too much", "RangeError", /9 bytes/],
]

const SENDS_WELL = {
  "good: ring: push": "pushed",
  "good: ring: closed": "closed",
  "good: records: closed": "closed",
  "good: typed: nothing was changed": "7",
  "good: typed: an array of bytes": "pushed",
  "good: typed: closed": "closed",
  "good: packed: closed": "closed",
  "good: typed: its heir is as it was": "true",
  "good: files: send": "sent",
  "good: files: closed": "closed",
  "good: files: closed, claim": "undefined",
  "good: files: its heir's are as they were": "true",
  "good: files: its heir sends": "sent",
  "good: service: call": "2",
  "good: news: closed": "closed",
  "good: news: what has its memory now is as it was": "true",
}

const RECEIVES_WELL = { "good: files: receive": "1,2", "good: merge: pop": "object", "good: service: reply": "replied" }

function judge(t: Test, outcomes: Record<string, Outcome>, expected: Expected, well: Record<string, string>): void {
  for (const [name, code, message] of expected) t.match(outcomes[name], { code, message }, name)
  for (const [name, message] of Object.entries(well)) t.match(outcomes[name], { code: "ok", message }, name)
  const good = Object.keys(outcomes).filter(name => name.startsWith("good: "))
  for (const name of good) t.equal(outcomes[name]?.code, "ok", `${name} ${outcomes[name]?.message}`)
  t.equal(Object.keys(outcomes).length, expected.length + good.length, "every use was made")
}

t.test("ends are misused between two components", async t => {
  const { code, reports, stderr } = await runFixture(t, "misuse")
  t.equal(code, 0, stderr)
  const [sends, receives] = reports as { report: Record<string, Outcome> }[]
  judge(t, sends?.report ?? {}, SENDS, SENDS_WELL)
  judge(t, receives?.report ?? {}, RECEIVES, RECEIVES_WELL)
})
