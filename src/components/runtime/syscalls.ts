// syscalls.ts: a component's way into the kernel: one message out, one back, synchronous as a trap is.

import { type Fd, native } from "../../../native/index.ts"
import { decodeReply, encodeRequest, rawResult } from "../../kernel-daemon/abi/codec.ts"
import { KernelError } from "../../kernel-daemon/abi/errors.ts"
import { MAX_MESSAGE_BYTES } from "../../kernel-daemon/abi/limits.ts"
import type { Args, Result, SyscallName } from "../../kernel-daemon/abi/syscalls.ts"

/** How long one call may block. The kernel answers or ends; a longer wait is another call. */
const CALL_TIMEOUT_MS = 0x7fff_ffff

export class Syscalls {
  readonly #fd: Fd
  readonly #reply = new Uint8Array(MAX_MESSAGE_BYTES)
  #nextCallId = 1

  constructor(controlFd: Fd) {
    this.#fd = controlFd
  }

  /**
   * Asks the kernel and waits for its answer. Blocks this thread.
   * @param name one of the table in abi/syscalls.ts, which says its arguments, results and refusals
   * @throws {KernelError} the kernel refused; nothing has changed. KernelGone: the daemon has ended
   *
   * Cost: a message each way over a socket, tens of microseconds; never used by push, pop, signal, wait or poll.
   */
  call<N extends SyscallName>(name: N, args: Args<N>): Result<N> {
    return decodeReply(name, this.#exchange(encodeRequest(name, this.#nextCallId++, args))).result
  }

  /** The same from bytes that the caller has made, as KaaL's raw form: the first result word, or all ones when refused. */
  callRaw(request: Uint8Array): bigint {
    return rawResult(this.#exchange(request))
  }

  #exchange(request: Uint8Array): Uint8Array {
    const bytes = native.callMessage(this.#fd, request, this.#reply, CALL_TIMEOUT_MS)
    if (bytes === 0) {
      throw new KernelError(
        "KernelGone",
        "The kernel daemon has ended; receive what was sent, and end: so does this process",
      )
    }
    return this.#reply.slice(0, bytes)
  }
}
