// wait-graph.ts: who waits on what, and for whom; and whether those who could end it wait themselves.

import type { ComponentId } from "../invocation/effects.ts"
import { sleepOf } from "./sleeps.ts"
import type { Sights } from "./unmap-proof.ts"

type Looks = Pick<Sights, "kernel" | "processes">

export interface Wait {
  readonly component: ComponentId
  readonly what: string
  /** Any of these can end it. */
  readonly wakers: readonly ComponentId[]
  readonly endsByItself: boolean
  /** What has changed when the same component waits there once more. */
  readonly seen: string
}

/** The components whose process_wait is not answered. Cost: linear in the components. */
export function callWaits({ kernel }: Looks): Wait[] {
  return kernel.processWaits().map(({ component, target, callId }) => ({
    component,
    what: "waits for a report or the end of",
    wakers: [target],
    endsByItself: false,
    seen: `call ${callId}`,
  }))
}

/**
 * On what one component sleeps; nothing when it works, or waits on its event loop. Cost: about 100 us
 * @throws {Error} it has ended, or Linux does not let us look
 */
export function sleepingWaits({ kernel, processes }: Looks, component: ComponentId): Wait[] {
  const pid = processes.get(component)?.pid
  const sleep = pid === undefined ? undefined : sleepOf(pid)
  const shared = (sleep?.words ?? []).flatMap(({ address, value }) => {
    const at = kernel.wakersAt(component, address)
    return at === undefined ? [] : [{ ...at, seen: `${address}=${value}` }]
  })
  // It may sleep on several words of one object.
  const seen = shared.map(each => each.seen).join(" ")
  return [...new Map(shared.map(each => [each.object, each])).values()].map(({ object, wakers }) => ({
    component,
    what: `sleeps on ${object}, to be woken by`,
    wakers,
    endsByItself: sleep?.endsByItself ?? true,
    seen,
  }))
}

/**
 * In words, a line for each wait of a living component, and last a line if some of them wait for each other and for nobody
 * else. A component that waits on its event loop is not seen to wait. Cost: about 100 us a component
 */
export function describeWaits(looks: Looks): string[] {
  const waits = callWaits(looks)
  const lines: string[] = []
  for (const component of looks.processes.keys()) {
    try {
      waits.push(...sleepingWaits(looks, component))
    } catch {
      lines.push(`${named(looks, component)} cannot be looked at`)
    }
  }
  lines.push(...waits.map(wait => describeWait(looks, wait)))
  if (lines.length === 0) return ["nobody sleeps on shared memory or waits for a component"]
  const stuck = waitingForEachOther(waits)
  return stuck.length === 0 ? lines : [...lines, describeStandstill(looks, stuck)]
}

export function describeWait(looks: Looks, { component, what, wakers, endsByItself }: Wait): string {
  const whom = wakers.length === 0 ? "nobody" : wakers.map(waker => named(looks, waker)).join(" or ")
  return `${named(looks, component)} ${what} ${whom}${endsByItself ? ", for a time" : ""}`
}

export function describeStandstill(looks: Looks, stuck: readonly Wait[]): string {
  const who = [...new Set(stuck.map(({ component }) => component))].map(component => named(looks, component))
  return `these wait for each other and for nobody else: ${who.join(", ")}`
}

/** The waits of those who cannot go on unless another of them does first. */
export function waitingForEachOther(waits: readonly Wait[]): Wait[] {
  let stuck = waits
  for (;;) {
    const components = new Set(stuck.map(({ component }) => component))
    const goesOn = stuck
      .filter(({ wakers, endsByItself }) => endsByItself || wakers.some(waker => !components.has(waker)))
      .map(({ component }) => component)
    if (goesOn.length === 0) return [...stuck]
    stuck = stuck.filter(({ component }) => !goesOn.includes(component))
  }
}

function named({ kernel }: Looks, id: ComponentId): string {
  return `component ${id} "${kernel.componentName(id)}"`
}
