// notification-frame.ts: a notification all of whose parts lie in one frame, for ends that trust each other. The kernel's
// own notifications have one writer for each memory; here whoever maps the frame can write everything.

import { RingError } from "./errors.ts"
import {
  ACK_BYTES,
  CACHE_LINE_BYTES,
  MAX_LANES,
  NOTIFICATION_BADGES,
  NOTIFICATION_BYTES,
  NOTIFICATION_IN_USE,
} from "./layout.ts"
import type { LanePlace } from "./signaller.ts"
import type { VSpace } from "./vspace.ts"
import type { WaiterPlace } from "./waiter.ts"

const STRIDE = CACHE_LINE_BYTES + ACK_BYTES
const ALL_BITS = 0xffff_ffff

export const NotificationFrame = {
  /** Bytes of a frame that holds a notification with all its lanes. */
  bytesNeeded: NOTIFICATION_BYTES + MAX_LANES * STRIDE,

  /**
   * One lane of the notification in the frame at `address`, which nobody else signals on.
   * @param lane 0 to 15
   * @throws {RingError} RangeError: no such lane
   */
  lane(address: number, lane: number): LanePlace {
    if (!Number.isInteger(lane) || lane < 0 || lane >= MAX_LANES) {
      throw new RingError("RangeError", `lane is ${lane}, which must be 0 to ${MAX_LANES - 1}; choose a free one`)
    }
    const at = address + NOTIFICATION_BYTES + lane * STRIDE
    return { lane: at, ack: at + CACHE_LINE_BYTES }
  },

  /**
   * The waiter's side. Opens the first `lanes` lanes, for all badges, as the kernel does for a notification of its own.
   * @throws {RingError} RangeError, AlignmentError: the frame does not lie in the VSpace
   * @throws {PageFault} the frame is not mapped here, or read-only
   */
  waiter(vspace: VSpace, address: number, lanes = MAX_LANES): WaiterPlace {
    vspace.checkRange("the notification", address, NotificationFrame.bytesNeeded, 8)
    for (let half = 0; half < 2 * lanes; half++) {
      vspace.storeWord(address + NOTIFICATION_BADGES + half * 4, ALL_BITS)
    }
    vspace.storeWord(address + NOTIFICATION_IN_USE, 2 ** lanes - 1)
    return {
      kernelPart: address,
      lanes: Array.from({ length: lanes }, (_, lane) => NotificationFrame.lane(address, lane)),
    }
  },
}
