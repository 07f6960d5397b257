// capability-steps.ts: the constants of Test 4 that both sides share, and how a refusal is looked at.

import { KernelError, Permission, Right } from "../runtime/index.ts"

/** Slots of the consumer that the producer fills while both run. */
export const Granted = { readOnly: 120, ring: 121 } as const

/** Slots of the producer for its copies. */
export const Own = { copy: 110, derived: 111, moved: 112, excess: 113 } as const

export const READ_WRITE = Permission.read | Permission.write
export const READ_RIGHT = Right.read
export const RING_RIGHTS = Right.read | Right.write

/** Messages that the consumer takes before the producer revokes its grant. */
export const ITEMS_BEFORE_REVOKE = 10_000

/** The code that a syscall was refused with, "ok" when it was not. */
export function outcomeOf(work: () => unknown): string {
  try {
    work()
    return "ok"
  } catch (error) {
    if (error instanceof KernelError) return error.code
    throw error
  }
}
