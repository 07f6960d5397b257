// refusal.ts: what Linux refused, as the kernel and the callers of syscalls are told.

import { KernelError } from "../abi/errors.ts"
import type { AcquireEffect } from "../invocation/effects.ts"

/** What `work` threw. */
export function refusalOf(work: () => void): Error | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return error as Error
  }
}

/** What Linux refused, as the caller of the syscall should read it. */
export function refusal(effect: AcquireEffect, error: Error): KernelError {
  if (error instanceof KernelError) return error
  const what = {
    "create-memory": "allocate memory",
    map: "map",
    "map-all": "map",
    "clear-lane": "reuse a lane",
    "seal-memory": "seal memory",
    "copy-memory": "copy memory",
    "hang-bell": "hand over an eventfd",
    "take-bells": "take an eventfd back",
    unmap: "unmap",
    "prove-unmapped": "prove",
    spawn: "spawn",
  }[effect.kind]
  return new KernelError("NotEnoughMemory", `Cannot ${what}: ${error.message}`, { cause: error })
}
