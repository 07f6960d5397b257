// notification-map.ts: what stands where in a notification's mapping. Each page is a memory of its own, with one writer.

import { NOTIFICATION_LANES, PAGE_BYTES } from "./limits.ts"

/** For a signaller: its lane, which it alone writes, then the acknowledgement, which only the waiter writes. */
export const SIGNALLER_BYTES = 2 * PAGE_BYTES

/** For the waiter: the page that only the daemon writes, then each lane and its acknowledgement, mapped once in use. */
export const WAITER_BYTES = PAGE_BYTES + NOTIFICATION_LANES * SIGNALLER_BYTES

/** Address of a lane in the waiter's mapping; its acknowledgement is the page after it, as for the signaller. */
export function laneAddress(waiterAddress: number, lane: number): number {
  return waiterAddress + PAGE_BYTES + lane * SIGNALLER_BYTES
}

export function ackAddress(laneAddress: number): number {
  return laneAddress + PAGE_BYTES
}
