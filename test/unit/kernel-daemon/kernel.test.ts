// kernel.test.ts: messages that are no calls, callers that are none, and tokens that are used up.

import t from "tap"
import { decodeReply, encodeRequest } from "../../../src/kernel-daemon/abi/codec.ts"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { Syscalls } from "../../../src/kernel-daemon/abi/syscalls.ts"
import type { CommitEffect } from "../../../src/kernel-daemon/invocation/effects.ts"
import { Kernel } from "../../../src/kernel-daemon/invocation/kernel.ts"
import { ROOT, TestKernel } from "../../helpers/kernel.ts"

/** A request's header without arguments. */
function header(number: number, callId: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setUint32(0, number, true)
  new DataView(bytes.buffer).setUint32(4, callId, true)
  return bytes
}

function reply(effects: readonly CommitEffect[]): CommitEffect & { kind: "reply" } {
  const [effect] = effects
  if (effect?.kind !== "reply") throw new Error(`no reply, but ${effect?.kind}`)
  return effect
}

t.test("invoke() refuses what is no call, and the caller lives", async t => {
  const k = new TestKernel()
  const whole = encodeRequest("memory_allocate", 7, { bytes: 1 })
  for (const [what, message, expected, callId] of [
    ["a call", header(Syscalls.yield.number, 7), "ok", 7],
    ["an unknown number", header(0x7fff, 7), "InvalidArgument", 7],
    ["0, which is none", header(0, 7), "InvalidArgument", 7],
    ["nothing", new Uint8Array(0), "TruncatedMessage", 0],
    ["half a header", new Uint8Array(7), "TruncatedMessage", 0],
    ["a cut call", whole.subarray(0, 12), "TruncatedMessage", 7],
    ["a call with a tail", new Uint8Array([...whole, 0]), "InvalidArgument", 7],
  ] as const) {
    const invocation = k.kernel.invoke(ROOT, message)
    t.strictSame(invocation.acquire, [], what)
    const answer = reply(invocation.commit())
    t.equal(answer.callId, callId)
    const read = () => decodeReply("yield", answer.message)
    if (expected === "ok") t.strictSame(read().result, {})
    else t.throws(read, { code: expected })
  }
  t.equal(k.outcome(ROOT, "yield", {}), "ok")
})

t.test("invoke() does nothing for who does not live", async t => {
  const k = new TestKernel()
  const { pid } = k.spawn()
  const message = encodeRequest("memory_allocate", 1, { bytes: 1 })
  t.equal(k.kernel.invoke(99, message).commit().length, 0)
  k.end(pid)
  t.equal(k.kernel.invoke(pid, message).commit().length, 0)
  t.equal(reply(k.kernel.invoke(ROOT, header(Syscalls.yield.number, 1)).commit()).component, ROOT)
})

t.test("continue() takes a token once", async t => {
  const k = new TestKernel()
  t.strictSame(k.kernel.continue(1).commit(), [], "one that was never given")
})

t.test("names are known of the living, and of the dead as long as a TCB capability remembers them", async t => {
  const k = new TestKernel()
  const { pid, tcb } = k.spawn()
  k.end(pid)
  t.equal(k.kernel.componentName(pid), "child")
  t.strictSame(k.kernel.components(), [
    { id: ROOT, name: "root-task", state: "running" },
    { id: pid, name: "child", state: "ended" },
  ])
  k.delete(ROOT, tcb)
  t.equal(k.kernel.componentName(pid), `component ${pid}`)
})

t.test("a root task that does not boot shuts the system down as a failure", async t => {
  const effects = new Kernel().boot("nothing", []).refuse(new KernelError("FailedLookup", "no such component"))
  t.strictSame(effects, [{ kind: "shutdown", ok: false }])
})
