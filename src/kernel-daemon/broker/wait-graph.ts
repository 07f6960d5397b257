// wait-graph.ts: who waits on what, and for whom; and whether those who could end it wait themselves.

import type { ComponentId } from "../invocation/effects.ts"
import { sleepsOf } from "./sleeps.ts"
import type { Sights } from "./unmap-proof.ts"

interface Wait {
  readonly component: ComponentId
  readonly what: string
  /** Any of these can end it. */
  readonly wakers: readonly ComponentId[]
}

/**
 * In words, a line for each wait of a living component, and last a line if some of them wait for each other and for nobody
 * else. A component that waits on its event loop is not seen to wait. A sleep with a time-out ends by itself all the same.
 * Cost: about 100 us a component
 */
export function describeWaits({ kernel, processes }: Pick<Sights, "kernel" | "processes">): string[] {
  const named = (id: ComponentId): string => `component ${id} "${kernel.componentName(id)}"`
  const waits: Wait[] = kernel.processWaits().map(({ component, target }) => ({
    component,
    what: "waits for a report or the end of",
    wakers: [target],
  }))
  const lines: string[] = []
  for (const [component, { pid }] of processes) {
    try {
      const shared = sleepsOf(pid).flatMap(address => kernel.wakersAt(component, address) ?? [])
      // It may sleep on several words of one object.
      for (const [object, { wakers }] of new Map(shared.map(each => [each.object, each]))) {
        waits.push({ component, what: `sleeps on ${object}, to be woken by`, wakers })
      }
    } catch {
      lines.push(`${named(component)} cannot be looked at`)
    }
  }
  for (const { component, what, wakers } of waits) {
    const whom = wakers.length === 0 ? "nobody" : wakers.map(named).join(" or ")
    lines.push(`${named(component)} ${what} ${whom}`)
  }
  if (lines.length === 0) return ["nobody sleeps on shared memory or waits for a component"]
  const stuck = waitingForEachOther(waits)
  if (stuck.length > 0) lines.push(`these wait for each other and for nobody else: ${stuck.map(named).join(", ")}`)
  return lines
}

/** Who cannot go on unless another of them does first. */
function waitingForEachOther(waits: readonly Wait[]): ComponentId[] {
  let stuck = new Set(waits.map(({ component }) => component))
  for (let before = -1; stuck.size !== before; ) {
    before = stuck.size
    const goesOn = waits.filter(({ wakers }) => wakers.some(waker => !stuck.has(waker)))
    stuck = new Set([...stuck].filter(component => !goesOn.some(wait => wait.component === component)))
  }
  return [...stuck]
}
