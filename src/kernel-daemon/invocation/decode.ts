// decode.ts: a message's bytes become a call with typed arguments, or a refusal. Nothing is looked up yet.

import { decodeArgs, decodeHeader, HEADER_BYTES } from "../abi/codec.ts"
import { KernelError } from "../abi/errors.ts"
import type { Args, SyscallName } from "../abi/syscalls.ts"

export type Call = { [N in SyscallName]: { readonly name: N; readonly args: Args<N> } }[SyscallName]

/** The callId of a message, 0 where it is too short to have one. */
export function callIdOf(message: Uint8Array): number {
  return message.length < HEADER_BYTES ? 0 : decodeHeader(message).callId
}

/** Which syscall it asks for; 0, which is none, where it is too short to say. */
export function syscallNumberOf(message: Uint8Array): number {
  return message.length < HEADER_BYTES ? 0 : decodeHeader(message).number
}

/**
 * @throws {KernelError} InvalidArgument: the number is no syscall's
 * @throws {KernelError} TruncatedMessage, RangeError, InvalidArgument: as codec.ts says
 */
export function decodeCall(message: Uint8Array): Call {
  const { name, number } = decodeHeader(message)
  if (name === undefined) {
    throw new KernelError("InvalidArgument", `syscall number 0x${number.toString(16)} is unknown: see abi/syscalls.ts`)
  }
  return { name, args: decodeArgs(name, message) } as Call
}
