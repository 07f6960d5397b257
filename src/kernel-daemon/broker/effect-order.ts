// effect-order.ts: which effects of an invocation are begun together, and which wait for those before them.

import type { AcquireEffect } from "../invocation/effects.ts"

/**
 * The effects from `first` on that are begun together: one, or several of a kind that is never refused, so that who lets
 * each of a hundred unmaps wait for nearly its deadline gains little more than one deadline, and not a hundred.
 */
export function nextOf(effects: readonly AcquireEffect[], first: number): readonly AcquireEffect[] {
  const kind = effects[first]?.kind
  let end = first + 1
  if (kind === "unmap" || kind === "prove-unmapped") while (effects[end]?.kind === kind) end++
  return effects.slice(first, end)
}
