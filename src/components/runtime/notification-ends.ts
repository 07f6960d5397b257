// notification-ends.ts: the two ends of a notification, by where the kernel has mapped it.

import { NOTIFICATION_LANES } from "../../kernel-daemon/abi/limits.ts"
import { ackAddress, laneAddress } from "../../kernel-daemon/abi/notification-map.ts"
import { type LanePlace, NotificationSignaller, NotificationWaiter } from "../../ring/notification.ts"
import type { VSpace } from "../../ring/vspace.ts"
import type { WaitStrategy } from "../../ring/wait.ts"
import type { Attachment, Taken } from "./attachment.ts"
import { BadgedSignaller, type BadgeRules } from "./badged-signaller.ts"

/** For a worker thread. */
export function notificationSignaller(slot: number): Attachment<BadgedSignaller> {
  return {
    wanted: [[slot, "signaller"]],
    make: (vspace, taken) => {
      const [lane] = taken as readonly [Taken & { readonly rules: BadgeRules }]
      return signallerAt(vspace, lane, lane.rules)
    },
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

export function signallerAt(
  vspace: VSpace,
  { address, status }: Pick<Taken, "address" | "status">,
  rules: BadgeRules,
): BadgedSignaller {
  return new BadgedSignaller(
    vspace,
    new NotificationSignaller(vspace, placeOf(address), { bell: address }),
    status,
    rules,
  )
}

export function waiterAt(vspace: VSpace, address: number, status: number, wait?: WaitStrategy): NotificationWaiter {
  const lanes = Array.from({ length: NOTIFICATION_LANES }, (_, lane) => placeOf(laneAddress(address, lane)))
  const options = { status, bell: address, ...(wait === undefined ? {} : { wait }) }
  return new NotificationWaiter(vspace, { kernelPart: address, lanes }, options)
}

function placeOf(lane: number): LanePlace {
  return { lane, ack: ackAddress(lane) }
}
