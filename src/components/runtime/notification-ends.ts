// notification-ends.ts: the two ends of a notification, by where the kernel has mapped it.

import { NOTIFICATION_LANES } from "../../kernel-daemon/abi/limits.ts"
import { ackAddress, laneAddress } from "../../kernel-daemon/abi/notification-map.ts"
import { type LanePlace, NotificationSignaller, NotificationWaiter } from "../../ring/notification.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import type { Attachment, Taken } from "./attachment.ts"

/** For a worker thread. Nobody checks the bits there; those outside the capability's badge reach nobody. */
export function notificationSignaller(slot: number): Attachment<NotificationSignaller> {
  return {
    wanted: [[slot, "signaller"]],
    make: (vspace, taken) => signallerAt(vspace, (taken as readonly [Taken])[0].address),
  }
}

/** For a worker thread. */
export function notificationWaiter(slot: number, wait?: WaitStrategy): Attachment<NotificationWaiter> {
  return {
    wanted: [[slot, "waiter"]],
    make: (vspace, taken) => {
      const { address, status } = (taken as readonly [Taken])[0]
      return waiterAt(vspace, address, status, wait)
    },
  }
}

export function signallerAt(vspace: VSpace, address: number): NotificationSignaller {
  return new NotificationSignaller(vspace, placeOf(address), { bell: address })
}

export function waiterAt(vspace: VSpace, address: number, status: number, wait?: WaitStrategy): NotificationWaiter {
  const lanes = Array.from({ length: NOTIFICATION_LANES }, (_, lane) => placeOf(laneAddress(address, lane)))
  const options = { status, bell: address, ...(wait === undefined ? {} : { wait }) }
  return new NotificationWaiter(vspace, { kernelPart: address, lanes }, options)
}

function placeOf(lane: number): LanePlace {
  return { lane, ack: ackAddress(lane) }
}
