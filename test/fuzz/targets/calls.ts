// calls.ts: the decoder of system calls and that of replies, from bytes; and the kernel, which gets messages.

import {
  decodeReply,
  encodeRefusal,
  encodeReply,
  encodeRequest,
  HEADER_BYTES,
  rawResult,
} from "../../../src/kernel-daemon/abi/codec.ts"
import { KernelError } from "../../../src/kernel-daemon/abi/errors.ts"
import { ConventionSlot, FIRST_FREE_SLOT } from "../../../src/kernel-daemon/abi/limits.ts"
import { ObjectType } from "../../../src/kernel-daemon/abi/object-types.ts"
import {
  type Args,
  type FieldKind,
  type Fields,
  type Result,
  type SyscallName,
  Syscalls,
} from "../../../src/kernel-daemon/abi/syscalls.ts"
import { callIdOf, decodeCall } from "../../../src/kernel-daemon/invocation/decode.ts"
import { TestKernel } from "../../helpers/kernel.ts"
import { violations } from "../../helpers/kernel-invariants.ts"
import { snapshot } from "../../helpers/kernel-snapshot.ts"
import { Finding, type Target } from "../target.ts"

const NAMES = Object.keys(Syscalls) as SyscallName[]

/** A value of each kind. */
const VALUES: Record<FieldKind, unknown> = {
  index: FIRST_FREE_SLOT,
  size: 4_096,
  word: 3n,
  text: "näme",
  blob: Uint8Array.of(1, 2, 3),
  sizes: [FIRST_FREE_SLOT, FIRST_FREE_SLOT, 3],
}

/** What makes sense where the kind alone does not. */
const NAMED: Readonly<Record<string, unknown>> = {
  cnode: ConventionSlot.ownCNode,
  untyped: ConventionSlot.untyped,
  target: FIRST_FREE_SLOT + 20,
  permissions: 3,
  rights: 1,
  role: 0,
  type: ObjectType.Endpoint,
  sizeBits: 12,
  count: 1,
}

function valuesOf(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, kind]) => [key, NAMED[key] ?? VALUES[kind]]))
}

const requests = (): Uint8Array[] =>
  NAMES.map(name => encodeRequest(name, 7, valuesOf(Syscalls[name].args) as Args<typeof name>))

/** Runs it; a refusal in the kernel's words is undefined. */
function typed<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof KernelError) return undefined
    throw error
  }
}

const ABI = /kernel-daemon\/(abi|invocation)\//

export const requestTarget: Target = {
  name: "requests",
  sources: ABI,
  seeds: requests,
  run: input => {
    const call = typed(() => decodeCall(input))
    if (call === undefined) return
    const again = encodeRequest(call.name, callIdOf(input), call.args)
    if (Buffer.compare(again, input) !== 0) throw new Finding(`${call.name} has two encodings`)
  },
}

/** A reply behind the place of its call among all. */
export const replyTarget: Target = {
  name: "replies",
  sources: ABI,
  seeds: () =>
    NAMES.flatMap((name, at) => {
      const reply = encodeReply(name, 7, valuesOf(Syscalls[name].result) as Result<typeof name>)
      const refusal = encodeRefusal(7, new KernelError("RangeError", "too much"))
      return [Uint8Array.of(at, ...reply), Uint8Array.of(at, ...refusal)]
    }),
  run: input => {
    const name = NAMES[(input[0] ?? 0) % NAMES.length] as SyscallName
    const reply = input.subarray(1).slice()
    typed(() => rawResult(reply))
    const decoded = typed(() => decodeReply(name, reply))
    if (decoded === undefined) return
    const again = encodeReply(name, decoded.callId, decoded.result as Result<typeof name>)
    if (Buffer.compare(again, reply) !== 0) throw new Finding(`a reply to ${name} has two encodings`)
  },
}

const MOST_MESSAGES = 8

/** Messages, each behind a byte for who sends it and one for its length; the root task has some objects, and a child. */
export const kernelTarget: Target = {
  name: "kernel",
  sources: /kernel-daemon\/(abi|invocation|objects)\//,
  seeds: () => requests().flatMap(message => [framed(0, message), framed(1, message)]),
  run: input => {
    const kernel = new TestKernel()
    const root = [...kernel.state.components.keys()][0] as number
    const frame = kernel.frame()
    kernel.notification()
    const child = kernel.spawn(root, [FIRST_FREE_SLOT, frame, 7])
    const callers = [root, child.pid]
    let at = 0
    for (let count = 0; at + 2 <= input.length && count < MOST_MESSAGES; count++) {
      const [who = 0, length = 0] = input.subarray(at, at + 2)
      const caller = callers[who % 2] as number
      const message = input.slice(at + 2, at + 2 + length)
      at += 2 + length
      if (!kernel.state.components.has(caller)) return
      receive(kernel, caller, message)
    }
  },
}

function framed(who: number, message: Uint8Array): Uint8Array {
  return Uint8Array.of(who, message.length, ...message)
}

/** What is refused leaves all as it was; and whatever it was, the tables hold together. */
function receive(kernel: TestKernel, caller: number, message: Uint8Array): void {
  const before = snapshot(kernel.state).join("\n")
  const reply = kernel.receive(caller, message)
  const isRefused = reply !== undefined && reply.length >= HEADER_BYTES && (reply[4] !== 0 || reply[5] !== 0)
  if (isRefused && snapshot(kernel.state).join("\n") !== before)
    throw new Finding("a refused message changed something")
  const [violation] = violations(kernel.state)
  if (violation !== undefined) throw new Finding(violation)
}
