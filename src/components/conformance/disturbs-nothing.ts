// disturbs-nothing.ts: the form of every SYSCALL case: a call that succeeds, the same refused, and what stands beside them.

import { Bystanders } from "./bystanders.ts"
import type { Case, Kit } from "./kit.ts"

export interface Halves {
  succeeds(kit: Kit, bystanders: Bystanders): void
  fails(kit: Kit, bystanders: Bystanders): void
}

/** @param what the calls, for the case's sentence */
export function disturbsNothing(what: string, { succeeds, fails }: Halves): Case {
  return {
    shows: `${what}: done as asked, refused where wrong, and nothing else is disturbed`,
    run(kit) {
      const bystanders = new Bystanders(kit)
      succeeds(kit, bystanders)
      bystanders.ensureUndisturbed("the calls that succeed")
      fails(kit, bystanders)
      bystanders.ensureUndisturbed("the calls that are refused")
      bystanders.remove()
    },
  }
}
