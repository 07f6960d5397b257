// lanes.ts: a lane that the kernel opens while the waiter is at work, and hands on to another holder, of another badge, when
// all that the first one signalled is acknowledged (decision 0005).

import { native } from "../../../native/index.ts"
import { NOTIFICATION_BADGES, NOTIFICATION_IN_USE } from "../../ring/layout.ts"
import { NotificationFrame } from "../../ring/notification-frame.ts"
import { NotificationSignaller } from "../../ring/signaller.ts"
import { NotificationWaiter } from "../../ring/waiter.ts"
import type { Case } from "../explore.ts"
import { accessesMade } from "../process.ts"
import { SHARED_START as FRAME } from "../shared-space.ts"
import { nameInNotification } from "./notification.ts"

const IN_USE = FRAME + NOTIFICATION_IN_USE
const BADGE = FRAME + NOTIFICATION_BADGES
const ONE_LANE = 1

/**
 * @param badges one bit each, of one holder after the other; what else a holder toggles is dropped
 * @param isOpen the lane is in use from the start
 */
export function laneCase(badges: readonly number[], isOpen: boolean): Case {
  const place = NotificationFrame.lane(FRAME, 0)
  const lanesAtStart = isOpen ? ONE_LANE : 0
  return {
    name: `notification, a lane that is ${isOpen ? "" : "opened, and "}held by ${badges.length} after one another`,
    create: { name: "creator", attach: vspace => () => void NotificationFrame.waiter(vspace, FRAME, lanesAtStart) },
    programs: [
      {
        name: "kernel and holders",
        neverSleeps: true,
        attach: (vspace, begin) => () => {
          for (const [number, badge] of badges.entries()) {
            begin(`hand ${badge}`)
            vspace.storeWord(BADGE, badge)
            if (number === 0 && !isOpen) {
              vspace.storeWord(IN_USE, ONE_LANE)
              native.futexWake(IN_USE, 1)
            }
            begin(`signal ${badge}`)
            new NotificationSignaller(vspace, place).signal(BigInt(badge))
            if (number === badges.length - 1) return
            begin(`look ${badge}`)
            const signalled = vspace.hot.loadLane(place.lane)
            while (vspace.hot.loadLane(place.ack) !== signalled);
          }
        },
      },
      {
        name: "waiter",
        attach: (vspace, begin) => {
          const waiter = new NotificationWaiter(vspace, { kernelPart: FRAME, lanes: [place] })
          return () => {
            for (const badge of badges) {
              begin(`wait ${badge}`)
              const bits = waiter.wait()
              if (bits !== BigInt(badge)) throw new Error(`wait ${badge} returned ${bits}`)
            }
            begin("poll")
            const before = accessesMade()
            const more = waiter.poll()
            // One look at the lanes in use and at each of them.
            const looks = accessesMade() - before
            if (more !== 0n || looks !== 1 + ONE_LANE) throw new Error(`poll returned ${more} after ${looks} accesses`)
          }
        },
      },
    ],
    nameOf: address => nameInNotification(address - FRAME),
  }
}
