// wire.ts: the attacker's own way to its control socket: any bytes, any descriptors.

import { type Fd, native } from "../../../native/index.ts"
import { BootFd } from "../../kernel-daemon/abi/boot.ts"
import { errorName } from "../../kernel-daemon/abi/errors.ts"
import { MAX_MESSAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import type { Component } from "../runtime/index.ts"

/** One attack: the same done rightly, which must succeed, and the attack itself. Each says what it got. */
export interface Attack {
  readonly rightly: (self: Component) => string
  readonly attack: (self: Component) => string
}

export const SUCCEEDS = "succeeds"

const ANSWER_MS = 10_000
const reply = new Uint8Array(MAX_MESSAGE_BYTES)

export function send(message: Uint8Array, fds: readonly Fd[] = []): boolean {
  return native.sendMessage(BootFd.control, message, fds)
}

/** "succeeds", or the name of the refusal. The reply stays in `lastReply`. @throws {NativeError} ETIMEDOUT: no answer */
export function answer(): string {
  const bytes = native.waitMessage(BootFd.control, reply, ANSWER_MS)
  if (bytes < 8) return `a reply of ${bytes} bytes`
  const status = new DataView(reply.buffer).getUint32(4, true)
  return status === 0 ? SUCCEEDS : (errorName(status) ?? `status ${status}`)
}

export function exchange(message: Uint8Array): string {
  if (!send(message)) return "the socket is full"
  return answer()
}

/** The callId of the last reply. */
export function lastCallId(): number {
  return new DataView(reply.buffer).getUint32(0, true)
}

/** Each outcome once, in alphabetical order. */
export function distinct(outcomes: readonly string[]): string {
  return [...new Set(outcomes)].sort().join(", ")
}
