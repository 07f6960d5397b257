// catalogue.ts: every case by its name. The compiler sees to it that none is missing.

import type { CASE_NAMES } from "../../protocols/conformance.ts"
import { CNODE_OPERATIONS } from "./cases/cnode-operations.ts"
import { DERIVATION } from "./cases/derivation.ts"
import { FRAMES } from "./cases/frames.ts"
import { MEMORY_SYSCALLS } from "./cases/memory-syscalls.ts"
import { RETYPE } from "./cases/retype.ts"
import { REVOKE } from "./cases/revoke.ts"
import { SLOT_SYSCALLS } from "./cases/slot-syscalls.ts"
import { SYNCHRONISATION } from "./cases/synchronisation.ts"
import { THREADS } from "./cases/threads.ts"
import { UNKNOWN_SYSCALLS } from "./cases/unknown-syscalls.ts"
import type { Case } from "./kit.ts"

export const CASES: Readonly<Record<(typeof CASE_NAMES)[number], Case>> = {
  ...CNODE_OPERATIONS,
  ...DERIVATION,
  ...RETYPE,
  ...REVOKE,
  ...FRAMES,
  ...SYNCHRONISATION,
  ...THREADS,
  ...SLOT_SYSCALLS,
  ...MEMORY_SYSCALLS,
  ...UNKNOWN_SYSCALLS,
}
