// perform.ts: which function performs which syscall.

import type { SyscallName } from "../abi/syscalls.ts"
import { objectAttach } from "./attach.ts"
import {
  capAllocate,
  capCopy,
  capDelete,
  capDerive,
  capGrant,
  capInsertInto,
  capMint,
  capMove,
  capRevoke,
} from "./capability.ts"
import { endpointCreate, memoryAllocate, notificationCreate, retype } from "./creation.ts"
import type { Call } from "./decode.ts"
import { explainAddress } from "./explain.ts"
import { memoryMap, memoryMapInto, memoryRemap, memoryShare, memoryUnmap } from "./memory.ts"
import type { Caller, Handler, Outcome } from "./outcome.ts"
import { processCreate, processDescribe, processKill, processStart } from "./process.ts"
import { processWait, report } from "./process-wait.ts"
import { objectDetach } from "./ring-end.ts"
import { memoryRenew, memorySeal } from "./seal.ts"
import type { KernelState } from "./state.ts"
import { debugPrint, shutdown, yieldProcessor } from "./system.ts"

const handlers: { readonly [N in SyscallName]: Handler<N> } = {
  yield: yieldProcessor,
  cap_allocate: capAllocate,
  memory_allocate: memoryAllocate,
  endpoint_create: endpointCreate,
  process_create: processCreate,
  memory_map: memoryMap,
  memory_unmap: memoryUnmap,
  notification_create: notificationCreate,
  memory_map_into: memoryMapInto,
  cap_insert_into: capInsertInto,
  cap_revoke: capRevoke,
  cap_derive: capDerive,
  cap_mint: capMint,
  cap_copy: capCopy,
  cap_delete: capDelete,
  cap_move: capMove,
  memory_remap: memoryRemap,
  memory_share: memoryShare,
  retype,
  shutdown,
  debug_print: debugPrint,
  process_start: processStart,
  process_wait: processWait,
  process_kill: processKill,
  report,
  cap_grant: capGrant,
  object_attach: objectAttach,
  explain_address: explainAddress,
  process_describe: processDescribe,
  memory_seal: memorySeal,
  memory_renew: memoryRenew,
  object_detach: objectDetach,
}

/** Performs a decoded call. Throws a KernelError, with nothing changed, when it is refused. */
export function perform(state: KernelState, caller: Caller, { name, args }: Call): Outcome<SyscallName> {
  // The table pairs each name with its own arguments; a union of pairs is more than the compiler can follow.
  const handler = handlers[name] as Handler<SyscallName>
  return handler(state, caller, args)
}
