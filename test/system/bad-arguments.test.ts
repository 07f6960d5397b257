// bad-arguments.test.ts: each refusal is typed, names the argument, its value and the limit, and changes nothing.

import t from "tap"
import { runFixture } from "../helpers/system.ts"

t.test("requests that the kernel or the ring must refuse", async t => {
  const { code, reports, stderr } = await runFixture(t, "bad-arguments", ["idle"])
  const outcomes = new Map(
    (reports as { name: string; code: string; message: string }[]).map(({ name, code, message }) => [
      name,
      { code, message },
    ]),
  )
  const expected: [name: string, code: string, message: RegExp][] = [
    ["unknown component", "FailedLookup", /"no-such"/],
    ["component name with a slash", "InvalidArgument", /\.\.\/idle/],
    ["child slot out of range", "RangeError", /256/],
    ["child slot twice", "DeleteFirst", /100/],
    ["source slot empty", "FailedLookup", /200/],
    ["pid unknown", "FailedLookup", /999/],
    ["size 0", "InvalidArgument", /0/],
    ["size no multiple of a page", "AlignmentError", /100.*4096|4096.*100/],
    ["size beyond the frame", "RangeError", /8192.*4096/],
    ["size beyond the VSpace", "RangeError", /1099511627776/],
    ["permission execute", "InvalidArgument", /execut|rwx/],
    ["permission bits unknown", "InvalidArgument", /9/],
    ["frame slot empty", "FailedLookup", /200/],
    ["frame slot out of range", "FailedLookup", /256/],
    ["frame slot holds a notification", "InvalidCapability", /[Nn]otification/],
    ["target slot occupied", "DeleteFirst", /102|101/],
    ["permissions beyond the frame's rights", "IllegalOperation", /w/],
    ["allocate 0 bytes", "InvalidArgument", /0/],
    ["allocate more than there is", "NotEnoughMemory", /35184372088832/],
    ["attach a notification that is none", "InvalidCapability", /[Ff]rame|Page/],
    ["signal badge 0", "InvalidArgument", /0/],
    ["signal with a number", "InvalidArgument", /badge is 1, a number: a bigint is needed/],
    ["report of a bigint", "InvalidArgument", /value.*BigInt.*Number/],
    ["report of a function", "InvalidArgument", /value is a function/],
    ["spawn without options", "InvalidArgument", /options are missing.*componentName/],
    ["spawn with a capability that is no pair", "InvalidArgument", /capabilities\[0\] is a number/],
    ["spawn with a capability without a source", "InvalidArgument", /capabilities\[0\].*source/],
    ["call without arguments", "InvalidArgument", /memory_allocate.bytes must be a whole number/],
    ["call with null", "InvalidArgument", /arguments of memory_allocate are null.*bytes/],
    ["createChannel without options", "InvalidArgument", /options are missing.*capacity and slotBytes/],
    ["createRecordChannel without options", "InvalidArgument", /options are missing.*capacityBytes/],
    ["createPayloadChannel without options", "InvalidArgument", /options are missing.*bufferBytes/],
    ["createMerge without options", "InvalidArgument", /options are missing.*producers/],
    ["createBroadcast without options", "InvalidArgument", /options are missing.*consumers/],
    ["createPolicyChannel without options", "InvalidArgument", /options are missing.*policy/],
    ["createService without options", "InvalidArgument", /options are missing.*inFlight/],
    ["createBroadcast without consumers", "InvalidArgument", /consumers are undefined.*1 to 63/],
    ["createMerge of 0 producers", "RangeError", /producers is 0.*1 to 42/],
    ["argument that was not passed", "RangeError", /Argument 3.*passed 0/],
    ["map a channel as an end that is none", "InvalidArgument", /"wrong".*producer or consumer/],
    ["map a policy channel as an end that is none", "InvalidArgument", /"wrong".*producer or consumer/],
    ["map a payload channel as an end that is none", "InvalidArgument", /"wrong".*sender or receiver/],
    ["map a channel into no child", "InvalidArgument", /child is undefined.*spawnWithCaps/],
    ["map a policy channel into no child", "InvalidArgument", /child is undefined.*spawnWithCaps/],
    ["map a payload channel into no child", "InvalidArgument", /child is undefined/],
    ["client of a link that was revoked", "IllegalOperation", /revoked: create another/],
    ["server of a service that lacks one", "IllegalOperation", /revoked/],
    ["revoke no client's link", "RangeError", /Client 3.*0 to 2/],
    ["consumer of a link that was revoked", "IllegalOperation", /revoked/],
    ["revoke no consumer's link", "RangeError", /Consumer 2.*0 to 1/],
    ...["channel", "policy channel"].flatMap((name): [string, string, RegExp][] => [
      [`producer of a ${name} that was revoked`, "IllegalOperation", /revoked/],
      [`map a ${name} that was revoked`, "IllegalOperation", /revoked/],
    ]),
    ["start twice", "IllegalOperation", /start/],
    ["ring capacity no power of two", "InvalidArgument", /3/],
    ["ring larger than its frame", "RangeError", /4096/],
    ["attach to a frame without a ring", "NotARing", /magic/],
    ["be an end of a channel that is none", "NotARing", /magic/],
    ["be it again: the first one was not kept", "NotARing", /magic/],
    ["ring twice", "IllegalOperation", /already/],
    ["pid that has exited", "FailedLookup", /./],
  ]
  for (const [name, code, message] of expected) {
    t.match(outcomes.get(name), { code, message }, name)
  }
  for (const [name, { code, message }] of outcomes) {
    if (name.startsWith("good: ")) t.equal(code, "ok", `${name} ${message}`)
  }
  t.equal(outcomes.size, expected.length + 19, "every request was made")
  t.equal(code, 0, stderr)
})
