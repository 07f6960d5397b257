// system.ts: syscalls that concern no object: yield, debug_print, shutdown.

import { utf8Bytes } from "../abi/codec.ts"
import { KernelError } from "../abi/errors.ts"
import { MAX_PRINT_BYTES } from "../abi/limits.ts"
import type { Args, Result } from "../abi/syscalls.ts"
import { shutDown } from "./component-end.ts"
import { BLOCKED, type Caller } from "./outcome.ts"
import { type KernelState, ROOT_TASK } from "./state.ts"

/** yield: lets others run, which the way to the kernel and back has done. */
export function yieldProcessor(): Result<"yield"> {
  return {}
}

/**
 * debug_print: writes text to the daemon's output, under the component's name.
 * @throws {KernelError} RangeError: more than MAX_PRINT_BYTES in UTF-8
 */
export function debugPrint(
  state: KernelState,
  { component }: Caller,
  { text }: Args<"debug_print">,
): Result<"debug_print"> {
  const bytes = utf8Bytes(text)
  if (bytes > MAX_PRINT_BYTES) {
    throw new KernelError(
      "RangeError",
      `text has ${bytes} bytes, at most ${MAX_PRINT_BYTES} are printed at once: split it`,
    )
  }
  state.emit({ kind: "print", component: component.id, text })
  return {}
}

/**
 * shutdown: kills every other component and ends the system, as a success.
 * @throws {KernelError} IllegalOperation: the caller is not the root task
 */
export function shutdown(state: KernelState, { component, callId }: Caller): typeof BLOCKED {
  if (component.id !== ROOT_TASK) {
    throw new KernelError(
      "IllegalOperation",
      `component ${component.id} is not the root task, which alone can shut down`,
    )
  }
  // Answered before the effects that leave nobody to answer.
  state.answer("shutdown", component.id, callId, {})
  shutDown(state, true)
  return BLOCKED
}
